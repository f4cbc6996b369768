//! The traits of a pipeline: an image goes in, an answer comes out.

use std::fmt::Debug;
use std::sync::Arc;

use shared::geometry::Size;
use shared::protocol::message::Payload;

use super::answers::Answers;
use super::error::PipelineError;
use super::frame::Frame;
use super::options::PipelineOptions;
use super::parameters::Parameter;

/// A pipeline under test. It looks at frames on a worker thread.
pub trait Pipeline: Send {
    /// Answers a frame from that frame alone.
    ///
    /// The image has the stream's pixel format. A pipeline that needs gray levels converts it in its own memory.
    fn answer(&mut self, frame: &Frame<'_>) -> Payload<'static>;

    /// Gets ready for the first frame. Called once, on the worker's thread, before the server may send frames.
    fn prepare(&mut self) {}

    /// Whether it can answer the frames of another run as a new pipeline would: nothing that it consists of has failed.
    fn is_intact(&self) -> bool {
        true
    }
}

/// A kind of pipeline. The pipelines that it builds hold the state of their work.
pub trait PipelineKind: Debug + Send + Sync {
    /// Name on the command line.
    fn name(&self) -> &'static str;

    /// The tasks it can do, by their names in a server's hello.
    fn tasks(&self) -> &'static [&'static str];

    /// The kind that does this task, if its answers are not those that [`answers`](Self::answers) describes. `None` if
    /// this kind does it.
    fn of_task(&self, _task: &str) -> Option<&'static dyn PipelineKind> {
        None
    }

    /// Describes the answers, for counts, rows and the window.
    fn answers(&self) -> &'static dyn Answers;

    /// Says what it looks for in frames of this size, and which options change that. Printed when nothing was found.
    fn looks_for(&self, _options: &PipelineOptions, _size: Size) -> Option<String> {
        None
    }

    /// The numbers that change how it works, beside the radii.
    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    /// Builds a new pipeline with its own scratch memory. Each worker has one.
    ///
    /// # Errors
    /// [`PipelineError`] if the options are invalid.
    fn build(&self, options: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError>;

    /// Ends the programs that its pipelines run, in less than a second. No pipeline is built after that.
    fn end(&self) {}
}

/// Makes the kind of pipeline of each session, for pipelines that are not in the list: a program, or a function of
/// another language. It can do every task.
pub trait PipelineMaker: Debug + Send + Sync {
    /// The kind for a session with this task. `answers` describes the answers of the task.
    ///
    /// # Errors
    /// [`PipelineError`] if the system has no room for it.
    fn make(&self, task: &'static str, answers: &'static dyn Answers) -> Result<Arc<dyn PipelineKind>, PipelineError>;
}
