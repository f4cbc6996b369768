//! The pipelines of one worker.
//! Built-in pipelines and programs are made anew for each trial, so that a trial does not depend on earlier ones. The
//! interpreter of a Python function starts slowly, so it is kept for the next trial with the same task and metadata: a
//! function gets nothing but a frame. One that crashed is not kept, because the next one starts a second later at the
//! earliest, and the trial would begin without it.

use std::time::Duration;

use client::pipeline::{ChosenPipeline, Pipeline, PipelineChoice};
use shared::protocol::message::Meta;
use shared::shell::stop::OnStop;

use super::TrialError;
use super::evaluate::Given;
use super::function::Function;
use crate::sweep::plan::Answerer;

/// How many times a program gets 3 s to load what it needs: a minute in all. A program that is ready, or has ended, is
/// not waited for.
const LOADING: usize = 20;

/// The pipelines of one worker.
#[derive(Default)]
pub(in crate::sweep) struct Pipelines {
    function: Option<Function>,
    kept: Option<Taken>,
}

/// A pipeline for one trial.
pub(in crate::sweep) struct Taken {
    pub(super) pipeline: Box<dyn Pipeline>,
    /// Its name in the report.
    pub(super) name: String,
    chosen: ChosenPipeline,
    /// Ends its program when somebody stops the sweep, so that nobody waits for its answer.
    _ended_early: OnStop,
    /// What the pipeline was made for, if it may be kept; `None` if it is not kept.
    key: Option<String>,
}

impl Pipelines {
    /// The pipeline of a trial, ready for its first frame.
    ///
    /// # Errors
    /// If it cannot be made, or its program cannot be started.
    pub(super) fn take(
        &mut self,
        given: &Given<'_>,
        task: &'static str,
        meta: Option<&Meta>,
        deadline: Duration,
    ) -> Result<Taken, TrialError> {
        let plan = &given.plan.pipeline;
        let answerer = plan.answerer(&given.trial.pipeline);
        let (command, key) = match &answerer {
            Answerer::Named(name) => (name.clone(), None),
            Answerer::Function { file, name } => {
                let function = match self.function.take() {
                    Some(function) => function,
                    None => Function::new()?,
                };
                let function = self.function.insert(function);
                let keywords = plan.keywords.as_deref();
                let key = format!("{}\n{task}\n{meta:?}\n{deadline:?}\n{keywords:?}", given.trial.pipeline);
                (function.command(&plan.python, file, name, keywords), Some(key))
            }
            // Clients are not made here.
            Answerer::Client(_) => return Err(TrialError::failed("a client cannot run in this process")),
        };
        if let Some(kept) = self.kept.take_if(|kept| key.is_some() && kept.key == key) {
            return Ok(kept);
        }
        self.kept = None;
        let choice = PipelineChoice::new(&command, plan.options()).map_err(TrialError::failed)?;
        let chosen = choice.for_task(task).map_err(TrialError::failed)?;
        // A busy machine must not change a program's answers, so the deadline applies only where latency counts.
        let within = given.plan.latency_counts().map(|_| deadline);
        let chosen = chosen.within(within).with_meta(meta);
        let program = chosen.clone();
        let ended_early = given.stopper.on_stop(move || program.end());
        let mut pipeline = chosen.build().map_err(TrialError::failed)?;
        // A program that still loads its libraries would drop the first frames.
        let waits = if command.starts_with("exec:") { LOADING } else { 1 };
        (0..waits).for_each(|_| pipeline.prepare());
        let name = key.as_ref().map_or_else(|| chosen.name().to_owned(), |_| given.trial.pipeline.clone());
        Ok(Taken { pipeline, name, chosen, _ended_early: ended_early, key })
    }

    /// Takes back the pipeline of a trial that succeeded.
    pub(super) fn give_back(&mut self, taken: Taken) {
        self.kept = Some(taken).filter(|taken| taken.key.is_some() && taken.pipeline.is_intact());
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Ends its program, if it has one.
        self.chosen.end();
    }
}
