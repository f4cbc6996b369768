//! Detectors of circles by name, for those who want a detector itself.

use super::circle::CircleKind;
use super::detector::{Detector, DetectorOfAll};
use super::error::PipelineError;
use super::list::DETECTORS;
use super::radii::RadiusLimits;

/// A detector by name and the radii it looks for, checked.
#[derive(Clone, Copy, Debug)]
pub struct DetectorChoice {
    kind: &'static CircleKind,
    limits: RadiusLimits,
}

impl DetectorChoice {
    /// The detector called `name`, looking for radii within `limits`.
    ///
    /// # Errors
    /// [`PipelineError::UnknownDetector`] for a name not among [`detector_names`]; [`PipelineError::Radius`] for limits
    /// no circle can meet.
    pub fn new(name: &str, limits: RadiusLimits) -> Result<Self, PipelineError> {
        limits.check()?;
        let unknown = || PipelineError::UnknownDetector { name: name.to_owned(), known: names().join(", ") };
        let kind = DETECTORS.iter().find(|kind| kind.name == name).ok_or_else(unknown)?;
        Ok(Self { kind, limits })
    }

    /// The detector's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind.name
    }

    /// A new detector with scratch memory of its own.
    #[must_use]
    pub fn build(&self) -> Box<dyn Detector> {
        (self.kind.detector)(self.limits)
    }

    /// Builds the chosen detector as a detector of all circles.
    ///
    /// # Errors
    /// [`PipelineError::FindsOne`] if it finds only one circle in a frame.
    pub fn build_all(&self) -> Result<Box<dyn DetectorOfAll>, PipelineError> {
        let Some(counting) = self.kind.counting else {
            let able = DETECTORS.iter().find(|kind| kind.counting.is_some()).map_or("none", |kind| kind.name);
            return Err(PipelineError::FindsOne { detector: self.kind.name, able });
        };
        Ok((counting.detector)(self.limits))
    }
}

/// The names of all detectors; the first is the default.
pub fn detector_names() -> impl Iterator<Item = &'static str> {
    DETECTORS.iter().map(|kind| kind.name)
}

fn names() -> Vec<&'static str> {
    detector_names().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_builds_a_detector_of_that_name() {
        for name in detector_names() {
            let detector = DetectorChoice::new(name, RadiusLimits::default()).expect("listed").build();
            assert_eq!(detector.name(), name);
        }
    }

    #[test]
    fn a_detector_that_finds_one_circle_is_refused_as_a_detector_of_all() {
        let choice = |name| DetectorChoice::new(name, RadiusLimits::default()).expect("listed");
        assert!(choice("hough").build_all().is_ok());
        let refused = choice("hough-classic").build_all().err().expect("it finds one").to_string();
        assert_eq!(refused, "hough-classic finds one circle in a frame; hough finds all");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = DetectorChoice::new("ack", RadiusLimits::default()).expect_err("it finds no circle");
        assert_eq!(error.to_string(), "no detector of circles is called \"ack\"; there is hough, hough-classic");
    }
}
