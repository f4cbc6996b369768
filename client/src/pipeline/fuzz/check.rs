//! What holds of every answer.

use ndarray::Array2;
use shared::geometry::Size;

use super::recipe::Recipe;
use crate::pipeline::classic;
use crate::pipeline::detector::Estimate;
use crate::pipeline::detectors::{DetectorChoice, detector_names};

/// Most pixels of a frame `hough-classic` looks at: each of its edge pixels votes at every radius, which takes seconds.
const MAX_CLASSIC_PIXELS: usize = 1 << 14;

/// Shows the frame the bytes describe to each detector.
///
/// # Panics
/// When a detector does, or when it breaks its word: numbers are finite, the radius is above 0 and within the limits,
/// the centre is inside the frame or on its border, and the same pixels give the same answer, whatever came before and
/// however they lie.
pub fn check(bytes: &[u8]) {
    let recipe = Recipe::read(bytes);
    let picture = recipe.picture();
    let is_small = picture.len() <= MAX_CLASSIC_PIXELS;
    for name in detector_names().filter(|name| is_small || *name != classic::NAME) {
        // Limits no circle can meet never come to a detector.
        if let Ok(choice) = DetectorChoice::new(name, recipe.limits) {
            check_detector(&recipe, &choice, &picture);
        }
    }
}

fn check_detector(recipe: &Recipe<'_>, choice: &DetectorChoice, picture: &Array2<u8>) {
    let mut fresh = choice.build();
    let answer = fresh.detect(picture.view());
    if let Some(estimate) = answer {
        check_estimate(recipe, fresh.name(), estimate);
    }
    let mut used = choice.build();
    used.detect(picture.mapv(|gray| 255 - gray).t());
    recipe.layout.show(picture, |view| {
        for _ in 0..2 {
            assert_eq!(used.detect(view), answer, "{}: another answer for the same pixels", used.name());
        }
    });
}

fn check_estimate(recipe: &Recipe<'_>, name: &str, estimate: Estimate) {
    let Estimate { circle, covariance } = estimate;
    let numbers = [circle.x, circle.y, circle.radius];
    let numbers = numbers.into_iter().chain(covariance.iter().flat_map(|c| [c.xx, c.xy, c.yy]));
    assert!(numbers.into_iter().all(f64::is_finite), "{name}: not finite: {estimate:?}");
    assert!(covariance.is_none_or(|c| c.xx >= 0.0 && c.yy >= 0.0), "{name}: no variance: {estimate:?}");
    // A disc whose centre is on the border may be estimated a little beyond it.
    let inside = |at: f64, length: u32| (-0.75..=f64::from(length) - 0.25).contains(&at);
    let Size { width, height } = recipe.size;
    assert!(inside(circle.x, width) && inside(circle.y, height), "{name}: outside {width}x{height}: {estimate:?}");
    let range = recipe.limits.range(recipe.size).expect("a circle was found, so there are radii to look for");
    let slack = slack_px(name, circle.radius);
    assert!(circle.radius > 0.0, "{name}: no radius: {estimate:?}");
    assert!(
        (range.min() - slack..=range.max() + slack).contains(&circle.radius),
        "{name}: beyond {range:?}: {estimate:?}"
    );
}

/// How far a radius may be beyond the limits, in pixels.
fn slack_px(name: &str, radius: f64) -> f64 {
    match name {
        // Limits are widened to whole pixels, an empty range to two.
        classic::NAME => 3.0,
        // A limit names a true radius, not an estimate.
        _ => 0.02 * radius + 0.5,
    }
}
