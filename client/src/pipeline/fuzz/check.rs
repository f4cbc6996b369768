//! Checks the properties that every answer must have.

use ndarray::{Array2, ArrayView2};
use shared::geometry::Size;
use shared::image::Image;

use super::recipe::Recipe;
use crate::pipeline::choice::PipelineChoice;
use crate::pipeline::classic;
use crate::pipeline::detector::Estimate;
use crate::pipeline::detectors::{DetectorChoice, detector_names};
use crate::pipeline::options::PipelineOptions;

/// Maximum number of pixels of a frame that `hough-classic` and the pipelines of images are tested on. Each of the
/// former's edge pixels votes at every radius, which takes seconds on larger frames.
const MAX_SLOW_PIXELS: usize = 1 << 14;

/// Shows the frame that the bytes describe to each detector, and to each pipeline of the task `image`.
///
/// # Panics
/// If a detector panics or breaks its contract: numbers are finite, the radius is above 0 and within the limits, the
/// centre is inside the frame or on its border, no two circles hold each other's centre, and the same pixels give the
/// same answer after any earlier frame and in any memory layout. If a pipeline panics.
pub fn check(bytes: &[u8]) {
    let recipe = Recipe::read(bytes);
    let picture = recipe.picture();
    let is_small = picture.len() <= MAX_SLOW_PIXELS;
    for name in detector_names().filter(|name| is_small || *name != classic::NAME) {
        // Impossible limits never reach a detector.
        if let Ok(choice) = DetectorChoice::new(name, recipe.limits) {
            check_detector(&recipe, &choice, &picture);
            check_all(&recipe, name, &choice, &picture);
        }
    }
    if is_small {
        edit(&recipe, picture);
    }
}

/// Shows the frame to the pipelines of images, in gray, in colour and with 16 bits.
fn edit(recipe: &Recipe<'_>, picture: Array2<u8>) {
    let deep = Image::Gray16(picture.mapv(|level| 251 * u16::from(level)));
    let frame = Image::Gray8(picture);
    for name in ["annotate", "edges"] {
        let choice = PipelineChoice::new(name, PipelineOptions { radii: recipe.limits, ..Default::default() });
        let pipeline = choice.and_then(|choice| choice.for_task("image")?.build());
        if let Ok(mut pipeline) = pipeline {
            let gray = pipeline.answer(&frame.view().into());
            pipeline.answer(&frame.clone().into_bgr().view().into());
            pipeline.answer(&deep.view().into());
            assert_eq!(pipeline.answer(&frame.view().into()), gray, "{name}: another answer for the same pixels");
        }
    }
}

fn check_all(recipe: &Recipe<'_>, name: &str, choice: &DetectorChoice, picture: &Array2<u8>) {
    let Ok(mut detector) = choice.build_all() else { return };
    let mut look = |view: ArrayView2<'_, u8>| {
        let mut found = Vec::new();
        detector.detect_all(view, &mut found);
        found
    };
    let all = look(picture.view());
    for (i, estimate) in all.iter().enumerate() {
        check_estimate(recipe, name, *estimate);
        let apart = |other: &Estimate| {
            let (one, other) = (estimate.circle, other.circle);
            (one.x - other.x).hypot(one.y - other.y) >= one.radius.max(other.radius)
        };
        assert!(all[..i].iter().all(apart), "{name}: a disc found twice: {all:?}");
    }
    look(picture.mapv(|gray| 255 - gray).t());
    recipe.layout.show(picture, |view| assert_eq!(look(view), all, "{name}: other discs in the same pixels"));
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
    let Estimate { circle, ellipse, covariance } = estimate;
    let numbers = [circle.x, circle.y, circle.radius];
    let numbers = numbers.into_iter().chain(covariance.iter().flat_map(|c| [c.xx, c.xy, c.yy]));
    assert!(numbers.into_iter().all(f64::is_finite), "{name}: not finite: {estimate:?}");
    assert!(covariance.is_none_or(|c| c.xx >= 0.0 && c.yy >= 0.0), "{name}: negative variance: {estimate:?}");
    let is_ellipse = |axes: [f64; 2], angle: f64| {
        axes[0].is_finite() && axes[0] >= axes[1] && axes[1] > 0.0 && (0.0..std::f64::consts::PI).contains(&angle)
    };
    assert!(ellipse.is_none_or(|e| is_ellipse(e.axes, e.angle)), "{name}: no ellipse: {estimate:?}");
    // The estimate of a disc with its centre on the border may be a little outside.
    let inside = |at: f64, length: u32| (-0.75..=f64::from(length) - 0.25).contains(&at);
    let Size { width, height } = recipe.size;
    assert!(inside(circle.x, width) && inside(circle.y, height), "{name}: outside {width}x{height}: {estimate:?}");
    let range = recipe.limits.range(recipe.size).expect("a circle was found, so there are radii to search");
    let slack = slack_px(name, circle.radius);
    assert!(circle.radius > 0.0, "{name}: radius not above 0: {estimate:?}");
    assert!(
        (range.min() - slack..=range.max() + slack).contains(&circle.radius),
        "{name}: radius outside {range:?}: {estimate:?}"
    );
}

/// How far a radius may be outside the limits, in px.
fn slack_px(name: &str, radius: f64) -> f64 {
    match name {
        // `hough-classic` widens limits to whole pixels, and an empty range to two pixels.
        classic::NAME => 3.0,
        // Limits apply to the true radius; an estimate may be a little off.
        _ => 0.02 * radius + 0.5,
    }
}
