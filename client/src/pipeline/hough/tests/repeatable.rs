//! The same pixels give the same answer.

use ndarray::{Array2, s};
use proptest::prelude::*;
use shared::geometry::Circle;

use super::fixtures::*;
use crate::pipeline::testing::*;

#[test]
fn answers_do_not_depend_on_the_frames_before() {
    let frames: Vec<_> = (0..40)
        .map(|seed| {
            let mut random = Random::new(seed);
            let truth = anywhere(&mut random);
            let canvas = if seed % 5 == 0 { ground() } else { ground().disc(truth, DISC) };
            canvas.shot(8.0, &mut random)
        })
        .collect();
    let (mut one, mut other) = (detector(), detector());
    let forward: Vec<_> = frames.iter().map(|frame| one.detect(frame.view())).collect();
    let order: Vec<_> = (0..40).map(|i| i * 17 % 40).collect();
    for i in order {
        assert_eq!(other.detect(frames[i].view()), forward[i], "frame {i}");
    }
}

#[test]
fn a_view_with_gaps_gives_the_same_answer() {
    let mut random = Random::new(3);
    let truth = anywhere(&mut random);
    let frame = ground().disc(truth, DISC).shot(5.0, &mut random);
    let mut wide = Array2::zeros((240, 320));
    wide.slice_mut(s![..;2, ..;2]).assign(&frame);
    assert_eq!(detector().detect(wide.slice(s![..;2, ..;2])), detect(&frame));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whole_pixel_shifts_shift_the_answer(seed in 0u64..1 << 40, dx in 0usize..20, dy in 0usize..20) {
        let mut random = Random::new(seed);
        let truth = anywhere(&mut random);
        let frame = Canvas::new(200, 160, GROUND)
            .disc(Circle { x: truth.x + 20.0, y: truth.y + 20.0, ..truth }, DISC)
            .shot(0.0, &mut random);
        let part = |dx: usize, dy: usize| frame.slice(s![dy..dy + 140, dx..dx + 180]).to_owned();
        let (still, moved) = (detect(&part(0, 0)).expect("a disc"), detect(&part(dx, dy)).expect("a disc"));
        // The same pixels from another start. Usually the answers differ by where the iteration stops, 2e-4 px. In
        // about 1 of 80 discs, the two fits judge their edge differently and differ by up to a few thousandths (3,000
        // discs tried).
        prop_assert!((still.circle.x - moved.circle.x - dx as f64).abs() < 0.01, "{still:?} {moved:?}");
        prop_assert!((still.circle.y - moved.circle.y - dy as f64).abs() < 0.01, "{still:?} {moved:?}");
    }
}

#[test]
fn transposing_the_frame_swaps_the_axes() {
    let mut detector = detector();
    let mut apart: Vec<f64> = (0..400)
        .map(|seed| {
            let mut random = Random::new(seed);
            let truth = anywhere(&mut random);
            let frame = ground().disc(truth, DISC).shot(5.0, &mut random);
            let upright = detector.detect(frame.view()).expect("a disc").circle;
            let turned = detector.detect(frame.t()).expect("a disc").circle;
            (upright.x - turned.y).abs().max((upright.y - turned.x).abs())
        })
        .collect();
    apart.sort_by(f64::total_cmp);
    // Rays and sums run in another order, so a decision at its threshold (does the ground slope?) may turn out
    // differently. That is rare, and changes the result by less than the noise, whose limit is 0.0084 px.
    assert!(apart[200] < 1e-4 && apart[380] < 1e-3 && apart[399] < 0.0084, "{:?}", [200, 380, 399].map(|i| apart[i]));
}
