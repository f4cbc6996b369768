//! The initial parameters of a fit: closed forms for the planar models, Zhang's method for a camera.

use nalgebra::{DMatrix, Matrix3 as Square, SymmetricEigen};
use shared::lens::form::Form;
use shared::lens::matrix::{self, Matrix3};
use shared::lens::{Pinhole, Point, pose};

use super::error::CalibrateError;
use super::observation::{Observation, Set};
use super::problem::{POSE, Problem};

/// Time offsets that are tried at first, in µs: half a second to each side, in steps of 2 ms. A step is shorter than a
/// frame, so that a local method finds the minimum from the best of them.
const OFFSETS: (i32, f64) = (250, 2_000.0);

/// Most frames that the search for a time offset uses.
const SEARCHED: usize = 400;

/// The least separation of the two smallest singular values, relative, at which four points give a homography.
const SEPARATED: f64 = 1e-12;

/// Parameters to start from.
pub(super) fn start(problem: &Problem<'_>, centre: Point, focal: f64) -> Result<Vec<f64>, CalibrateError> {
    let offset = if problem.model.time { searched(problem.sets) } else { 0.0 };
    let pairs = |set: &Set| {
        let shown = |one: &Observation| match one.time_us {
            Some(time) if offset != 0.0 => set.track.at(time - offset).0,
            _ => one.truth,
        };
        set.observations.iter().map(|one| (shown(one), one.answer)).collect::<Vec<_>>()
    };
    let all: Vec<_> = problem.sets.iter().flat_map(pairs).collect();
    let name = || problem.sets.iter().map(|set| set.name.as_str()).collect::<Vec<_>>().join(", ");
    let mut p = match problem.model.form {
        Form::Offset => vec![0.0, 0.0],
        Form::Similarity => similarity(&all),
        Form::Affine => vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        Form::Homography => homography(&all).ok_or_else(|| degenerate(&name()))?[..8].to_vec(),
        Form::Lensed { distortion, .. } => {
            let mut p = homography(&all).ok_or_else(|| degenerate(&name()))?[..8].to_vec();
            p.resize(8 + distortion.coefficients().len(), 0.0);
            p
        }
        Form::Camera(_) | Form::Undistorted(_) => camera(problem, pairs, centre, focal)?,
    };
    p.extend(problem.model.time.then_some(offset));
    p.extend(problem.model.shutter.then_some(0.0));
    Ok(p)
}

fn degenerate(name: &str) -> CalibrateError {
    let wrong = "its frames give no homography: four of them must not lie on a line".into();
    CalibrateError::Degenerate { name: name.into(), wrong }
}

fn similarity(pairs: &[(Point, Point)]) -> Vec<f64> {
    let count = pairs.len() as f64;
    let mean = |of: fn(&(Point, Point)) -> Point| {
        [0, 1].map(|axis| pairs.iter().map(|pair| of(pair)[axis]).sum::<f64>() / count)
    };
    let (from, to) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut square, mut along, mut across) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        let [x, y] = [a[0] - from[0], a[1] - from[1]];
        let [u, v] = [b[0] - to[0], b[1] - to[1]];
        square += x * x + y * y;
        along += x * u + y * v;
        across += x * v - y * u;
    }
    let (scale, turn) = (along.hypot(across) / square, across.atan2(along));
    let (sin, cos) = turn.sin_cos();
    let shift = [to[0] - scale * (cos * from[0] - sin * from[1]), to[1] - scale * (sin * from[0] + cos * from[1])];
    vec![scale, turn, shift[0], shift[1]]
}

