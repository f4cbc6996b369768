//! The radii to look for: the limits that the user gave, the range in frames of one size, and why a range is refused.

use shared::geometry::Size;

use super::parameters::Parameters;

/// Smallest radius looked for when none is given, in pixels.
///
/// Eight pixels are two cells of the 4x reduced image in which circles are first sought: the smallest ring whose
/// gradients still point at its centre.
pub const DEFAULT_MIN_RADIUS_PX: f64 = 8.0;

/// Smallest radius looked for when none is given, as a part of the frame's shorter side. It applies where it is larger
/// than [`DEFAULT_MIN_RADIUS_PX`], from 480 rows on. The search then takes about the same number of cells at every
/// frame size.
pub const DEFAULT_MIN_RADIUS_OF_SIDE: f64 = 1.0 / 60.0;

/// Smallest radius looked for when none is given, in frames whose shorter side is under 32 px, as a part of that side.
/// It is below 8 px there, and is the radius of the server's default ball.
const DEFAULT_MIN_OF_SMALL_SIDE: f64 = 0.25;

/// Largest radius looked for when none is given, as a part of the frame's shorter side.
pub const DEFAULT_MAX_RADIUS_OF_SIDE: f64 = 0.5;

/// Smallest ratio of the half-axes of an ellipse that is found, unless it is set. A disc seen at 57° to its axis has
/// it.
pub const DEFAULT_MIN_AXIS_RATIO: f64 = 0.55;

/// Smallest ratio that can be set: below it, an ellipse of the smallest radius is thinner than its own edge.
pub const MIN_AXIS_RATIO: f64 = 0.1;

/// Why no circle can have a radius within the given limits.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum RadiusError {
    /// A limit is NaN or infinite.
    #[error("a radius limit of {got} px is not a number; give a finite one, such as 8")]
    NotFinite {
        /// The limit, in pixels.
        got: f64,
    },
    /// A limit is zero or negative.
    #[error("a radius limit of {got} px is too small; it must be above 0 px")]
    NotPositive {
        /// The limit, in pixels.
        got: f64,
    },
    /// The smallest radius exceeds the largest.
    #[error("the smallest radius, {min} px, exceeds the largest, {max} px; it must be at most that")]
    Reversed {
        /// The smallest radius, in pixels.
        min: f64,
        /// The largest radius, in pixels.
        max: f64,
    },
}

/// An interval of radii, `min..=max`, in pixels: finite, positive and not empty; and the least ratio of the half-axes of
/// ellipses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RadiusRange {
    min: f64,
    max: f64,
    min_axis_ratio: f64,
}

impl RadiusRange {
    /// The range `min..=max`, in pixels.
    ///
    /// # Errors
    /// [`RadiusError`] unless both are finite, `min` is above 0 and `min <= max`.
    pub fn new(min: f64, max: f64) -> Result<Self, RadiusError> {
        check_radius(min)?;
        check_radius(max)?;
        if min > max {
            return Err(RadiusError::Reversed { min, max });
        }
        Ok(Self { min, max, min_axis_ratio: DEFAULT_MIN_AXIS_RATIO })
    }

    /// The same radii, for ellipses whose half-axes have at least this ratio, above 0 and at most 1.
    #[must_use]
    pub fn with_min_axis_ratio(self, min_axis_ratio: f64) -> Self {
        Self { min_axis_ratio, ..self }
    }

    /// Smallest ratio of the half-axes of an ellipse, above 0 and at most 1.
    #[must_use]
    pub fn min_axis_ratio(self) -> f64 {
        self.min_axis_ratio
    }

    /// The default range for a frame of this size: from 8 px, or 1/60 of the shorter side if that is larger, to 1/2 of
    /// the shorter side.
    ///
    /// In frames under 32 px, the range begins with 1/4 of the shorter side.
    #[must_use]
    pub fn for_size(size: Size) -> Option<Self> {
        RadiusLimits::default().range(size)
    }

    /// Smallest radius, in pixels, above 0.
    #[must_use]
    pub fn min(self) -> f64 {
        self.min
    }

    /// Largest radius, in pixels, at least [`min`](Self::min).
    #[must_use]
    pub fn max(self) -> f64 {
        self.max
    }
}

/// Radii asked for, in pixels; `None` leaves the default for the frame's size.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RadiusLimits {
    /// Smallest radius; by default [`DEFAULT_MIN_RADIUS_PX`] or [`DEFAULT_MIN_RADIUS_OF_SIDE`], the larger.
    pub min: Option<f64>,
    /// Largest radius; by default [`DEFAULT_MAX_RADIUS_OF_SIDE`] of the shorter side.
    pub max: Option<f64>,
}

