//! Frames of a rolling shutter, row by row, against the slow reference.

use super::super::exposure::Exposed;
use super::super::outline::{self, Corners};
use super::super::plane::Region;
use super::super::rows::Rows;
use super::*;

/// The covered share of a pixel by a disc, by many points.
fn sampled(disc: Circle, column: f64, row: f64) -> f64 {
    const POINTS: usize = 60;
    let part = |at: usize| (at as f64 + 0.5) / POINTS as f64 - 0.5;
    let inside =
        |at: &usize| (column + part(at % POINTS) - disc.x).hypot(row + part(at / POINTS) - disc.y) < disc.radius;
    (0..POINTS * POINTS).filter(inside).count() as f64 / (POINTS * POINTS) as f64
}

#[test]
fn each_row_of_a_rolling_shutter_sees_the_ball_at_its_own_time() {
    // 1 ms from row to row: the ball moves by 0.6 px to the right and by 0.3 px up.
    let config = CameraConfig { rolling_shutter: 1000.0, ..CameraConfig::default() };
    let mut camera = camera(&config);
    let shot = Shot { radius: 13.0, path: Path::straight((30.0, 50.0), (600.0, -300.0), 0.0) };
    let picture = camera.render(&shot, 0);
    assert_eq!(picture.ball.map(|(disc, _)| (disc.x, disc.y)), Some((30.0, 50.0)), "the truth is of the frame's time");
    for (index, byte) in picture.image.bytes().iter().enumerate() {
        let (column, row) = ((index % 96) as f64, (index / 96) as f64);
        let disc = Circle { x: 30.0 + 0.6 * row, y: 50.0 - 0.3 * row, radius: 13.0 };
        let light = 40.0 + 140.0 * sampled(disc, column, row);
        // Rounding, and half a row of 60 points times the contrast.
        assert!((f64::from(*byte) - light).abs() < 0.5 + 1.2, "({column}, {row}): {byte}, {light}");
    }
}

#[test]
fn a_rolling_shutter_exposes_each_row_and_goes_with_a_lens() {
    let case = CASES[3];
    let (line_s, open_s) = (3e-4, 0.5 / 60.0);
    let config = CameraConfig { rolling_shutter: 1e6 * line_s, exposure: 0.5, ..case.config(TruthPoint::Centre, 0.0) };
    let path = Path::straight((case.ball.x, case.ball.y), (300.0, 200.0), open_s);
    let mut camera = camera(&config);
    let image = camera.render(&Shot { radius: case.ball.radius, path: path.clone() }, 0).image.clone();
    for row in (0..SIZE.height as usize).step_by(9) {
        let mut sums = vec![0.0; SIZE.width as usize];
        for moment in 0..20 {
            let time_s = row as f64 * line_s + (f64::from(moment) + 0.5) / 20.0 * open_s - open_s / 2.0;
            let (x, y) = (case.ball.x + 300.0 * time_s, case.ball.y + 200.0 * time_s);
            let meets = case.meets(Circle { x, y, ..case.ball });
            for (column, sum) in sums.iter_mut().enumerate() {
                let part = |at: usize| (at as f64 + 0.5) / 24.0 - 0.5;
                let hits =
                    (0..576).filter(|at| meets(column as f64 + part(at % 24), row as f64 + part(at / 24))).count();
                *sum += hits as f64 / 576.0 / 20.0;
            }
        }
        for (column, sum) in sums.into_iter().enumerate() {
            let (byte, light) = (image.bytes()[row * SIZE.width as usize + column], 40.0 + 140.0 * sum);
            assert!((f64::from(byte) - light).abs() < 0.5 + 1.2, "({column}, {row}): {byte}, {light}");
        }
    }
}

/// The coverage of a ball in each row alone, and the same of all rows at once.
fn in_rows_and_at_once(case: &Case, distance: (f64, f64), radius: f64) -> [Exposed; 2] {
    let view = View::new(&case.config(TruthPoint::Centre, 3.0).lens, SIZE, &Random::new(1)).expect("a lens");
    let view = view.of_frame(0);
    let ball = Circle { x: case.ball.x + distance.0, y: case.ball.y + distance.1, radius };
    let steering = view.steering(case.ball);
    let region = Region::of_image(SIZE).grown(3);
    let corners = Corners::new(ball.radius);
    let whole = outline::expose(&view, &corners, &[(ball.x, ball.y)], ball.radius, (region, 1), steering.as_ref());
    let path = Path::resting((ball.x, ball.y));
    let rows = Rows { line_s: 1e-4, path: &path, places: 1 };
    [rows.expose(&view, &corners, ball.radius, region, steering.as_ref()), whole]
}

proptest! {
    #[test]
    fn the_outline_within_a_row_is_that_of_the_whole(
        case in 0..CASES.len(), right in -30.0..30.0, down in -30.0..30.0, radius in 2.0..60.0,
    ) {
        let [rows, whole] = in_rows_and_at_once(&CASES[case], (right, down), radius);
        let pairs = rows.cover.iter().zip(whole.cover.iter());
        let slopes = rows.slopes.iter().zip(&whole.slopes).flat_map(|(rows, whole)| rows.iter().zip(whole.iter()));
        for (row, whole) in pairs.chain(slopes) {
            prop_assert!((row - whole).abs() <= 1e-4 * whole.abs().max(1.0), "{row} and {whole}");
        }
    }
}

#[test]
fn a_ball_at_rest_looks_and_is_limited_alike_with_a_rolling_shutter() {
    let shot = Shot { radius: 13.0, path: Path::resting((40.3, 41.2)) };
    let [still, rolling] = [0.0, 30.0].map(|rolling_shutter| {
        let config = CameraConfig { rolling_shutter, noise: NOISE, ..CameraConfig::default() };
        let mut camera = Camera::new(SIZE, PixelFormat::Gray8, &config, true, 5).expect("a possible camera");
        let picture = camera.render(&shot, 2);
        (picture.image.clone(), picture.ball.and_then(|(_, limit)| limit.px()).expect("a limit"))
    });
    assert!(still.0.bytes().iter().zip(rolling.0.bytes()).all(|(a, b)| a.abs_diff(*b) <= 1));
    // The closed form is the mean over places on the grid, to a percent.
    assert!((rolling.1 / still.1 - 1.0).abs() < 0.03, "{} and {}", rolling.1, still.1);
}
