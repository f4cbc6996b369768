//! Frames that no camera should send, and limits that no frame can meet: no pipeline panics, and none finds a circle.
//!
//! Textures are the exception. OpenCV's gradient method does not consider noise and finds circles there, and so does
//! `hough-classic`, which gives exactly its numbers.

use client::pipeline::{DetectorChoice, PipelineChoice, PipelineOptions, RadiusLimits, detector_names};
use ndarray::{Array2, ArrayView2, s};
use shared::geometry::MAX_SIDE;
use shared::image::{Image, ImageView};

const DEFAULT: RadiusLimits = RadiusLimits { min: None, max: None };

/// Every radius that fits into these frames.
const ANY: RadiusLimits = RadiusLimits { min: Some(1.0), max: Some(200.0) };

fn assert_empty(frame: ArrayView2<'_, u8>, limits: RadiusLimits) {
    for name in detector_names() {
        let mut detector = DetectorChoice::new(name, limits).expect("valid").build();
        let (rows, columns) = frame.dim();
        assert_eq!(detector.detect(frame), None, "{name}, {columns}x{rows}, {limits:?}");
    }
    assert_eq!(count(frame, limits), 0, "{:?}, {limits:?}", frame.dim());
    edit(frame, limits);
}

/// Number of circles that `hough` finds.
fn count(frame: ArrayView2<'_, u8>, limits: RadiusLimits) -> usize {
    let mut found = Vec::new();
    let mut detector = DetectorChoice::new("hough", limits).expect("valid").build_all().expect("it finds all");
    detector.detect_all(frame, &mut found);
    found.len()
}

/// Checks that the pipelines `annotate` and `edges` answer the frame, in gray and in colour, with an image of its size.
fn edit(frame: ArrayView2<'_, u8>, radii: RadiusLimits) {
    let colour = Image::Gray8(frame.to_owned()).into_bgr();
    for name in ["annotate", "edges"] {
        let choice = PipelineChoice::new(name, PipelineOptions { radii, ..Default::default() }).expect("listed");
        let mut pipeline = choice.for_task("image").expect("its task").build().expect("valid");
        for image in [ImageView::Gray8(frame), colour.view()] {
            let (size, answer) = (image.size(), pipeline.answer(&image.into()));
            let answered = (answer.kind(), answer.integer("width"), answer.integer("height"));
            assert_eq!(answered, ("image", Ok(size.width.into()), Ok(size.height.into())), "{name}");
        }
    }
}

/// Checks an answer. `hough-classic` may give any finite numbers, `hough` must give no answer.
fn assert_textured(frame: ArrayView2<'_, u8>, limits: RadiusLimits) {
    for name in detector_names() {
        let found = DetectorChoice::new(name, limits).expect("valid").build().detect(frame);
        let circle = found.map(|found| found.circle);
        assert!(name != "hough" || circle.is_none(), "{limits:?}: {circle:?}");
        assert!(circle.is_none_or(|c| c.x.is_finite() && c.y.is_finite() && c.radius > 0.0), "{name}: {circle:?}");
    }
    assert_eq!(count(frame, limits), 0, "{limits:?}");
    edit(frame, limits);
}

/// Bytes without a pattern: SplitMix64 (Steele, Lea, Flood 2014).
fn noise(rows: usize, columns: usize, seed: u64) -> Array2<u8> {
    let mut state = seed;
    Array2::from_shape_simple_fn((rows, columns), || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as u8
    })
}

/// Black and white squares of `side` pixels.
fn checkerboard(rows: usize, columns: usize, side: usize) -> Array2<u8> {
    Array2::from_shape_fn(
        (rows, columns),
        |(row, column)| {
            if (row / side + column / side).is_multiple_of(2) { 0 } else { 255 }
        },
    )
}

/// A disc of radius 20 px, which both detectors find if the limits let them.
fn disc(rows: usize, columns: usize) -> Array2<u8> {
    let (x, y) = (columns as i32 / 2, rows as i32 / 2);
    Array2::from_shape_fn((rows, columns), |(row, column)| {
        let (dx, dy) = (column as i32 - x, row as i32 - y);
        if dx * dx + dy * dy <= 400 { 180 } else { 40 }
    })
}

