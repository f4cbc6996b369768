//! Makes a kind of pipeline from a detector.

use shared::geometry::Size;
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
    /// The pipeline's name.
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

    fn looks_for(&self, options: &PipelineOptions, size: Size) -> Option<String> {
        let range = options.radii.range(size).map_or_else(
            || format!("no radius is left in frames of {size}"),
            |range| {
                format!(
                    "circles of radius {:.1} to {:.1} px, brighter or darker than what is around",
                    range.min(),
                    range.max()
                )
            },
        );
        Some(format!("{range}; --min-radius and --max-radius change that"))
    }

    fn build(&self, options: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError> {
        options.radii.check()?;
        Ok(Box::new(CirclePipeline::new((self.detector)(options.radii))))
    }
}
