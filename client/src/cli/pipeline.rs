//! The options that choose a pipeline or a detector.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use shared::lens::Correction;
use shared::text::Escaped;
use shared::tuned::Tuned;

use super::headings::PIPELINE;
use crate::pipeline::{
    AUTO, DEFAULT_TIMEOUT, DetectorChoice, Parameters, PipelineChoice, PipelineError, PipelineOptions, RadiusLimits,
    detector_names, exec, timeout,
};

/// The pipeline and its radii.
#[derive(Debug, Args)]
pub struct PipelineArgs {
    /// Pipeline that answers the frames: hough (finds circles and counts them); hough-classic (OpenCV's plain gradient
    /// method, for comparison); ack (only acknowledges frames); annotate (draws what hough finds into the frame); edges
    /// (Canny's edges); exec:COMMAND (your own program, in any language: docs/exec.md); or auto (hough, ack or
    /// annotate, as the server's task requires)
    #[arg(long, help_heading = PIPELINE, visible_alias = "detector", value_name = "NAME", default_value = AUTO, value_parser = pipeline)]
    pub pipeline: String,

    /// With exec:COMMAND: longest time that the program may take for a frame, at most half of the server's deadline. If
    /// it takes longer, the frame counts as dropped and the program is started again [default: 1s]
    #[arg(long, help_heading = PIPELINE, value_name = "DURATION", value_parser = timeout)]
    pub pipeline_timeout: Option<Duration>,

    /// Correct each circle before it is answered, with the correction.toml that server calibrate wrote
    #[arg(long, help_heading = PIPELINE, value_name = "FILE", value_parser = correction)]
    pub correct: Option<Arc<Correction>>,

    /// Use the setting that server tune found: the pipeline and the parameters of its best.toml. --min-radius and
    /// --max-radius override it
    #[arg(long, help_heading = PIPELINE, value_name = "FILE", value_parser = settings)]
    pub detector_options: Option<Arc<Tuned>>,

    /// The radii.
    #[command(flatten)]
    pub radii: RadiusArgs,
}

impl PipelineArgs {
    /// Checks the options and returns the pipeline.
    pub fn choice(&self) -> Result<PipelineChoice, PipelineError> {
        let settings = self.detector_options.as_deref().map(|tuned| self.settings(tuned)).transpose()?;
        let (name, set) = settings.unwrap_or_else(|| (self.pipeline.clone(), Parameters::new()));
        let timeout = self.pipeline_timeout.unwrap_or(DEFAULT_TIMEOUT);
        if self.pipeline_timeout.is_some() && !name.starts_with(exec::PREFIX) {
            return Err(PipelineError::OnlyPrograms { pipeline: name });
        }
        let (radii, parameters) = self.radii.limits().or(set);
        let correction = self.correct.clone();
        let options = PipelineOptions { radii, parameters, timeout, correction, ..Default::default() };
        PipelineChoice::new(&name, options)
    }

    /// The name of the pipeline of these settings, and its parameters.
    fn settings(&self, tuned: &Tuned) -> Result<(String, Parameters), PipelineError> {
        if self.pipeline != AUTO && self.pipeline != tuned.pipeline {
            let (settings, pipeline) = (tuned.pipeline.clone(), self.pipeline.clone());
            return Err(PipelineError::OtherPipeline { settings, pipeline });
        }
        if tuned.pipeline.starts_with(exec::PREFIX) {
            return Ok((tuned.command(), Parameters::new()));
        }
        if tuned.pipeline.contains(".py:") {
            let why = format!(
                "the settings are for the Python function {}: pass them to it in Python, as docs/tune.md shows",
                Escaped(&tuned.pipeline)
            );
            return Err(PipelineError::Settings(why));
        }
        let numbers = tuned.numbers().map_err(PipelineError::Settings)?;
        Ok((tuned.pipeline.clone(), numbers.into_iter().collect()))
    }
}

/// The detector and the radii it looks for.
#[derive(Debug, Args)]
pub struct DetectorArgs {
    /// Detector to use: hough; hough-classic (OpenCV's plain gradient method, for comparison); or auto (hough)
    #[arg(long, help_heading = PIPELINE, visible_alias = "pipeline", value_name = "NAME", default_value = AUTO, value_parser = detector)]
    pub detector: String,

    /// The radii.
    #[command(flatten)]
    pub radii: RadiusArgs,
}

impl DetectorArgs {
    /// Checks the options and returns the detector.
    pub fn choice(&self) -> Result<DetectorChoice, PipelineError> {
        let name = match self.detector.as_str() {
            AUTO => detector_names().next().unwrap_or_default(),
            name => name,
        };
        DetectorChoice::new(name, self.radii.limits())
    }
}

/// The radii to look for.
#[derive(Debug, Args)]
pub struct RadiusArgs {
    /// Smallest radius to look for, in px [default: 8, or 1/60 of the frame's shorter side if that is larger]
    #[arg(long, help_heading = PIPELINE, value_name = "PX", value_parser = radius)]
    pub min_radius: Option<f64>,

    /// Largest radius to look for, in px [default: 1/2 of the frame's shorter side]
    #[arg(long, help_heading = PIPELINE, value_name = "PX", value_parser = radius)]
    pub max_radius: Option<f64>,
}

impl RadiusArgs {
    /// The limits, not yet checked.
    pub fn limits(&self) -> RadiusLimits {
        RadiusLimits { min: self.min_radius, max: self.max_radius }
    }
}

fn settings(file: &str) -> Result<Arc<Tuned>, String> {
    Tuned::read(Path::new(file)).map(Arc::new).map_err(|wrong| wrong.to_string())
}

fn correction(file: &str) -> Result<Arc<Correction>, String> {
    Correction::read(Path::new(file)).map(Arc::new).map_err(|wrong| wrong.to_string())
}

fn pipeline(text: &str) -> Result<String, String> {
    known(text, PipelineChoice::new(text, PipelineOptions::default()))
}

fn detector(text: &str) -> Result<String, String> {
    match text {
        AUTO => Ok(text.to_owned()),
        name => known(name, DetectorChoice::new(name, RadiusLimits::default())),
    }
}

fn known<T>(name: &str, chosen: Result<T, PipelineError>) -> Result<String, String> {
    match chosen {
        Ok(_) => Ok(name.to_owned()),
        Err(PipelineError::Unknown { known, .. }) => Err(format!("\"{name}\" is not a pipeline: write one of {known}")),
        Err(PipelineError::UnknownDetector { known, .. }) => {
            Err(format!("\"{name}\" is not a detector of circles: write one of {AUTO}, {known}"))
        }
        Err(other) => Err(other.to_string()),
    }
}

fn radius(text: &str) -> Result<f64, String> {
    let px = text.parse().ok().filter(|px: &f64| px.is_finite() && *px > 0.0);
    px.ok_or_else(|| format!("\"{text}\" is not a radius in px: write a number above 0, for example 8"))
}
