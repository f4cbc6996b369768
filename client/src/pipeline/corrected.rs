//! A pipeline whose answers go through a correction (`--correct`).

use std::f64::consts::PI;
use std::sync::Arc;

use shared::geometry::{CircleEstimate, Size};
use shared::lens::correction::Corrected as Place;
use shared::lens::{Correction, CorrectionError};
use shared::protocol::message::{Ellipse, FoundCircle, Payload};
use thiserror::Error;

use super::frame::Frame;
use super::seam::Pipeline;

/// The task whose answers can be corrected.
const TASK: &str = "circle";

/// Why a correction does not go with a stream.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NotCorrected {
    /// The frames have another size.
    #[error("--correct: {0}")]
    Size(#[from] CorrectionError),
    /// The answers are not circles.
    #[error("--correct corrects circles, and the server's task is \"{task}\": leave it out, or serve the task circle")]
    Task {
        /// The task, escaped.
        task: String,
    },
}

/// Checks that a correction goes with a stream.
pub(super) fn check(correction: &Correction, task: &str, size: Size) -> Result<(), NotCorrected> {
    if task != TASK {
        return Err(NotCorrected::Task { task: task.escape_default().take(64).collect() });
    }
    Ok(correction.check(size)?)
}

/// A pipeline whose answers are corrected.
pub(super) struct Corrected {
    inner: Box<dyn Pipeline>,
    correction: Arc<Correction>,
}

impl Corrected {
    pub(super) fn new(inner: Box<dyn Pipeline>, correction: Arc<Correction>) -> Self {
        Self { inner, correction }
    }
}

impl Pipeline for Corrected {
    fn answer(&mut self, frame: &Frame<'_>) -> Payload<'static> {
        corrected_answer(self.inner.answer(frame), &self.correction)
    }

    fn prepare(&mut self) {
        self.inner.prepare();
    }

    fn is_intact(&self) -> bool {
        self.inner.is_intact()
    }
}

/// The corrected answer. An answer without a circle stays as it is, and so does a circle where the correction has no
/// value.
pub fn corrected_answer(answer: Payload<'static>, correction: &Correction) -> Payload<'static> {
    let Ok(Some(FoundCircle { circle, covariance })) = FoundCircle::read(&answer) else { return answer };
    let Some(place) = correction.apply([circle.x, circle.y], circle.radius) else { return answer };
    let [x, y] = place.centre;
    let circle = CircleEstimate { x, y, radius: circle.radius.map(|radius| radius * place.scale) };
    let covariance = covariance.map(|covariance| place.covariance(covariance));
    let ellipse = Ellipse::read(&answer).ok().flatten().map(|ellipse| ellipse_of(ellipse, &place));
    let written = FoundCircle::write(Some(FoundCircle { circle, covariance }));
    match ellipse {
        Some(ellipse) => ellipse.add_to(written),
        None => written,
    }
}

/// The ellipse's image under the correction, to first order: its matrix of second moments transforms like a covariance.
fn ellipse_of(Ellipse { axes: [a, b], angle }: Ellipse, place: &Place) -> Ellipse {
    let (sin, cos) = angle.sin_cos();
    let (a, b) = (a * a, b * b);
    let moments = shared::geometry::Covariance {
        xx: a * cos * cos + b * sin * sin,
        xy: (a - b) * sin * cos,
        yy: a * sin * sin + b * cos * cos,
    };
    let shared::geometry::Covariance { xx, xy, yy } = place.covariance(moments);
    let (middle, half) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
    let turned = 0.5 * (2.0 * xy).atan2(xx - yy);
    let angle = if turned < 0.0 { turned + PI } else { turned };
    // Rounding must not leave the range of angles, nor make the shorter axis vanish.
    let angle = if angle < PI { angle } else { 0.0 };
    let shorter = (middle - half).max(f64::MIN_POSITIVE);
    Ellipse { axes: [(middle + half).sqrt(), shorter.sqrt()], angle }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Covariance;
    use shared::lens::Form;
    use shared::lens::correction::Target;

    use super::*;

    const SIZE: Size = Size { width: 640, height: 480 };

    fn correction(form: Form, parameters: &[f64]) -> Correction {
        Correction::new(form, parameters, Some(SIZE), Target::Point)
    }

    #[test]
    fn a_circle_is_corrected_with_its_covariance_its_radius_and_its_ellipse() {
        // A picture that was turned by 90° and doubled in size.
        let turned = correction(Form::Similarity, &[2.0, std::f64::consts::FRAC_PI_2, 100.0, 0.0]);
        let circle = CircleEstimate { x: 100.0 - 2.0 * 7.0, y: 2.0 * 5.0, radius: Some(30.0) };
        let covariance = Some(Covariance { xx: 0.4, xy: 0.04, yy: 0.8 });
        let answer = FoundCircle::write(Some(FoundCircle { circle, covariance }));
        let answer = Ellipse { axes: [32.0, 28.0], angle: 0.0 }.add_to(answer);
        let answer = corrected_answer(answer, &turned);
        let found = FoundCircle::read(&answer).expect("an answer").expect("a circle");
        assert!((found.circle.x - 5.0).hypot(found.circle.y - 7.0) < 1e-12, "{found:?}");
        assert!((found.circle.radius.expect("a radius") - 15.0).abs() < 1e-12);
        let covariance = found.covariance.expect("a covariance");
        let expected = [0.2, -0.01, 0.1];
        for (found, expected) in [covariance.xx, covariance.xy, covariance.yy].iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{covariance:?}");
        }
        let ellipse = Ellipse::read(&answer).expect("valid").expect("an ellipse");
        assert!((ellipse.axes[0] - 16.0).abs() < 1e-9 && (ellipse.axes[1] - 14.0).abs() < 1e-9, "{ellipse:?}");
        assert!((ellipse.angle - std::f64::consts::FRAC_PI_2).abs() < 1e-9, "{ellipse:?}");
    }

    #[test]
    fn other_answers_stay_unchanged_and_unsuitable_streams_are_refused() {
        let shifted = correction(Form::Offset, &[1.0, 0.0]);
        for answer in [Payload::dropped(), FoundCircle::write(None), Payload::new("dance")] {
            assert_eq!(corrected_answer(answer.clone(), &shifted), answer);
        }
        assert_eq!(check(&shifted, "circle", SIZE), Ok(()));
        let task = check(&shifted, "count", SIZE).expect_err("another task").to_string();
        assert!(task.contains("the server's task is \"count\""), "{task}");
        let size = check(&shifted, "circle", Size { width: 64, height: 48 }).expect_err("another size").to_string();
        assert!(size.contains("images of 640x480, and the frames are 64x48"), "{size}");
    }
}
