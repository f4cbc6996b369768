//! Chooses the pipeline from the user's option and the server's task.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use shared::geometry::Size;
use shared::protocol::message::Meta;

use super::answers::Answers;
use super::corrected::{self, Corrected, NotCorrected};
use super::error::PipelineError;
use super::exec::{self, ProgramMaker};
use super::list::kinds;
use super::options::PipelineOptions;
use super::parameters::{self, Parameter};
use super::seam::{Pipeline, PipelineKind, PipelineMaker};

/// The name that leaves the choice to the server's task.
pub const AUTO: &str = "auto";

/// Maximum number of characters of a server's task that an error repeats. That is far more than the name of any task
/// has, and the bye with the error stays within the 256 bytes of a text.
const TASK_CHARS_SHOWN: usize = 64;

/// The pipeline that the user asks for: a named one, or any that can do the task.
#[derive(Clone, Debug)]
pub struct PipelineChoice {
    named: Named,
    options: PipelineOptions,
}

/// What the user named.
#[derive(Clone, Debug)]
enum Named {
    Auto,
    Listed(&'static dyn PipelineKind),
    /// One that is not in the list, such as a program (`exec:COMMAND`).
    Made(Arc<dyn PipelineMaker>),
}

/// A kind of pipeline that can do the session's task. It builds one pipeline per worker.
#[derive(Clone, Debug)]
pub struct ChosenPipeline {
    kind: Kind,
    options: PipelineOptions,
}

/// A kind of pipeline: a listed one, or one that was made for this session.
#[derive(Clone, Debug)]
enum Kind {
    Listed(&'static dyn PipelineKind),
    Made(Arc<dyn PipelineKind>),
}

impl PipelineChoice {
    /// The pipeline called `name`, or any for [`AUTO`].
    ///
    /// # Errors
    /// [`PipelineError::Unknown`] if no pipeline has the name; [`PipelineError::Command`] if it is a command that
    /// cannot be run; [`PipelineError::Radius`] if no circle can meet the limits.
    pub fn new(name: &str, options: PipelineOptions) -> Result<Self, PipelineError> {
        options.radii.check()?;
        let named = match (name, name.strip_prefix(exec::PREFIX)) {
            (AUTO, _) => Named::Auto,
            (_, Some(command)) => Named::Made(Arc::new(ProgramMaker::of(command)?)),
            _ => Named::Listed(kinds().find(|kind| kind.name() == name).ok_or_else(|| unknown(name))?),
        };
        let choice = Self { named, options };
        parameters::check(choice.parameters(), &choice.options.parameters)
            .map_err(PipelineError::of_parameter(name))?;
        Ok(choice)
    }

    /// Any pipeline that can do the task, with the default options.
    #[must_use]
    pub fn auto() -> Self {
        Self { named: Named::Auto, options: PipelineOptions::default() }
    }

    /// The numbers that change how it works, beside the radii: for [`AUTO`] those of the first pipeline.
    #[must_use]
    pub fn parameters(&self) -> &'static [Parameter] {
        match &self.named {
            Named::Listed(kind) => kind.parameters(),
            Named::Auto => kinds().next().map_or(&[], PipelineKind::parameters),
            Named::Made(_) => &[],
        }
    }

    /// Chooses a kind of pipeline that need not be in the list.
    #[must_use]
    pub fn of(kind: &'static dyn PipelineKind, options: PipelineOptions) -> Self {
        Self { named: Named::Listed(kind), options }
    }

    /// Chooses the pipeline that this maker makes for a session.
    #[must_use]
    pub fn made(maker: Arc<dyn PipelineMaker>, options: PipelineOptions) -> Self {
        Self { named: Named::Made(maker), options }
    }

    /// Chooses the pipeline for a server's task.
    ///
    /// # Errors
    /// [`PipelineError::NoneFor`] if no pipeline can do the task; [`PipelineError::CannotDo`] if the named pipeline
    /// cannot do it.
    pub fn for_task(&self, task: &str) -> Result<ChosenPipeline, PipelineError> {
        let able = kinds().find(|kind| can_do(*kind, task));
        let kind = match &self.named {
            Named::Auto => Kind::Listed(for_one(able.ok_or_else(|| none_for(task))?, task)),
            Named::Listed(kind) if can_do(*kind, task) => Kind::Listed(for_one(*kind, task)),
            Named::Listed(kind) => return Err(cannot_do(*kind, task, able)),
            Named::Made(maker) => {
                let task = exec::TASKS.into_iter().find(|known| *known == task).ok_or_else(|| none_for(task))?;
                let answers = for_one(able.ok_or_else(|| none_for(task))?, task).answers();
                Kind::Made(maker.make(task, answers)?)
            }
        };
        Ok(ChosenPipeline { kind, options: self.options.clone() })
    }
}

impl ChosenPipeline {
    /// The choice of this kind.
    #[must_use]
    pub fn new(kind: &'static dyn PipelineKind, options: PipelineOptions) -> Self {
        Self { kind: Kind::Listed(kind), options }
    }

    /// Adapts the pipeline to a server that waits this long for an answer. A program may take at most half of that
    /// time, so that its frame is answered before the deadline.
    #[must_use]
    pub fn within(mut self, deadline: Option<Duration>) -> Self {
        if let Some(deadline) = deadline {
            self.options.timeout = self.options.timeout.min(deadline / 2);
        }
        self
    }

    /// Adds what the source says about its stream.
    #[must_use]
    pub fn with_meta(mut self, meta: Option<&Meta>) -> Self {
        self.options.meta = meta.cloned().unwrap_or_default().into();
        self
    }

    /// Name of the kind.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Describes the answers of the pipeline.
    #[must_use]
    pub fn answers(&self) -> &'static dyn Answers {
        self.kind.answers()
    }

