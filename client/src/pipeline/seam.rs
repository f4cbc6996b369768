//! What a pipeline is: an image in, an answer out.

use std::fmt::Debug;

use shared::geometry::Size;
use shared::image::ImageView;
use shared::protocol::message::Payload;

use super::answers::Answers;
use super::error::PipelineError;
use super::options::PipelineOptions;

/// What is under test: looks at frames on a worker thread.
pub trait Pipeline: Send {
    /// What it says of a frame, from the pixels of that frame alone.
    ///
    /// The image has the stream's pixel format. A pipeline that wants gray levels converts them in memory of its own.
    fn answer(&mut self, image: ImageView<'_>) -> Payload<'static>;
}

/// A kind of pipeline. It keeps nothing: what it builds does.
pub trait PipelineKind: Debug + Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// The tasks it can do, by the names that a server's hello has for them.
    fn tasks(&self) -> &'static [&'static str];

    /// The answers it gives, for counts, rows and the window.
    fn answers(&self) -> &'static dyn Answers;

    /// What it looks for in frames of this size, and what changes that; told where nothing was found.
    fn looks_for(&self, _options: &PipelineOptions, _size: Size) -> Option<String> {
        None
    }

    /// A new pipeline with scratch memory of its own; each worker has one.
    ///
    /// # Errors
    /// [`PipelineError`] where the options do not allow one.
    fn build(&self, options: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError>;
}
