//! Each picture on which the detector was once wrong is measured within the tolerance listed for it.

use std::path::Path;

use client::pipeline::{DetectorChoice, Estimate, RadiusLimits};
use shared::image::file;

/// A picture and its truth: centre and radius in px, each with a tolerance, and the half-axes, which have the radius's
/// tolerance.
struct Case {
    name: &'static str,
    centre: (f64, f64, f64),
    radius: (f64, f64),
    axes: Option<[f64; 2]>,
}

const fn round(name: &'static str, centre: (f64, f64, f64), radius: (f64, f64)) -> Case {
    Case { name, centre, radius, axes: None }
}

fn cases() -> [Case; 9] {
    let oval = |name, centre, radius: f64, ratio: f64| {
        let axes = Some([radius * ratio.sqrt(), radius / ratio.sqrt()]);
        // A radius is known better than a coordinate of the centre.
        Case { name, centre, radius: (radius, centre.2), axes }
    };
    [
        round("large_disc_64x64", (33.0, 35.0, 0.05), (17.6, 0.3)),
        round("large_disc_300x300", (150.0, 150.0, 0.05), (100.1, 0.3)),
        round("outline_1px", (150.0, 150.0, 0.1), (60.0, 0.6)),
        // The radius is that of the stroke's middle.
        round("outline_4px", (300.25, 200.5, 0.02), (50.0, 0.05)),
        oval("ellipse_r70_1.01", (320.3, 239.8, 0.01), 70.0, 1.01),
        oval("ellipse_r200_1.001", (960.3, 539.8, 0.01), 200.0, 1.001),
        oval("ellipse_r40_1.02_noise3", (320.3, 239.8, 0.02), 40.0, 1.02),
        Case {
            name: "perspective_mild",
            centre: (164.005, 160.112, 0.05),
            radius: (68.71, 0.05),
            axes: Some([69.98, 67.47]),
        },
        round("shaded_ball", (160.3, 119.8, 0.15), (40.0, 0.5)),
    ]
}

fn detect(name: &str) -> Option<Estimate> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(format!("{name}.png"));
    let gray = file::read_any(&path).expect("a picture").into_gray_levels();
    DetectorChoice::new("hough", RadiusLimits::default()).expect("the defaults").build().detect(gray.view())
}

/// Describes what is wrong with an answer. Empty if it is right.
fn wrong(case: &Case, found: Option<Estimate>) -> String {
    let Some(found) = found else { return format!("{}: no circle", case.name) };
    let (x, y, tolerance) = case.centre;
    let circle = found.circle;
    let centre_off = (circle.x - x).abs().max((circle.y - y).abs());
    let radius_off = (circle.radius - case.radius.0).abs();
    let axes_off = match (case.axes, found.ellipse) {
        (None, _) => 0.0,
        (Some(_), None) => f64::INFINITY,
        (Some([a, b]), Some(found)) => (found.axes[0] - a).abs().max((found.axes[1] - b).abs()),
    };
    let right = centre_off <= tolerance && radius_off <= case.radius.1 && axes_off <= case.radius.1;
    if right { String::new() } else { format!("{}: {found:?}", case.name) }
}

#[test]
fn each_case_is_measured_within_its_tolerance() {
    let all: Vec<String> = cases().iter().map(|case| wrong(case, detect(case.name))).collect();
    let wrong: Vec<&String> = all.iter().filter(|wrong| !wrong.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
