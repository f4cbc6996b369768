//! Makes a kind of pipeline from an editor of images.

use shared::geometry::Size;
use shared::image::{ImageView, PixelFormat};
use shared::protocol::encoding::Encoding;
use shared::protocol::message::Payload;

use super::answers::Images;
use crate::pipeline::answers::Answers;
use crate::pipeline::error::PipelineError;
use crate::pipeline::frame::Frame;
use crate::pipeline::image_answer::image_payload;
use crate::pipeline::options::PipelineOptions;
use crate::pipeline::radii::RadiusLimits;
use crate::pipeline::seam::{Pipeline, PipelineKind};

/// An image to answer with: its size, its pixel format, and its bytes row by row.
pub(crate) type Picture = (Size, PixelFormat, Vec<u8>);

/// Makes the image of the answer from the image of the frame.
pub(crate) trait Editor: Send {
    /// Returns the edited image, in the size of the given one, and in its pixel format; in gray8 for gray16.
    fn edit(&mut self, image: ImageView<'_>) -> Picture;
}

/// A pipeline that answers with an image.
#[derive(Debug)]
pub(crate) struct ImageKind {
    /// The pipeline's name.
    pub(crate) name: &'static str,
    /// Whether it looks for circles, so that the options for radii matter.
    pub(crate) finds_circles: bool,
    /// Builds an editor. If it looks for circles, their radii are within these limits.
    pub(crate) editor: fn(RadiusLimits) -> Box<dyn Editor>,
}

/// Runs an editor on each frame.
struct ImagePipeline(Box<dyn Editor>);

impl PipelineKind for ImageKind {
    fn name(&self) -> &'static str {
        self.name
    }

    fn tasks(&self) -> &'static [&'static str] {
        &["image"]
    }

    fn answers(&self) -> &'static dyn Answers {
        &Images
    }

    fn looks_for(&self, options: &PipelineOptions, size: Size) -> Option<String> {
        self.finds_circles.then(|| options.radii.in_words(size))
    }

    fn build(&self, options: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError> {
        options.radii.check()?;
        Ok(Box::new(ImagePipeline((self.editor)(options.radii))))
    }
}

impl Pipeline for ImagePipeline {
    fn answer(&mut self, frame: &Frame<'_>) -> Payload<'static> {
        let (size, pixel, data) = self.0.edit(frame.image);
        image_payload(size, pixel, data, Encoding::Raw)
    }
}
