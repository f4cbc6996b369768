//! Tests of the stages against small references, and of the whole against OpenCV's answers and known truth.

use ndarray::{Array2, s};
use proptest::prelude::*;
use shared::geometry::Circle;

use super::blur::Blur;
use super::canny::Edges;
use super::radii::Radii;
use super::radius::Supports;
use super::sobel::Gradients;
use super::vote::Votes;
use super::*;
use crate::pipeline::{Detector, RadiusLimits, testing::*};

fn limits(min: f64, max: f64) -> RadiusLimits {
    RadiusLimits { min: Some(min), max: Some(max) }
}

fn blurred(frame: &Array2<u8>) -> Array2<u8> {
    let mut blur = Blur::default();
    blur.blur(frame.as_slice().expect("standard layout"), frame.dim().1);
    Array2::from_shape_vec(frame.dim(), blur.blurred).expect("as many pixels")
}

fn gradients(frame: &Array2<u8>) -> Gradients {
    let mut gradients = Gradients::default();
    gradients.find(frame.as_slice().expect("standard layout"), frame.dim().1);
    gradients
}

fn edges(frame: &Array2<u8>) -> Vec<(usize, usize)> {
    let mut edges = Edges::default();
    edges.find(&gradients(frame));
    edges.pixels.iter().map(|pixel| (pixel.x, pixel.y)).collect()
}

#[test]
fn with_too_many_centres_those_with_the_most_votes_are_searched_and_the_work_is_bounded() {
    let discs = [(60.0, 60.0, 30.0), (150.0, 70.0, 18.0), (90.0, 130.0, 14.0)];
    let canvas = discs
        .iter()
        .fold(Canvas::new(200, 160, 40.0), |canvas, &(x, y, radius)| canvas.disc(Circle { x, y, radius }, 180.0));
    let gradients = gradients(&blurred(&canvas.shot(0.0, &mut Random::new(1))));
    let (mut edges, mut votes, mut supports) = (Edges::default(), Votes::default(), Supports::default());
    edges.find(&gradients);
    let radii = Radii { min: 8, max: 40 };
    votes.cast(&edges.pixels, &gradients, radii);
    let mut looked_at = |most: usize| {
        let found = supports.best_within(most, &edges, &votes, radii);
        (found, supports.circles.len())
    };
    let (of_all, all) = looked_at(usize::MAX);
    let (of_one, one) = looked_at(0);
    // The largest disc has the most votes.
    assert!(all >= 3 && one == 1, "{all} {one}");
    assert_eq!(of_one, of_all);
    assert!(of_one.is_some_and(|found| (found.x - 60.0).abs() < 2.0), "{of_one:?}");
}

#[test]
fn a_point_blurs_to_the_product_of_two_gaussians() {
    let mut frame = Array2::zeros((15, 17));
    frame[[7, 8]] = 255;
    let taps = [7, 17, 32, 46, 52, 46, 32, 17, 7_u32];
    let expected = Array2::from_shape_fn((15, 17), |(row, column)| {
        let tap =
            |at: usize, middle: usize| (at + 4).checked_sub(middle).and_then(|i| taps.get(i)).map_or(0, |&tap| tap);
        ((255 * tap(row, 7) * tap(column, 8) + 32_768) >> 16) as u8
    });
    assert_eq!(blurred(&frame), expected);
    // The taps are a Gaussian of sigma 2 sampled at whole pixels, to half a 256th and adjusted to a sum of 256.
    let sum: f64 = (-4..=4).map(|i| (-f64::from(i * i) / 8.0).exp()).sum();
    for (tap, i) in taps.into_iter().zip(-4..=4) {
        assert!((f64::from(tap) - 256.0 * (-f64::from(i * i) / 8.0).exp() / sum).abs() < 0.5);
    }
}

