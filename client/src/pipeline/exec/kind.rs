//! Builds the pipelines of a session, each with a program of its own.

use std::sync::Arc;

use shared::protocol::message::CIRCLE_TASK;

use super::pipeline::ExecPipeline;
use super::program::{CommandError, Program};
use super::programs::Programs;
use crate::pipeline::answers::Answers;
use crate::pipeline::error::PipelineError;
use crate::pipeline::options::PipelineOptions;
use crate::pipeline::seam::{Pipeline, PipelineKind, PipelineMaker};

/// The tasks that a program can do: all of them.
pub(in crate::pipeline) const TASKS: [&str; 4] = [CIRCLE_TASK, "count", "ack", "image"];

/// Makes the pipeline `exec:COMMAND` of each session.
#[derive(Debug)]
pub(in crate::pipeline) struct ProgramMaker(Arc<Program>);

impl ProgramMaker {
    /// Finds the program of a command.
    ///
    /// # Errors
    /// [`CommandError`] if the command cannot be run.
    pub(in crate::pipeline) fn of(command: &str) -> Result<Self, CommandError> {
        Ok(Self(Arc::new(Program::of(command)?)))
    }
}

impl PipelineMaker for ProgramMaker {
    fn make(&self, task: &'static str, answers: &'static dyn Answers) -> Result<Arc<dyn PipelineKind>, PipelineError> {
        Ok(Arc::new(ExecKind::new(self.0.clone(), task, answers)?))
    }
}

/// The pipeline `exec:COMMAND` in one session.
#[derive(Debug)]
struct ExecKind {
    program: Arc<Program>,
    task: &'static str,
    answers: &'static dyn Answers,
    programs: Arc<Programs>,
}

impl ExecKind {
    /// The pipeline that runs the program in a session with this task. `answers` describes the answers of the task.
    ///
    /// # Errors
    /// [`PipelineError::Start`] if the system has no descriptors left.
    fn new(program: Arc<Program>, task: &'static str, answers: &'static dyn Answers) -> Result<Self, PipelineError> {
        let start = |error: std::io::Error| PipelineError::Start(format!("{}: {error}", program.name()));
        let programs = Arc::new(Programs::new().map_err(start)?);
        Ok(Self { program, task, answers, programs })
    }
}

impl PipelineKind for ExecKind {
    fn name(&self) -> &'static str {
        "exec"
    }

    fn tasks(&self) -> &'static [&'static str] {
        &TASKS
    }

    fn answers(&self) -> &'static dyn Answers {
        self.answers
    }

    fn build(&self, options: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError> {
        let programs = self.programs.clone();
        let started = ExecPipeline::start(self.program.clone(), self.task, options, programs);
        let pipeline = started.map_err(|fault| PipelineError::Start(format!("{} {fault}", self.program.name())))?;
        Ok(Box::new(pipeline))
    }

    fn end(&self) {
        self.programs.end();
    }
}