/// The homography of these pairs, by rows, its last element 1: the direct linear transformation on normalised points
/// (Hartley and Zisserman, "Multiple View Geometry", algorithm 4.2). `None` if the pairs do not give one.
pub(super) fn homography(pairs: &[(Point, Point)]) -> Option<[f64; 9]> {
    let (to_plane, to_image) =
        (normalising(pairs.iter().map(|pair| pair.0))?, normalising(pairs.iter().map(|pair| pair.1))?);
    let mut normal = DMatrix::<f64>::zeros(9, 9);
    for (from, to) in pairs {
        let ([x, y], [u, v]) = (moved(&to_plane, *from), moved(&to_image, *to));
        for row in [[x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, -u], [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, -v]] {
            for (i, j) in (0..9).flat_map(|i| (0..9).map(move |j| (i, j))) {
                normal[(i, j)] += row[i] * row[j];
            }
        }
    }
    let eigen = SymmetricEigen::new(normal);
    let mut order: Vec<usize> = (0..9).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*a].total_cmp(&eigen.eigenvalues[*b]));
    if eigen.eigenvalues[order[1]] <= SEPARATED * eigen.eigenvalues[order[8]] {
        return None;
    }
    let vector = eigen.eigenvectors.column(order[0]);
    let small = [0, 1, 2].map(|row| [0, 1, 2].map(|column| vector[3 * row + column]));
    let whole = matrix::product(&matrix::product(&matrix::inverse(&to_image)?, &small), &to_plane);
    let last = whole[2][2];
    let scaled = whole.map(|row| row.map(|value| value / last));
    let flat: [f64; 9] = std::array::from_fn(|at| scaled[at / 3][at % 3]);
    flat.iter().all(|value| value.is_finite()).then_some(flat)
}

/// The scaling of points to a mean of 0 and a mean distance of √2.
fn normalising(points: impl Iterator<Item = Point> + Clone) -> Option<Matrix3> {
    let count = points.clone().count() as f64;
    let mean = [0, 1].map(|axis| points.clone().map(|point| point[axis]).sum::<f64>() / count);
    let distance = points.map(|point| (point[0] - mean[0]).hypot(point[1] - mean[1])).sum::<f64>() / count;
    let scale = std::f64::consts::SQRT_2 / distance;
    let matrix = [[scale, 0.0, -scale * mean[0]], [0.0, scale, -scale * mean[1]], [0.0, 0.0, 1.0]];
    scale.is_finite().then_some(matrix)
}

fn moved(matrix: &Matrix3, point: Point) -> Point {
    let [x, y, _] = matrix::times(matrix, [point[0], point[1], 1.0]);
    [x, y]
}

/// A camera without distortion: focal lengths from the homographies of its poses (Zhang, PAMI 22, 2000; the centre is
/// that of the image, as in OpenCV's `initCameraMatrix2D`), then each pose.
fn camera(
    problem: &Problem<'_>,
    pairs: impl Fn(&Set) -> Vec<(Point, Point)>,
    centre: Point,
    focal: f64,
) -> Result<Vec<f64>, CalibrateError> {
    let mut homographies = Vec::new();
    for set in problem.sets {
        let flat = homography(&pairs(set)).ok_or_else(|| degenerate(&set.name))?;
        homographies.push([0, 1, 2].map(|row| [0, 1, 2].map(|column| flat[3 * row + column])));
    }
    let pinhole = focal_lengths(&homographies, centre, focal);
    let (shared, _) = problem.layout();
    let mut p = vec![pinhole.fx, pinhole.fy, pinhole.cx, pinhole.cy];
    p.resize(shared, 0.0);
    for (homography, set) in homographies.iter().zip(problem.sets) {
        let place = pose_of(homography, &pinhole).ok_or_else(|| degenerate(&set.name))?;
        p.extend(place);
    }
    Ok(p)
}

