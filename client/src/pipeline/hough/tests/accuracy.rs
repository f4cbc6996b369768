//! How close to the truth the detector finds discs that are seen whole.

use super::fixtures::*;
use crate::pipeline::testing::*;

#[test]
fn clean_discs_are_found_to_a_thousandth_of_a_pixel() {
    let mean = mean_l1(250, |random| {
        let truth = anywhere(random);
        (truth, ground().disc(truth, DISC).shot(0.0, random))
    });
    // Rounding to bytes alone allows 0.0005 px at these radii.
    assert!(mean < 0.001, "mean L1 {mean} px");
}

#[test]
fn discs_in_noise_of_ten_gray_levels_are_found_near_the_limit() {
    let mean = mean_l1(250, |random| {
        let truth = anywhere(random);
        (truth, ground().disc(truth, DISC).shot(10.0, random))
    });
    // The limit at these radii is 0.0168 px, plus a tenth for chance in 250 frames.
    assert!(mean < 0.0185, "mean L1 {mean} px");
}

#[test]
fn dark_discs_are_found_as_well_as_bright_ones() {
    let mean = mean_l1(60, |random| {
        let truth = anywhere(random);
        (truth, Canvas::new(160, 120, 200.0).disc(truth, 60.0).shot(10.0, random))
    });
    // The limit is 0.0168 px, plus a fifth for chance in 60 frames.
    assert!(mean < 0.0205, "mean L1 {mean} px");
}

#[test]
fn faint_discs_are_found() {
    let mean = mean_l1(60, |random| {
        let truth = anywhere(random);
        (truth, ground().disc(truth, GROUND + 10.0).shot(2.0, random))
    });
    // The limit is 0.047 px.
    assert!(mean < 0.058, "mean L1 {mean} px");
}

#[test]
fn blurred_discs_are_found() {
    let mean = mean_l1(30, |random| {
        let truth = anywhere(random);
        (truth, ground().disc(truth, DISC).blurred(2.0).shot(10.0, random))
    });
    // The limit is 0.045 px.
    assert!(mean < 0.06, "mean L1 {mean} px");
}

#[test]
fn a_ramp_in_the_ground_does_not_move_the_centre() {
    let mean = mean_l1(60, |random| {
        let (truth, slopes) = (anywhere(random), [0.3, -0.2]);
        (truth, Canvas::new(160, 120, 70.0).ramp(slopes[0], slopes[1]).disc(truth, 210.0).shot(0.0, random))
    });
    // Without a slope in the model, the error would grow by 0.01 px.
    assert!(mean < 0.0015, "mean L1 {mean} px");
}

#[test]
fn moving_discs_are_found_at_mid_exposure() {
    let mean = mean_l1(40, |random| {
        let truth = anywhere(random);
        (truth, ground().moving_disc(truth, DISC, 7.0, 7.0).shot(3.0, random))
    });
    assert!(mean < 0.03, "mean L1 {mean} px");
}