impl RadiusLimits {
    /// The range to search in a frame of this size; `None` when the limits and the defaults leave nothing.
    #[must_use]
    pub fn range(self, size: Size) -> Option<RadiusRange> {
        let shorter_px = f64::from(size.width.min(size.height));
        let min = self.min.unwrap_or_else(|| default_min_radius_px(shorter_px));
        let max = self.max.unwrap_or(shorter_px * DEFAULT_MAX_RADIUS_OF_SIDE);
        // In a small frame, the default range begins with the server's default ball.
        let min = if self == Self::default() { min.min(shorter_px * DEFAULT_MIN_OF_SMALL_SIDE) } else { min };
        RadiusRange::new(min, max).ok()
    }

    /// Fills in missing limits from the parameters `min_radius` and `max_radius`. Also returns the other parameters.
    #[must_use]
    pub fn or(self, mut parameters: Parameters) -> (Self, Parameters) {
        let (min, max) = (parameters.remove("min_radius"), parameters.remove("max_radius"));
        (Self { min: self.min.or(min), max: self.max.or(max) }, parameters)
    }

    /// Says what is looked for in frames of this size, and which options change that.
    pub(super) fn in_words(self, size: Size) -> String {
        let range = self.range(size).map_or_else(
            || format!("no radius is left in frames of {size}"),
            |range| {
                let (min, max) = (range.min(), range.max());
                format!("circles of radius {min:.1} to {max:.1} px, brighter or darker than what is around")
            },
        );
        format!("{range}; --min-radius and --max-radius change that")
    }

    /// Checks that some frame could hold a circle within these limits.
    ///
    /// # Errors
    /// [`RadiusError`] names the limit that no circle can meet.
    pub(super) fn check(self) -> Result<(), RadiusError> {
        let given = self.min.or(self.max).unwrap_or(DEFAULT_MIN_RADIUS_PX);
        let min = self.min.unwrap_or_else(|| given.min(DEFAULT_MIN_RADIUS_PX));
        let max = self.max.unwrap_or(min);
        RadiusRange::new(min, max).map(|_| ())
    }
}

fn default_min_radius_px(shorter_px: f64) -> f64 {
    DEFAULT_MIN_RADIUS_PX.max(shorter_px * DEFAULT_MIN_RADIUS_OF_SIDE)
}

fn check_radius(px: f64) -> Result<(), RadiusError> {
    match px {
        _ if !px.is_finite() => Err(RadiusError::NotFinite { got: px }),
        _ if px <= 0.0 => Err(RadiusError::NotPositive { got: px }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(min: Option<f64>, max: Option<f64>) -> String {
        RadiusLimits { min, max }.check().err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn impossible_limits_are_refused_with_a_reason() {
        assert!(refused(Some(f64::NAN), None).contains("not a number"));
        assert!(refused(None, Some(f64::INFINITY)).contains("not a number"));
        assert!(refused(Some(0.0), None).contains("above 0"));
        assert!(refused(None, Some(-3.0)).contains("above 0"));
        assert!(refused(Some(20.0), Some(10.0)).contains("20 px, exceeds the largest, 10 px"));
    }

    #[test]
    fn radii_among_the_parameters_take_the_places_of_missing_limits() {
        let parameters: Parameters = [("min_radius", 5.0), ("max_radius", 9.0), ("param1", 50.0)]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
        let (limits, rest) = RadiusLimits { min: Some(4.0), max: None }.or(parameters);
        assert_eq!((limits, rest.len()), (RadiusLimits { min: Some(4.0), max: Some(9.0) }, 1));
    }

    #[test]
    fn the_default_range_is_a_sixtieth_to_half_of_the_shorter_side_and_at_least_eight_pixels() {
        let range = RadiusRange::for_size(Size { width: 640, height: 480 }).expect("not empty");
        assert_eq!((range.min(), range.max()), (8.0, 240.0));
        let range = RadiusRange::for_size(Size { width: 1920, height: 1080 }).expect("not empty");
        assert_eq!((range.min(), range.max()), (18.0, 540.0));
        let range = RadiusRange::for_size(Size { width: 640, height: 12 }).expect("not empty");
        assert_eq!((range.min(), range.max()), (3.0, 6.0));
    }
}
