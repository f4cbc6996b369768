//! Makes a kind of pipeline from a detector of all circles.

use shared::geometry::Size;

use super::answers::Counts;
use super::pipeline::CountPipeline;
use crate::pipeline::answers::Answers;
use crate::pipeline::detector::DetectorOfAll;
use crate::pipeline::error::PipelineError;
use crate::pipeline::options::PipelineOptions;
use crate::pipeline::parameters;
use crate::pipeline::radii::RadiusLimits;
use crate::pipeline::seam::{Pipeline, PipelineKind};

/// Name of the task in a server's hello.
pub(crate) const COUNT_TASK: &str = "count";

/// A pipeline that counts the circles that a detector finds.
#[derive(Debug)]
pub struct CountKind {
    /// The pipeline's name.
    pub name: &'static str,
    /// Builds a detector of all circles with radii within these limits.
    pub detector: fn(RadiusLimits) -> Box<dyn DetectorOfAll>,
}

impl PipelineKind for CountKind {
    fn name(&self) -> &'static str {
        self.name
    }

    fn tasks(&self) -> &'static [&'static str] {
        &[COUNT_TASK]
    }

    fn answers(&self) -> &'static dyn Answers {
        &Counts
    }

    fn looks_for(&self, options: &PipelineOptions, size: Size) -> Option<String> {
        Some(options.radii.in_words(size))
    }

    fn build(&self, options: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError> {
        options.radii.check()?;
        let mut detector = (self.detector)(options.radii);
        parameters::check(detector.parameters(), &options.parameters)
            .map_err(PipelineError::of_parameter(self.name))?;
        options.parameters.iter().for_each(|(name, value)| detector.set(name, *value));
        Ok(Box::new(CountPipeline::new(detector)))
    }
}
