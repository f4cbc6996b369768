//! A detector that has seen a frame allocates nothing when it sees it again.

use client::pipeline::{DetectorChoice, RadiusLimits, detector_names};
use ndarray::Array2;
use testkit::allocator::{Counting, allocations_of_process};

#[global_allocator]
static COUNTING: Counting = Counting;

/// Passes, one of which allocates nothing: the thread that runs the tests may do so meanwhile, but not in each of them.
const PASSES: usize = 10;

/// A disc before squares of many grays, different for every `seed`.
fn frame(seed: usize) -> Array2<u8> {
    let (x, y) = (100 + 7 * seed as i32, 90 + 5 * seed as i32);
    Array2::from_shape_fn((240, 320), |(row, column)| {
        let (dx, dy) = (column as i32 - x, row as i32 - y);
        let square = (row / 23 + seed) * 37 + (column / 29) * 61;
        if dx * dx + dy * dy <= 400 { 250 } else { (square * square % 200) as u8 }
    })
}

// One test for all detectors: another one's thread would be counted too.
#[test]
fn frames_seen_before_allocate_nothing() {
    let frames: Vec<_> = (0..8).map(frame).collect();
    for name in detector_names() {
        let mut detector = DetectorChoice::new(name, RadiusLimits::default()).expect("valid").build();
        let mut pass = || frames.iter().filter(|frame| detector.detect(frame.view()).is_some()).count();
        let found = pass();
        let mut counts = (0..PASSES).map(|_| allocations_of_process(|| assert_eq!(pass(), found, "{name}")));
        assert!(counts.any(|count| count == 0), "{name}: seeing {found} discs again allocated each of {PASSES} times");
    }
}
