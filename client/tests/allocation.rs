//! A detector allocates nothing for a frame that it has seen before. A pipeline that answers with an image allocates
//! only the answer.

use client::pipeline::{Detector, DetectorChoice, PipelineChoice, PipelineOptions, RadiusLimits, detector_names};
use ndarray::Array2;
use shared::geometry::Circle;
use shared::image::Image;
use testkit::allocator::{Counting, allocations};

#[global_allocator]
static COUNTING: Counting = Counting;

/// Number of passes over all frames. None of them allocates.
const PASSES: usize = 10;

/// How far from the disc's centre an answer may be, in px. The disc has whole pixels, and OpenCV's plain method places
/// it on a grid of a pixel.
const NEAR_PX: f64 = 1.0;

/// The disc's centre for a seed.
fn centre(seed: usize) -> (i32, i32) {
    (100 + 7 * seed as i32, 90 + 5 * seed as i32)
}

/// A disc of radius 20 px with a soft rim, in front of squares of many grays. Different for every `seed`.
fn frame(seed: usize) -> Array2<u8> {
    let (x, y) = centre(seed);
    Array2::from_shape_fn((240, 320), |(row, column)| {
        let (dx, dy) = (column as f64 - f64::from(x), row as f64 - f64::from(y));
        let square = (row / 23 + seed) * 37 + (column / 29) * 61;
        let (background, share) = ((40 + square * square % 20) as f64, (20.5 - dx.hypot(dy)).clamp(0.0, 1.0));
        (background + (200.0 - background) * share).round() as u8
    })
}

/// Asserts that the detector finds each disc where it is.
fn look(detector: &mut dyn Detector, frames: &[Array2<u8>]) {
    for (seed, frame) in frames.iter().enumerate() {
        let (x, y) = centre(seed);
        let found = detector.detect(frame.view()).map(|estimate| estimate.circle);
        let is_there = |circle: &Circle| (circle.x - f64::from(x)).hypot(circle.y - f64::from(y)) < NEAR_PX;
        assert!(found.as_ref().is_some_and(is_there), "{}: {found:?}, not ({x}, {y})", detector.name());
    }
}

#[test]
fn frames_seen_before_allocate_nothing() {
    let frames: Vec<_> = (0..8).map(frame).collect();
    for name in detector_names() {
        let mut detector = DetectorChoice::new(name, RadiusLimits::default()).expect("valid").build();
        look(detector.as_mut(), &frames);
        // Allocations are counted on this thread, and a detector works on the thread that calls it.
        let counts: Vec<_> = (0..PASSES).map(|_| allocations(|| look(detector.as_mut(), &frames))).collect();
        assert_eq!(counts, [0; PASSES], "{name}");
    }
}

#[test]
fn all_circles_of_frames_seen_before_allocate_nothing() {
    let frames: Vec<_> = (0..8).map(frame).collect();
    let choice = DetectorChoice::new("hough", RadiusLimits::default()).expect("valid");
    let (mut detector, mut found) = (choice.build_all().expect("it finds all"), Vec::new());
    let mut look = || {
        for (seed, frame) in frames.iter().enumerate() {
            detector.detect_all(frame.view(), &mut found);
            let (x, y) = centre(seed);
            let is_there = |circle: Circle| (circle.x - f64::from(x)).hypot(circle.y - f64::from(y)) < NEAR_PX;
            assert!(found.iter().any(|found| is_there(found.circle)), "{found:?}, not ({x}, {y})");
        }
    };
    look();
    let counts: Vec<_> = (0..PASSES).map(|_| allocations(&mut look)).collect();
    assert_eq!(counts, [0; PASSES]);
}

#[test]
fn annotate_allocates_twice_per_frame_and_edges_does_not_allocate_more_from_frame_to_frame() {
    let gray: Vec<_> = (0..8).map(|seed| Image::Gray8(frame(seed))).collect();
    let colour: Vec<_> = gray.iter().cloned().map(Image::into_bgr).collect();
    let deep: Vec<_> = (0..8).map(|seed| Image::Gray16(frame(seed).mapv(|level| 500 + 9 * u16::from(level)))).collect();
    for frames in [gray, colour, deep] {
        let counts = ["annotate", "edges"].map(|name| {
            let choice = PipelineChoice::new(name, PipelineOptions::default()).expect("listed");
            let mut pipeline = choice.for_task("image").expect("its task").build().expect("valid");
            let mut edit = || frames.iter().for_each(|frame| drop(pipeline.answer(&frame.view().into())));
            edit();
            let counts: Vec<_> = (0..PASSES).map(|_| allocations(&mut edit)).collect();
            assert_eq!(counts, [counts[0]; PASSES], "{name}");
            counts[0]
        });
        // The image itself, and the list of its five fields.
        assert_eq!(counts[0], 2 * frames.len() as u64);
    }
}
