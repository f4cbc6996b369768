//! A detector as a kind of pipeline.

use shared::protocol::message::CIRCLE_TASK;

use super::answers::Circles;
use super::pipeline::CirclePipeline;
use crate::pipeline::answers::Answers;
use crate::pipeline::detector::Detector;
use crate::pipeline::error::PipelineError;
use crate::pipeline::options::PipelineOptions;
use crate::pipeline::radii::RadiusLimits;
use crate::pipeline::seam::{Pipeline, PipelineKind};

/// A pipeline that finds a circle with a detector.
#[derive(Debug)]
pub struct CircleKind {
    /// Its name.
    pub name: &'static str,
    /// Builds a detector of circles with radii within these limits.
    pub detector: fn(RadiusLimits) -> Box<dyn Detector>,
}

impl PipelineKind for CircleKind {
    fn name(&self) -> &'static str {
        self.name
    }

    fn tasks(&self) -> &'static [&'static str] {
        &[CIRCLE_TASK]
    }

    fn answers(&self) -> &'static dyn Answers {
        &Circles
    }

    fn build(&self, options: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError> {
        options.radii.check()?;
        Ok(Box::new(CirclePipeline::new((self.detector)(options.radii))))
    }
}
