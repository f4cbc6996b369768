//! Makes a kind of pipeline from a detector.

use shared::geometry::Size;
use shared::protocol::message::CIRCLE_TASK;

use super::answers::Circles;
use super::pipeline::CirclePipeline;
use crate::pipeline::answers::Answers;
use crate::pipeline::count::{COUNT_TASK, CountKind};
use crate::pipeline::detector::Detector;
use crate::pipeline::error::PipelineError;
use crate::pipeline::options::PipelineOptions;
use crate::pipeline::parameters::{self, Parameter};
use crate::pipeline::radii::RadiusLimits;
use crate::pipeline::seam::{Pipeline, PipelineKind};

/// A pipeline that finds a circle with a detector.
#[derive(Debug)]
pub struct CircleKind {
    /// The pipeline's name.
    pub name: &'static str,
    /// Builds a detector of circles with radii within these limits.
    pub detector: fn(RadiusLimits) -> Box<dyn Detector>,
    /// What the pipeline does for the task `count`, if its detector finds all circles too.
    pub counting: Option<&'static CountKind>,
}

impl PipelineKind for CircleKind {
    fn name(&self) -> &'static str {
        self.name
    }

    fn tasks(&self) -> &'static [&'static str] {
        if self.counting.is_some() { &[CIRCLE_TASK, COUNT_TASK] } else { &[CIRCLE_TASK] }
    }

    fn of_task(&self, task: &str) -> Option<&'static dyn PipelineKind> {
        self.counting.filter(|_| task == COUNT_TASK).map(|counting| -> &'static dyn PipelineKind { counting })
    }

    fn answers(&self) -> &'static dyn Answers {
        &Circles
    }

    fn looks_for(&self, options: &PipelineOptions, size: Size) -> Option<String> {
        Some(options.radii.in_words(size))
    }

    fn parameters(&self) -> &'static [Parameter] {
        (self.detector)(RadiusLimits::default()).parameters()
    }

    fn build(&self, options: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError> {
        options.radii.check()?;
        let mut detector = (self.detector)(options.radii);
        parameters::check(detector.parameters(), &options.parameters)
            .map_err(PipelineError::of_parameter(self.name))?;
        options.parameters.iter().for_each(|(name, value)| detector.set(name, *value));
        Ok(Box::new(CirclePipeline::new(detector)))
    }
}
