//! Judges the gates on sessions that go on, for the progress line and the metrics.

use std::sync::Arc;

use super::state::Shared;
use crate::gate::Judge;
use crate::metrics::Metrics;
use crate::output::error::OutputError;
use crate::output::report::SessionReport;
use crate::output::seam::Output;

/// Judges each report of a session that goes on.
#[derive(Debug)]
pub struct StandingGates {
    judge: Arc<Judge>,
    metrics: Arc<Metrics>,
    shared: Shared,
}

impl StandingGates {
    /// Tells these metrics and this progress how the gates stand.
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