fn focal_lengths(homographies: &[Matrix3], [cx, cy]: Point, focal: f64) -> Pinhole {
    let (mut square, mut right) = ([[0.0; 2]; 2], [0.0; 2]);
    for h in homographies {
        let centred = matrix::product(&[[1.0, 0.0, -cx], [0.0, 1.0, -cy], [0.0, 0.0, 1.0]], h);
        let column = |at: usize| [0, 1, 2].map(|row| centred[row][at]);
        let (a, b) = (column(0), column(1));
        let length = |of: [f64; 3]| of.iter().map(|value| value * value).sum::<f64>().sqrt();
        let by = length(a) * length(b);
        // Both columns are at right angles and have the same length.
        for (row, value) in [
            ([a[0] * b[0], a[1] * b[1]], -a[2] * b[2]),
            ([a[0] * a[0] - b[0] * b[0], a[1] * a[1] - b[1] * b[1]], b[2] * b[2] - a[2] * a[2]),
        ] {
            for i in [0, 1] {
                right[i] += row[i] * value / (by * by);
                (0..2).for_each(|j| square[i][j] += row[i] * row[j] / (by * by));
            }
        }
    }
    let found = matrix::inverse2(&square).map(|inverse| matrix::apply(&inverse, right));
    let lengths = found.map(|squares| squares.map(|one| one.recip().sqrt()));
    let is_right = |value: f64| value.is_finite() && value > focal / 20.0 && value < focal * 20.0;
    let [fx, fy] = lengths.filter(|both| both.iter().all(|one| is_right(*one))).unwrap_or([focal; 2]);
    Pinhole { fx, fy, cx, cy }
}

fn pose_of(h: &Matrix3, pinhole: &Pinhole) -> Option<[f64; POSE]> {
    let Pinhole { fx, fy, cx, cy } = *pinhole;
    let back = [[1.0 / fx, 0.0, -cx / fx], [0.0, 1.0 / fy, -cy / fy], [0.0, 0.0, 1.0]];
    let normalised = matrix::product(&back, h);
    let column = |at: usize| nalgebra::Vector3::from([0, 1, 2].map(|row| normalised[row][at]));
    let (first, second, place) = (column(0), column(1), column(2));
    let scale = (2.0 / (first.norm() + second.norm())).copysign(place[2]);
    let (first, second, place) = (first * scale, second * scale, place * scale);
    let near = Square::from_columns(&[first, second, first.cross(&second)]);
    let svd = near.svd(true, true);
    let turn = svd.u? * svd.v_t?;
    let rows: Matrix3 = [0, 1, 2].map(|row| [0, 1, 2].map(|column| turn[(row, column)]));
    let vector = pose::vector(&rows);
    let all = [vector[0], vector[1], vector[2], place[0], place[1], place[2]];
    all.iter().all(|value| value.is_finite()).then_some(all)
}

/// The time offset at which an affine map fits best.
fn searched(sets: &[Set]) -> f64 {
    let all: Vec<_> = sets.iter().flat_map(|set| set.observations.iter().map(move |one| (set, one))).collect();
    let every = all.len().div_ceil(SEARCHED).max(1);
    let tried = (-OFFSETS.0..=OFFSETS.0).map(|step| f64::from(step) * OFFSETS.1);
    let rest = |offset: f64| {
        let timed = all
            .iter()
            .step_by(every)
            .filter_map(|(set, one)| Some((set.track.at(one.time_us? - offset).0, one.answer)));
        affine_rest(&timed.collect::<Vec<_>>())
    };
    let best = tried
        .map(|offset| (rest(offset), offset))
        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.abs().total_cmp(&b.1.abs())));
    best.map_or(0.0, |(_, offset)| offset)
}

/// The sum of the squared residuals of the best affine map.
fn affine_rest(pairs: &[(Point, Point)]) -> f64 {
    let mut square = Square::<f64>::zeros();
    let mut right = nalgebra::Matrix3x2::<f64>::zeros();
    for (from, to) in pairs {
        let row = nalgebra::Vector3::new(from[0], from[1], 1.0);
        square += row * row.transpose();
        right += row * nalgebra::RowVector2::new(to[0], to[1]);
    }
    let Some(inverse) = square.try_inverse() else { return f64::INFINITY };
    let found = inverse * right;
    let rest = |(from, to): &(Point, Point)| {
        let image = found.transpose() * nalgebra::Vector3::new(from[0], from[1], 1.0);
        (to[0] - image[0]).powi(2) + (to[1] - image[1]).powi(2)
    };
    // Only the better half of the pairs counts, so that outliers have no influence.
    let mut rests: Vec<f64> = pairs.iter().map(rest).collect();
    rests.sort_by(f64::total_cmp);
    rests.iter().take(rests.len() / 2 + 1).sum()
}
