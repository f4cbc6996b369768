//! Limits of the scored point, against differences of the slow pictures.

use super::*;

/// The limit by the slow reference: the Fisher matrix of x, y and radius on the plane and of both levels, from differences of
/// pictures; then the covariance of the scored point, by differences of the reference's own point.
fn slow_limit(case: Case, point: TruthPoint) -> f64 {
    let steps = [0.15, 0.15, 0.15];
    let moved = |axis: usize, by: f64| {
        let mut ball = case.ball;
        match axis {
            0 => ball.x += by,
            1 => ball.y += by,
            _ => ball.radius += by,
        }
        ball
    };
    let difference = |axis: usize| -> Vec<f64> {
        let [less, more] = [-steps[axis], steps[axis]].map(|by| case.cover(moved(axis, by), 40));
        less.iter().zip(&more).map(|(less, more)| 140.0 * (more - less) / (2.0 * steps[axis])).collect()
    };
    let cover = case.cover(case.ball, 40);
    let slopes =
        [difference(0), difference(1), difference(2), cover.clone(), cover.iter().map(|cover| 1.0 - cover).collect()];
    let weight = 1.0 / (NOISE * NOISE + 1.0 / 12.0);
    let matrix =
        nalgebra::Matrix5::from_fn(|i, j| weight * slopes[i].iter().zip(&slopes[j]).map(|(a, b)| a * b).sum::<f64>());
    let covariance = matrix.try_inverse().expect("regular").fixed_view::<3, 3>(0, 0).into_owned();
    let at = |ball: Circle| match point {
        TruthPoint::Centroid => case.centroid(ball),
        TruthPoint::Centre => {
            // The image of the centre: where a tiny ball has its centroid, by the truth that another test checks.
            let camera = camera(&case.config(TruthPoint::Centre, 0.0));
            let centre = projected(&camera, ball).1.centre;
            [centre.0, centre.1]
        }
    };
    let by = |axis: usize| {
        let [less, more] = [at(moved(axis, -2.0)), at(moved(axis, 2.0))];
        [(more[0] - less[0]) / 4.0, (more[1] - less[1]) / 4.0]
    };
    let columns = [by(0), by(1), by(2)];
    let slope = nalgebra::Matrix2x3::from_fn(|row, column| columns[column][row]);
    let found = slope * covariance * slope.transpose();
    (2.0 / PI).sqrt() * (found[(0, 0)].sqrt() + found[(1, 1)].sqrt())
}

#[test]
fn the_limit_is_that_of_the_scored_point() {
    for (case, point) in [
        (CASES[0], TruthPoint::Centre),
        (CASES[0], TruthPoint::Centroid),
        (CASES[1], TruthPoint::Centroid),
        (CASES[3], TruthPoint::Centre),
        (CASES[5], TruthPoint::Centroid),
    ] {
        let limit = camera(&case.config(point, NOISE)).render(&case.shot(), 3).ball.and_then(|(_, limit)| limit.px());
        let (limit, expected) = (limit.expect("a limit"), slow_limit(case, point));
        // Differences over a third of a pixel, of grids of points, are off by some per cent at most.
        assert!((limit / expected - 1.0).abs() < 0.04, "{case:?}, {point:?}: {limit}, {expected}");
    }
}
