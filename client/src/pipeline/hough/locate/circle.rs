//! Circles through points, in single precision.

use crate::pipeline::hough::ring::{Point, Ring};

/// Iterations of the fit, from a consensus accurate to a pixel.
const FIT_STEPS: usize = 6;

/// A step this small, in pixels, ends the fit: the result is only a start and need not be better.
pub(crate) const FIT_DONE_PX: f64 = 0.02;

/// The circle through three points. `None` if they lie on a line.
pub(crate) fn circle_through(a: Point, b: Point, c: Point) -> Option<Ring> {
    let (bx, by, cx, cy) = (b.x - a.x, b.y - a.y, c.x - a.x, c.y - a.y);
    let cross = 2.0 * (bx * cy - by * cx);
    if cross.abs() < 1e-3 {
        return None;
    }
    let (bb, cc) = (bx * bx + by * by, cx * cx + cy * cy);
    let (ux, uy) = ((cy * bb - by * cc) / cross, (bx * cc - cx * bb) / cross);
    Some(Ring { x: a.x + ux, y: a.y + uy, radius: (ux * ux + uy * uy).sqrt() })
}

/// Fits a circle by least squares of the distances, with Cauchy weights of width `scale`, so that distant points have
/// almost no weight.
pub(crate) fn fit_circle(points: &[Point], mut ring: Ring, scale: f32) -> Option<Ring> {
    let per_square = 1.0 / (scale * scale);
    for _ in 0..FIT_STEPS {
        let [mut xx, mut xy, mut yy, mut x1, mut y1, mut one] = [0.0f32; 6];
        let [mut xd, mut yd, mut d1] = [0.0f32; 3];
        for point in points {
            let (dx, dy) = (point.x - ring.x, point.y - ring.y);
            let length = (dx * dx + dy * dy).sqrt().max(1e-3);
            let distance = length - ring.radius;
            let weight = 1.0 / (1.0 + distance * distance * per_square);
            let (ux, uy) = (dx / length, dy / length);
            let (wx, wy) = (weight * ux, weight * uy);
            (xx, xy, yy) = (xx + wx * ux, xy + wx * uy, yy + wy * uy);
            (x1, y1, one) = (x1 + wx, y1 + wy, one + weight);
            (xd, yd, d1) = (xd + wx * distance, yd + wy * distance, d1 + weight * distance);
        }
        let matrix = [[xx, xy, x1], [xy, yy, y1], [x1, y1, one]].map(|row| row.map(f64::from));
        let step = solve(&matrix, &[xd, yd, d1].map(f64::from))?;
        ring.x += step[0] as f32;
        ring.y += step[1] as f32;
        ring.radius += step[2] as f32;
        if step.iter().all(|step| step.abs() < FIT_DONE_PX) {
            break;
        }
    }
    Some(ring).filter(|ring| ring.x.is_finite() && ring.y.is_finite() && ring.radius.is_finite())
}

/// Solves a symmetric system by Cramer's rule. `None` if it is singular.
fn solve(m: &[[f64; 3]; 3], right: &[f64; 3]) -> Option<[f64; 3]> {
    let minor = |i: usize, j: usize| {
        let (a, b, c, d) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[a][c] * m[b][d] - m[a][d] * m[b][c]
    };
    let determinant: f64 = (0..3).map(|j| m[0][j] * minor(0, j)).sum();
    let scale = m[0][0] * m[1][1] * m[2][2];
    (determinant.abs() > 1e-9 * scale.abs())
        .then(|| std::array::from_fn(|j| (0..3).map(|i| right[i] * minor(i, j)).sum::<f64>() / determinant))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(ring: Ring, n: usize) -> Vec<Point> {
        let point = |i: usize| {
            let (sin, cos) = (i as f32 / n as f32 * std::f32::consts::TAU).sin_cos();
            Point { x: ring.x + ring.radius * cos, y: ring.y + ring.radius * sin, sign: 1.0 }
        };
        (0..n).map(point).collect()
    }

    #[track_caller]
    fn assert_near(found: Ring, expected: Ring, within_px: f32) {
        let off = [found.x - expected.x, found.y - expected.y, found.radius - expected.radius];
        assert!(off.iter().all(|off| off.abs() < within_px), "{found:?}, not {expected:?}");
    }

    #[test]
    fn the_solution_satisfies_the_system() {
        let m = [[4.0, 1.0, -2.0], [1.0, 3.0, 0.5], [-2.0, 0.5, 6.0]];
        let right = [1.0, -2.0, 3.0];
        let found = solve(&m, &right).expect("regular");
        for (row, right) in m.iter().zip(right) {
            let left: f64 = row.iter().zip(found).map(|(m, x)| m * x).sum();
            assert!((left - right).abs() < 1e-12, "{left} {right}");
        }
    }

    #[test]
    fn singular_systems_have_no_solution() {
        assert_eq!(solve(&[[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]], &[1.0, 2.0, 3.0]), None);
        assert_eq!(solve(&[[0.0; 3]; 3], &[1.0; 3]), None);
        assert_eq!(solve(&[[f64::NAN; 3]; 3], &[1.0; 3]), None);
    }

    #[test]
    fn three_points_make_a_circle_unless_they_lie_on_a_line() {
        let ring = Ring { x: 320.4, y: 201.7, radius: 35.2 };
        let [a, b, c, ..] = points(ring, 5)[..] else { unreachable!("five points") };
        // The tolerance of single precision at coordinates of hundreds of pixels.
        assert_near(circle_through(a, b, c).expect("a circle"), ring, 1e-3);
        let on_a_line = |x: f32| Point { x, y: 2.0 * x + 1.0, sign: 1.0 };
        assert!(circle_through(on_a_line(0.0), on_a_line(3.0), on_a_line(7.0)).is_none());
    }

    #[test]
    fn distant_points_do_not_move_the_circle() {
        let ring = Ring { x: 60.3, y: 41.8, radius: 20.0 };
        let mut points = points(ring, 36);
        for point in &mut points[..9] {
            point.x += 30.0;
        }
        let start = Ring { x: 60.9, y: 41.2, radius: 20.8 };
        // A quarter of the points are 30 px off. Each pulls with the weight 1 / (1 + 75²).
        assert_near(fit_circle(&points, start, 0.4).expect("a circle"), ring, 0.05);
    }
}