    /// Says what it looks for in frames of this size, if it can.
    #[must_use]
    pub fn looks_for(&self, size: Size) -> Option<String> {
        self.kind.looks_for(&self.options, size)
    }

    /// Checks that the correction, if there is one, suits a stream of this task and size.
    ///
    /// # Errors
    /// [`NotCorrected`] if it does not.
    pub fn check_correction(&self, task: &str, size: Size) -> Result<(), NotCorrected> {
        self.options.correction.as_ref().map_or(Ok(()), |correction| corrected::check(correction, task, size))
    }

    /// Builds a new pipeline.
    ///
    /// # Errors
    /// [`PipelineError`] if the options are invalid.
    pub fn build(&self) -> Result<Box<dyn Pipeline>, PipelineError> {
        let built = self.kind.build(&self.options)?;
        Ok(match &self.options.correction {
            Some(correction) => Box::new(Corrected::new(built, correction.clone())),
            None => built,
        })
    }

    /// Ends the programs that its pipelines run, in less than a second.
    pub fn end(&self) {
        self.kind.end();
    }
}

impl Deref for Kind {
    type Target = dyn PipelineKind;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Listed(kind) => *kind,
            Self::Made(kind) => &**kind,
        }
    }
}

/// The kind of pipeline that does this task of `kind`.
fn for_one(kind: &'static dyn PipelineKind, task: &str) -> &'static dyn PipelineKind {
    kind.of_task(task).unwrap_or(kind)
}

fn can_do(kind: &dyn PipelineKind, task: &str) -> bool {
    kind.tasks().contains(&task)
}

fn unknown(name: &str) -> PipelineError {
    let known: Vec<_> = [AUTO].into_iter().chain(kinds().map(PipelineKind::name)).chain(["exec:COMMAND"]).collect();
    PipelineError::Unknown { name: name.to_owned(), known: known.join(", ") }
}

fn none_for(task: &str) -> PipelineError {
    PipelineError::NoneFor { task: printable(task), possible: tasks() }
}

fn cannot_do(kind: &dyn PipelineKind, task: &str, able: Option<&dyn PipelineKind>) -> PipelineError {
    PipelineError::CannotDo {
        pipeline: kind.name(),
        task: printable(task),
        possible: kind.tasks().join(", "),
        advice: match able {
            Some(able) => format!("--pipeline {} or {AUTO} does", able.name()),
            None => "no other pipeline does".into(),
        },
    }
}

/// A task as an error repeats it: escaped and shortened.
fn printable(task: &str) -> String {
    task.escape_default().take(TASK_CHARS_SHOWN).collect()
}

/// The tasks of all pipelines, each listed once.
fn tasks() -> String {
    let mut tasks: Vec<&str> = Vec::new();
    for task in kinds().flat_map(PipelineKind::tasks) {
        if !tasks.contains(task) {
            tasks.push(task);
        }
    }
    tasks.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(name: &str, task: &str) -> Result<&'static str, String> {
        let choice = PipelineChoice::new(name, PipelineOptions::default()).expect("listed");
        choice.for_task(task).map(|chosen| chosen.name()).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn auto_chooses_by_task() {
        assert_eq!(chosen("auto", "circle"), Ok("hough"));
        assert_eq!(chosen("auto", "count"), Ok("hough"));
        assert_eq!(chosen("auto", "ack"), Ok("ack"));
        assert_eq!(chosen("auto", "image"), Ok("annotate"));
        let none = chosen("auto", "dance\n").expect_err("no pipeline dances");
        assert!(none.contains("\"dance\\n\"") && none.ends_with("circle, count, ack, image"), "{none}");
    }

    #[test]
    fn a_named_pipeline_does_only_its_own_tasks() {
        assert_eq!(chosen("hough-classic", "circle"), Ok("hough-classic"));
        let refused = chosen("hough", "ack").expect_err("not its task");
        let expected = "the server's task is \"ack\", which --pipeline hough cannot do (it can do circle, count); \
                        --pipeline ack or auto does";
        assert_eq!(refused, expected);
        assert!(chosen("ack", "circle").expect_err("not its task").contains("--pipeline hough or auto"));
        assert!(chosen("hough-classic", "count").expect_err("not its task").contains("--pipeline hough or auto"));
        assert!(chosen("ack", "dance").expect_err("no pipeline's task").contains("no other pipeline"));
    }

    #[test]
    fn a_program_does_every_task_within_half_of_the_servers_deadline() {
        for task in exec::TASKS {
            assert_eq!(chosen("exec:sh -c 'exit 0'", task), Ok("exec"));
        }
        assert!(chosen("exec:sh", "dance").expect_err("nobody's task").contains("\"dance\""));
        let choice = PipelineChoice::new("exec:sh", PipelineOptions::default()).expect("a program");
        let timeout = |deadline| choice.for_task("circle").expect("its task").within(deadline).options.timeout;
        let [second, half] = [1_000, 500].map(Duration::from_millis);
        assert_eq!([timeout(None), timeout(Some(4 * second)), timeout(Some(second))], [second, second, half]);
    }

    #[test]
    fn every_listed_name_builds_and_an_unknown_name_is_answered_with_the_list() {
        for kind in kinds() {
            let choice = PipelineChoice::new(kind.name(), PipelineOptions::default()).expect("listed");
            for task in kind.tasks() {
                let chosen = choice.for_task(task).expect("its task");
                assert_eq!(chosen.name(), kind.name());
                assert!(chosen.build().is_ok(), "{}", kind.name());
            }
        }
        let error = PipelineChoice::new("oracle", PipelineOptions::default()).expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "no pipeline is called \"oracle\"; there is auto, hough, hough-classic, ack, annotate, edges, exec:COMMAND"
        );
    }
}