#[test]
fn the_disc_of_these_tests_is_found_with_the_default_limits() {
    for name in detector_names() {
        let mut detector = DetectorChoice::new(name, DEFAULT).expect("valid").build();
        let found = detector.detect(disc(120, 160).view()).expect("a circle").circle;
        // The gradient method is accurate to a pixel or two.
        assert!((found.x - 80.0).abs() < 2.0 && (found.y - 60.0).abs() < 2.0, "{name}: {found:?}");
    }
}

#[test]
fn frames_of_one_pixel_are_empty() {
    for gray in [0, 128, 255] {
        for limits in [DEFAULT, ANY] {
            assert_empty(Array2::from_elem((1, 1), gray).view(), limits);
        }
    }
}

#[test]
fn frames_of_one_row_or_one_column_are_empty() {
    for length in [2, 3, 31, 32, 640, 8192] {
        let row = noise(1, length, 1);
        for limits in [DEFAULT, ANY] {
            assert_empty(row.view(), limits);
            assert_empty(row.t(), limits);
        }
    }
}

#[test]
fn the_longest_and_the_largest_frames_are_counted_and_edited() {
    let side = MAX_SIDE as usize;
    for (rows, columns) in [(side, 3), (3, side), (side, 16), (16, side)] {
        edit(noise(rows, columns, 2).view(), ANY);
    }
    let mut largest = Array2::from_elem((side, side), 40);
    largest.slice_mut(s![8000..8120, 8000..8160]).assign(&disc(120, 160));
    let limits = RadiusLimits { min: Some(16.0), max: Some(40.0) };
    assert_eq!(count(largest.view(), limits), 1);
}

#[test]
fn frames_without_rows_or_columns_are_empty() {
    for shape in [(0, 0), (0, 640), (480, 0)] {
        for limits in [DEFAULT, ANY] {
            assert_empty(Array2::zeros(shape).view(), limits);
        }
    }
    assert_empty(disc(120, 160).slice(s![60..60, ..]), DEFAULT);
    assert_empty(disc(120, 160).slice(s![.., 80..80;3]), DEFAULT);
}

#[test]
fn constant_frames_are_empty() {
    for gray in [0, 128, 255] {
        let frame = Array2::from_elem((120, 160), gray);
        for limits in [DEFAULT, ANY] {
            assert_empty(frame.view(), limits);
            assert_empty(frame.slice(s![..;-1, ..;3]), limits);
        }
    }
}

#[test]
fn hough_finds_nothing_in_noise_alone() {
    for seed in 0..40 {
        assert_textured(noise(120, 160, seed).view(), DEFAULT);
    }
}

#[test]
fn hough_finds_nothing_in_saturated_checkerboards() {
    for side in [1, 2, 3, 4, 5, 8, 13, 16, 20, 32, 40, 60] {
        assert_textured(checkerboard(120, 160, side).view(), DEFAULT);
    }
}

#[test]
fn no_circle_larger_than_the_frame_is_found() {
    let frame = disc(120, 160);
    for (min, max) in [(300.0, 400.0), (1e4, 1e4), (1e9, 1e300), (f64::MAX, f64::MAX)] {
        assert_empty(frame.view(), RadiusLimits { min: Some(min), max: Some(max) });
        assert_empty(frame.view(), RadiusLimits { min: Some(min), max: None });
        assert_empty(noise(120, 160, 5).view(), RadiusLimits { min: Some(min), max: Some(max) });
    }
}

#[test]
fn the_memory_layout_of_a_view_does_not_change_the_answer() {
    let mut wide = noise(360, 480, 9);
    wide.slice_mut(s![1..;3, 2..;3]).assign(&disc(120, 160));
    for name in detector_names() {
        let detect = |view: ArrayView2<'_, u8>| DetectorChoice::new(name, DEFAULT).expect("valid").build().detect(view);
        let expected = detect(disc(120, 160).view());
        assert!(expected.is_some(), "{name}");
        assert_eq!(detect(wide.slice(s![1..;3, 2..;3])), expected, "{name}");
        assert_eq!(detect(disc(120, 160).t().as_standard_layout().t()), expected, "{name}, columns first");
        let backwards = disc(120, 160).slice(s![..;-1, ..;-1]).to_owned();
        assert_eq!(detect(backwards.slice(s![..;-1, ..;-1])), expected, "{name}, backwards");
    }
    let constant = Array2::from_elem((1, 1), 200);
    assert_empty(constant.broadcast((120, 160)).expect("one pixel spread"), DEFAULT);
}