#[test]
fn blur_mirrors_the_frame_about_its_outermost_pixels() {
    let small = Array2::from_shape_fn((3, 2), |(row, column)| (90 * row + 37 * column) as u8);
    let (rows, columns) = ([0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2], [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let wide = Array2::from_shape_fn((11, 10), |(row, column)| small[[rows[row], columns[column]]]);
    assert_eq!(blurred(&small), blurred(&wide).slice(s![4..7, 4..6]));
}

#[test]
fn an_even_frame_stays_unchanged_and_has_no_edges() {
    for (gray, size) in [(0, (1, 1)), (255, (1, 9)), (255, (9, 1)), (128, (20, 33))] {
        let frame = Array2::from_elem(size, gray);
        assert_eq!(blurred(&frame), frame);
        assert_eq!(edges(&frame), []);
    }
}

#[test]
fn sobel_gives_eight_times_the_slope_of_a_ramp() {
    let frame = Array2::from_shape_fn((9, 40), |(row, column)| (3 * column + 2 * row) as u8);
    let found = gradients(&frame);
    for (at, (dx, dy)) in found.dx.iter().zip(&found.dy).enumerate() {
        let (row, column) = (at / 40, at % 40);
        // At the border one of the two neighbours is the pixel itself, so the slope is half.
        let part = |at: usize, last: usize| if at == 0 || at == last { 1 } else { 2 };
        assert_eq!((*dx, *dy), (12 * part(column, 39), 8 * part(row, 8)), "({column}, {row})");
    }
    assert_eq!(found.padded_norms(5)[20], 24 + 16);
    assert_eq!((found.padded_norms(0)[20], found.padded_norms(10)[20]), (0, 0));
}

#[test]
fn the_edge_of_a_disc_is_a_closed_ring_one_pixel_thin() {
    let truth = Circle { x: 30.3, y: 28.7, radius: 18.0 };
    let frame = Canvas::new(64, 60, 40.0).disc(truth, 180.0).shot(0.0, &mut Random::new(0));
    let ring = edges(&blurred(&frame));
    let mut sectors = [0; 36];
    for &(x, y) in &ring {
        let (dx, dy) = (x as f64 - truth.x, y as f64 - truth.y);
        // Half a pixel's diagonal, plus a quarter of a pixel by which blur moves the edge of a disc inwards.
        assert!((dx.hypot(dy) - truth.radius).abs() < 1.0, "({x}, {y})");
        sectors[((dy.atan2(dx) / std::f64::consts::TAU).rem_euclid(1.0) * 36.0) as usize % 36] += 1;
    }
    // Ten degrees of the ring are 3.1 px long.
    assert!(sectors.iter().all(|count| (2..=6).contains(count)), "{sectors:?}");
    assert!(ring.is_sorted_by_key(|&(_, y)| y));
}

#[test]
fn a_weak_edge_counts_only_if_it_is_connected_to_a_strong_one() {
    let step = |column: usize, height: u8| if column >= 20 { 40 + height } else { 40 };
    // Sobel gives 4 x the step: 40 is weak, 60 is strong.
    let weak = Array2::from_shape_fn((30, 40), |(_, column)| step(column, 10));
    assert_eq!(edges(&weak), []);
    let mixed = Array2::from_shape_fn((30, 40), |(row, column)| step(column, if row < 4 { 15 } else { 10 }));
    let found = edges(&mixed);
    assert_eq!(found.iter().map(|&(_, y)| y).collect::<Vec<_>>(), (0..30).collect::<Vec<_>>());
}

/// A disc on a texture of `texture` gray levels, both drawn in integers.
fn drawn((width, height): (usize, usize), (x, y, radius): (i64, i64, i64), inside: u8, texture: i64) -> Array2<u8> {
    Array2::from_shape_fn((height, width), |(row, column)| {
        let (row, column) = (row as i64, column as i64);
        let is_inside = (column - x).pow(2) + (row - y).pow(2) <= radius * radius;
        if is_inside { inside } else { (40 + (7 * column + 13 * row + column * row) % texture) as u8 }
    })
}

#[test]
fn stages_and_answers_match_those_of_opencv() {
    // The sums of blurred pixels, |dx| and |dy|, the count of edges and the circle, as OpenCV 4.14.0 gives them.
    let cases = [
        ((160, 120), (80, 60, 20), 180, 1, (8.0, 30.0), [943_984, 88_256, 88_256, 144], Some((80.5, 60.5, 19.6))),
        ((160, 120), (71, 49, 15), 180, 23, (8.0, 30.0), [1_062_641, 100_308, 98_366, 110], Some((70.5, 48.5, 14.7))),
        ((97, 131), (40, 77, 31), 220, 97, (10.0, 40.0), [1_511_499, 195_286, 192_406, 512], Some((39.5, 77.5, 30.5))),
        ((200, 150), (3, 70, 25), 200, 41, (8.0, 37.0), [1_968_515, 140_778, 149_268, 100], None),
        ((160, 120), (80, 60, 12), 70, 11, (8.0, 30.0), [878_522, 20_946, 21_164, 87], Some((79.5, 60.5, 11.6))),
        (
            (150, 110),
            (60, 50, 30),
            255,
            200,
            (5.0, 50.0),
            [2_629_479, 238_774, 243_592, 1019],
            Some((60.5, 49.5, 29.7)),
        ),
    ];
    for (size, disc, inside, texture, (min, max), figures, circle) in cases {
        let mut detector = Classic::new(limits(min, max));
        let found = detector.detect(drawn(size, disc, inside, texture).view()).map(|found| found.circle);
        let stages = detector.stages();
        let sum = |values: &[i16]| values.iter().map(|value| i64::from(value.abs())).sum::<i64>();
        let blurred = stages.blurred.iter().map(|&gray| i64::from(gray)).sum();
        assert_eq!([blurred, sum(stages.dx), sum(stages.dy), stages.edges.len() as i64], figures, "{disc:?}");
        let circle_at = |(x, y, radius): (f64, f64, f32)| Circle { x, y, radius: f64::from(radius) };
        let expected = circle.map(circle_at);
        assert_eq!(found, expected, "{disc:?}");
    }
}

#[test]
fn discs_in_noise_are_found_with_a_mean_error_of_half_a_pixel() {
    let mut detector = Classic::new(limits(8.0, 30.0));
    let error = |seed| {
        let random = &mut Random::new(seed);
        let radius = random.uniform(10.0, 26.0);
        let (x, y) = (random.uniform(radius + 2.0, 158.0 - radius), random.uniform(radius + 2.0, 118.0 - radius));
        let truth = Circle { x, y, radius };
        let frame = Canvas::new(160, 120, 40.0).disc(truth, 180.0).shot(5.0, random);
        let found = detector.detect(frame.view()).unwrap_or_else(|| panic!("missed {truth:?}"));
        assert_eq!(found.covariance, None);
        let (dx, dy) = (found.circle.x - x, found.circle.y - y);
        assert!(dx.abs() < 1.5 && dy.abs() < 1.5 && (found.circle.radius - radius).abs() < 1.5, "{found:?}, {truth:?}");
        dx.abs() + dy.abs()
    };
    let mean = (0..200).map(error).sum::<f64>() / 200.0;
    // Centres are on half pixels. The error along each axis is uniform within ½ px, so its mean is 0.25 px.
    assert!((0.4..0.65).contains(&mean), "mean L1 {mean} px");
}

#[test]
fn empty_and_even_frames_have_no_circle() {
    let mut detectors =
        [RadiusLimits::default(), limits(1.0, 3.0), limits(0.1, 1e300), limits(5000.0, 1e300)].map(Classic::new);
    for (rows, columns) in [(0, 0), (0, 9), (9, 0), (1, 1), (1, 640), (480, 1), (2, 2), (3, 200), (40, 40)] {
        for gray in [0, 128, 255] {
            let frame = Array2::from_elem((rows, columns), gray);
            for detector in &mut detectors {
                assert_eq!(detector.detect(frame.view()), None, "{columns}x{rows} of {gray}");
            }
        }
    }
}

#[test]
fn views_of_any_layout_give_the_same_answer() {
    let frame = drawn((97, 131), (40, 77, 31), 220, 97);
    let mut detector = Classic::new(limits(10.0, 40.0));
    let expected = detector.detect(frame.view());
    assert!(expected.is_some());
    let turned = frame.t().to_owned();
    assert_eq!(detector.detect(turned.t()), expected);
    let wide = ndarray::concatenate![ndarray::Axis(1), frame, frame];
    assert_eq!(detector.detect(wide.slice(s![.., 97..])), expected);
}

#[test]
fn an_answer_does_not_depend_on_earlier_frames() {
    let frames = [drawn((160, 120), (71, 49, 15), 180, 23), drawn((97, 131), (40, 77, 31), 220, 97)];
    let mut detector = Classic::new(limits(8.0, 40.0));
    for frame in frames.iter().chain(frames.iter().rev()) {
        assert_eq!(detector.detect(frame.view()), Classic::new(limits(8.0, 40.0)).detect(frame.view()));
    }
}

proptest! {
    #[test]
    fn any_frame_gets_a_finite_answer_inside_the_frame_or_none(
        (rows, columns) in (0..60_usize, 0..60_usize),
        seed in any::<u64>(),
        (min, span) in (0.01..100.0_f64, 0.0..1000.0_f64),
        saturated in any::<bool>(),
    ) {
        let mut random = Random::new(seed);
        let frame = Array2::from_shape_fn((rows, columns), |_| {
            let gray = random.uniform(0.0, 256.0);
            if saturated { if gray < 128.0 { 0 } else { 255 } } else { gray as u8 }
        });
        if let Some(found) = Classic::new(limits(min, min + span)).detect(frame.view()) {
            prop_assert!((0.0..columns as f64).contains(&found.circle.x) && (0.0..rows as f64).contains(&found.circle.y));
            prop_assert!(found.circle.radius > 0.0 && found.circle.radius.is_finite());
        }
    }
}
