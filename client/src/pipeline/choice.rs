//! Detectors by name: the one place where all of them are listed.

use super::classic::{self, Classic};
use super::detector::Detector;
use super::hough::{self, Hough};
use super::radii::{RadiusError, RadiusLimits};

/// Names [`DetectorChoice`] knows, in the order to show them.
pub const NAMES: [&str; 2] = [hough::NAME, classic::NAME];

/// A detector by name and the radii it looks for, checked: builds as many of them as there are threads.
#[derive(Clone, Copy, Debug)]
pub struct DetectorChoice {
    build: fn(RadiusLimits) -> Box<dyn Detector>,
    limits: RadiusLimits,
}

impl DetectorChoice {
    /// The detector called `name`, looking for radii within `limits`.
    ///
    /// # Errors
    /// [`DetectorError::Unknown`] for a name not in [`NAMES`]; [`DetectorError::Radius`] for limits no circle can meet.
    pub fn new(name: &str, limits: RadiusLimits) -> Result<Self, DetectorError> {
        limits.check()?;
        match name {
            hough::NAME => Ok(Self { build: |limits| Box::new(Hough::new(limits)), limits }),
            classic::NAME => Ok(Self { build: |limits| Box::new(Classic::new(limits)), limits }),
            _ => Err(DetectorError::Unknown { name: name.to_owned() }),
        }
    }

    /// A new detector with scratch memory of its own.
    #[must_use]
    pub fn build(&self) -> Box<dyn Detector> {
        (self.build)(self.limits)
    }
}

/// Why a detector could not be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DetectorError {
    /// No detector has this name.
    #[error("no detector is called {name:?}; there is {}", NAMES.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// The radius limits make no sense.
    #[error(transparent)]
    Radius(#[from] RadiusError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(name: &str) -> Result<DetectorChoice, DetectorError> {
        DetectorChoice::new(name, RadiusLimits::default())
    }

    #[test]
    fn every_listed_name_builds_a_detector_of_that_name() {
        for name in NAMES {
            let detector = choice(name).expect("listed").build();
            assert_eq!(detector.name(), name);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = choice("oracle").expect_err("unknown");
        assert_eq!(error.to_string(), "no detector is called \"oracle\"; there is hough, hough-classic");
    }
}
