//! Judges the gates on running sessions, for the progress line and the metrics.

use std::sync::Arc;

use super::state::Shared;
use crate::gate::Judge;
use crate::metrics::Metrics;
use crate::output::error::OutputError;
use crate::output::report::SessionReport;
use crate::output::seam::Output;

/// Judges each interim report of a running session.
#[derive(Debug)]
pub struct StandingGates {
    judge: Arc<Judge>,
    metrics: Arc<Metrics>,
    shared: Shared,
}

impl StandingGates {
    /// Passes the current verdicts to these metrics and this progress.
    pub fn new(judge: Arc<Judge>, metrics: Arc<Metrics>, shared: Shared) -> Self {
        Self { judge, metrics, shared }
    }
}

impl Output for StandingGates {
    fn name(&self) -> String {
        "gates".into()
    }

    fn running(&mut self, report: &SessionReport) -> Result<(), OutputError> {
        let gates = self.judge.standing(report);
        self.metrics.judged(&gates);
        self.shared.judged(gates);
        Ok(())
    }

    fn ended(&mut self, _: &SessionReport) -> Result<(), OutputError> {
        let gates = self.judge.verdicts();
        self.metrics.judged(&gates);
        self.shared.judged(gates);
        Ok(())
    }

    fn wants_running(&self) -> bool {
        true
    }
}
