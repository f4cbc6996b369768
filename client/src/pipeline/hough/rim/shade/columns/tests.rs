//! Tests of the derivatives of the columns.

use super::super::normal::FORM;
use super::*;
use crate::pipeline::hough::rim::oval::PARAMETERS;

const RADIUS: f64 = 20.0;

/// Step of a parameter. At an edge of 0.7 px, the truncation of a difference quotient is then below a thousandth, and
/// single precision adds a tenth of a gray level.
const STEP: f64 = 0.004;

fn model(kind: Kind) -> Model {
    let form = RADIUS.powi(-2);
    // An edge's slopes belong to its sectors, whose levels are fitted at the same time.
    let levels =
        if kind == Kind::Ball { [50.0, 60.0, 40.0, -30.0, 90.0, 0.0] } else { [50.0, 160.0, 0.0, 0.0, 0.0, 25.0] };
    Model {
        oval: Oval { x: 0.3, y: -0.2, form: [form, 0.0, form] },
        kind,
        variance: 0.5,
        stroke: (kind == Kind::Stroke).then_some(3.0),
        levels: [levels; MAX_SECTORS],
        held: false,
    }
}

/// Distances of the pixels from the middle of the disc.
const DISTANCES: [f32; 8] = [6.0, 13.0, 17.0, 18.5, 19.6, 20.1, 20.9, 23.0];

/// The columns of eight pixels in one direction, from the middle of the disc to the ground beyond its rim.
fn columns(model: &Model) -> Columns {
    let (x, y) = (DISTANCES.map(|distance| 0.8 * distance), DISTANCES.map(|distance| 0.6 * distance));
    let mut columns = [[0.0; BLOCK]; COLUMNS];
    let pixels = Block { x: &x, y: &y, gray: &[100.0; 8], weight: &[1.0; 8] };
    Prepared::new(model, (0.0, 0.0), 6.0).fill(&mut columns, pixels, &model.levels[0]);
    columns
}

/// The residuals after a step of one parameter.
fn residuals(mut model: Model, parameter: usize, by: f64) -> [f32; 8] {
    let mut step = [0.0; PARAMETERS];
    step[parameter] = by;
    model.oval = model.oval.moved(&step, RADIUS).expect("an ellipse");
    let columns = columns(&model);
    std::array::from_fn(|pixel| columns[RESIDUAL][pixel])
}

#[test]
fn derivatives_of_the_light_with_respect_to_the_outline_are_its_difference_quotients() {
    for kind in [Kind::Edge, Kind::Ball, Kind::Stroke] {
        let model = model(kind);
        let found = columns(&model);
        for parameter in 0..PARAMETERS {
            let (after, before) = (residuals(model, parameter, STEP), residuals(model, parameter, -STEP));
            // The depth is of first order: its derivatives with respect to the form are exact on the outline only.
            let is_near = |pixel: &usize| parameter < FORM || (f64::from(DISTANCES[*pixel]) - RADIUS).abs() < 1.0;
            for pixel in (0..8).filter(is_near) {
                let quotient = f64::from(before[pixel] - after[pixel]) / (2.0 * STEP);
                let own = f64::from(found[GEOMETRY + parameter][pixel]);
                // A pixel from the outline, which is a twentieth of the radius, they are as much off.
                assert!(
                    (own - quotient).abs() < 1.5 + 0.05 * own.abs(),
                    "{kind:?} {parameter} {pixel}: {own} {quotient}"
                );
            }
        }
    }
}
