//! Tests of the derivatives of the columns.

use super::super::normal::FORM;
use super::*;
use crate::pipeline::hough::rim::oval::Axes;

const RADIUS: f64 = 20.0;

/// Step of a parameter. At an edge of 0.7 px, the truncation of a difference quotient is then below a thousandth, and
/// single precision adds a tenth of a gray level.
const STEP: f64 = 0.004;

/// Ratios of the half-axes: a circle, and an ellipse.
const RATIOS: [f64; 2] = [1.0, 0.7];

fn model(kind: Kind, ratio: f64) -> Model {
    // An edge's slopes belong to its sectors, whose levels are fitted at the same time.
    let levels =
        if kind == Kind::Ball { [50.0, 60.0, 40.0, -30.0, 90.0, 0.0] } else { [50.0, 160.0, 0.0, 0.0, 0.0, 25.0] };
    Model {
        oval: Oval::with_axes(
            (0.3, -0.2),
            Axes { a: RADIUS / ratio.sqrt(), b: RADIUS * ratio.sqrt(), along: (0.6, -0.8) },
        ),
        kind,
        variance: 0.5,
        stroke: (kind == Kind::Stroke).then_some(3.0),
        levels: [levels; MAX_SECTORS],
        held: false,
    }
}

/// Distances of the pixels from the middle of the disc, as parts of the distance of the outline there.
const DISTANCES: [f64; 8] = [0.3, 0.65, 0.85, 0.925, 0.98, 1.005, 1.045, 1.15];

/// Eight pixels in one direction, from the middle of the disc to the ground beyond its rim.
fn places(model: &Model) -> [(f32, f32); 8] {
    let (x, y) = (0.8, 0.6);
    let [xx, xy, yy] = model.oval.form;
    let outline = (xx * x * x + 2.0 * xy * x * y + yy * y * y).powf(-0.5);
    DISTANCES.map(|part| ((part * outline * x) as f32, (part * outline * y) as f32))
}

/// The columns of these pixels.
fn columns(model: &Model, places: [(f32, f32); 8]) -> Columns {
    let (x, y) = (places.map(|place| place.0), places.map(|place| place.1));
    let mut columns = [[0.0; BLOCK]; COLUMNS];
    let pixels = Block { x: &x, y: &y, gray: &[100.0; 8], weight: &[1.0; 8] };
    let (prepared, levels) = (Prepared::new(model, (0.0, 0.0), 6.0), &model.levels[0]);
    match model.kind {
        Kind::Edge => prepared.fill::<Edges>(&mut columns, pixels, levels),
        Kind::Ball => prepared.fill::<Balls>(&mut columns, pixels, levels),
        Kind::Stroke => prepared.fill::<Strokes>(&mut columns, pixels, levels),
    }
    columns
}

/// The residuals at these pixels after a step of one parameter.
fn residuals(mut model: Model, places: [(f32, f32); 8], parameter: usize, by: f64) -> [f32; 8] {
    let mut step = [0.0; PARAMETERS];
    step[parameter] = by;
    model.oval = model.oval.moved(&step, RADIUS).expect("an ellipse");
    let columns = columns(&model, places);
    std::array::from_fn(|pixel| columns[RESIDUAL][pixel])
}

#[test]
fn derivatives_of_the_light_with_respect_to_the_outline_are_its_difference_quotients() {
    for (kind, ratio) in [Kind::Edge, Kind::Ball, Kind::Stroke].into_iter().flat_map(|kind| RATIOS.map(|r| (kind, r))) {
        let model = model(kind, ratio);
        let places = places(&model);
        let found = columns(&model, places);
        for parameter in 0..PARAMETERS {
            let (after, before) =
                (residuals(model, places, parameter, STEP), residuals(model, places, parameter, -STEP));
            // The depth of an edge is of first order: its derivatives are exact on the outline, and those with respect to
            // a circle's centre everywhere. A ball's are exact everywhere.
            let is_exact = |pixel: &usize| {
                let near = if ratio == 1.0 { 0.05 } else { 0.01 };
                kind == Kind::Ball || parameter < FORM && ratio == 1.0 || (DISTANCES[*pixel] - 1.0).abs() < near
            };
            for pixel in (0..8).filter(is_exact) {
                let quotient = f64::from(before[pixel] - after[pixel]) / (2.0 * STEP);
                let own = f64::from(found[GEOMETRY + parameter][pixel]);
                // A pixel from the outline, which is a twentieth of the radius, an edge's are as much off.
                assert!(
                    (own - quotient).abs() < 1.5 + 0.05 * own.abs(),
                    "{kind:?} {ratio} {parameter} {pixel}: {own} {quotient}"
                );
            }
        }
    }
}

#[test]
fn even_lights_have_the_columns_of_the_others_without_slopes() {
    for kind in [Kind::Edge, Kind::Stroke] {
        let model = model(kind, 0.7);
        let places = places(&model);
        let all = columns(&model, places);
        let (x, y) = (places.map(|place| place.0), places.map(|place| place.1));
        let pixels = Block { x: &x, y: &y, gray: &[100.0; 8], weight: &[1.0; 8] };
        let (prepared, levels) = (Prepared::new(&model, (0.0, 0.0), 6.0), &model.levels[0]);
        let mut even = [[0.0; BLOCK]; COLUMNS];
        match kind {
            Kind::Edge => prepared.fill::<EvenEdges>(&mut even, pixels, levels),
            _ => prepared.fill::<EvenStrokes>(&mut even, pixels, levels),
        }
        for column in (0..COLUMNS).filter(|column| ![OUT_SLOPE, IN_ROOT, IN_SLOPE].contains(column)) {
            for (even, all) in even[column][..8].iter().zip(&all[column]) {
                assert!((even - all).abs() <= 1e-5 * all.abs(), "{kind:?} {column}: {even} {all}");
            }
        }
    }
}
