//! Coverage of the intervals over 200 seeds of 600 frames, with the error of `--noise 10`.
//!
//! Run with `cargo test --release -p server calibrate::simulation -- --ignored --nocapture`; `tests` has a fixed sample.

use shared::lens::{Distortion, Form};

use super::calibration::Asked;
use super::observation::Set;
use super::planted::{HOMOGRAPHY, LENS, Planted, asked, found, scattered};
use super::result::Calibration;

const SEEDS: u64 = 200;

/// How many of these calibrations have each parameter inside its interval, and the largest errors.
struct Coverage {
    names: Vec<String>,
    covered: Vec<usize>,
    largest: Vec<f64>,
    sigma: Vec<f64>,
    runs: usize,
    fits: usize,
}

fn coverage(seeds: u64, truth: &[f64], calibrate: impl Fn(u64) -> Calibration) -> Coverage {
    let none = vec![0.0; truth.len()];
    let mut all = Coverage {
        names: Vec::new(),
        covered: vec![0; truth.len()],
        largest: none.clone(),
        sigma: none,
        runs: seeds as usize,
        fits: 0,
    };
    for seed in 1..=seeds {
        let calibration = calibrate(seed);
        all.fits += usize::from(calibration.fits == Some(true));
        all.names = calibration.parameters.iter().map(|one| one.name.clone()).collect();
        for (at, (one, truth)) in calibration.parameters.iter().zip(truth).enumerate() {
            let (Some(value), Some(low), Some(high), Some(sigma)) = (one.value, one.low, one.high, one.sigma) else {
                // χ² rejects 5 % of the right models, which then have no interval. Their values still count.
                continue;
            };
            all.covered[at] += usize::from((low..=high).contains(truth));
            all.largest[at] = all.largest[at].max((value - truth).abs());
            all.sigma[at] += sigma / seeds as f64;
        }
    }
    all
}

impl Coverage {
    fn print(&self, what: &str) {
        println!("{what}: {} of {} fit", self.fits, self.runs);
        for (at, name) in self.names.iter().enumerate() {
            println!(
                "  {name}: covered {}, mean sigma {:.3e}, largest error {:.3e}",
                self.covered[at], self.sigma[at], self.largest[at]
            );
        }
    }
}

/// Without covariances σ comes from the residuals, so each calibration has intervals and the count is out of all seeds.
fn intervals(planted: &Planted, seed: u64, asked: &Asked) -> Calibration {
    found(&[Planted { has_covariance: false, ..planted.clone() }.set(seed)], asked).calibration
}

#[test]
fn intervals_of_a_sample_cover_the_truth() {
    let values = [&HOMOGRAPHY[..], &[-0.30, 0.10]].concat();
    let planted = Planted {
        times: (7_300.0, 0.0),
        ..Planted::new(Form::Lensed { given: LENS, distortion: Distortion::Brown(2) }, &values)
    };
    let truth = [&values[..], &[7_300.0]].concat();
    let all = coverage(20, &truth, |seed| intervals(&planted, seed, &asked("homography+distortion+time")));
    // Of 20 intervals with 95 % each, 15 or fewer cover with a probability of 0.26 %.
    assert!(all.covered.iter().all(|covered| *covered >= 15), "{:?}", all.covered);
}

#[test]
#[ignore = "takes a minute; .ci/long runs it"]
fn intervals_of_14_parameters_cover_the_truth_in_178_to_199_of_200() {
    let lens = Distortion::Brown(5);
    let values = [&HOMOGRAPHY[..], &[-0.30, 0.10, 0.001, -0.0005, -0.02]].concat();
    let planted =
        Planted { times: (7_300.0, 0.0), ..Planted::new(Form::Lensed { given: LENS, distortion: lens }, &values) };
    let truth = [&values[..], &[7_300.0]].concat();
    let asked = Asked { distortion: lens, ..asked("homography+distortion+time") };
    let all = coverage(SEEDS, &truth, |seed| intervals(&planted, seed, &asked));
    all.print("homography, plumb_bob and time");
    assert!(all.covered.iter().all(|covered| (178..=199).contains(covered)), "{:?}", all.covered);
}

#[test]
#[ignore = "takes a minute; .ci/long runs it"]
fn intervals_of_a_camera_with_8_poses_cover_the_truth_in_177_to_199_of_200() {
    let truth = super::tests::poses(8, 150, 1).1;
    let all = coverage(SEEDS, &truth, |seed| {
        let mut sets: Vec<Set> = super::tests::poses(8, 150, seed).0;
        sets.iter_mut().flat_map(|set| &mut set.observations).for_each(|one| one.covariance = None);
        found(&sets, &asked("camera")).calibration
    });
    all.print("camera of 8 poses");
    assert!(all.covered.iter().all(|covered| (177..=199).contains(covered)), "{:?}", all.covered);
}

#[test]
#[ignore = "takes a minute; .ci/long runs it"]
fn times_are_recovered_within_6_us_and_50_ns_a_line_in_all_of_200() {
    let planted = Planted { times: (7_300.0, 0.0), ..Planted::new(Form::Offset, &[0.37, -0.21]) };
    let all = coverage(SEEDS, &[0.37, -0.21, 7_300.0], |seed| intervals(&planted, seed, &asked("offset+time")));
    all.print("offset and time");
    assert!(all.largest[2] <= 6.0 && (181..=199).contains(&all.covered[2]), "{} us", all.largest[2]);
    let planted = Planted { times: (0.0, 30.0), ..planted };
    let all = coverage(SEEDS, &[0.37, -0.21, 30.0], |seed| intervals(&planted, seed, &asked("offset+shutter")));
    all.print("offset and shutter");
    assert!(all.largest[2] <= 0.05 && (181..=199).contains(&all.covered[2]), "{} us a line", all.largest[2]);
}

#[test]
#[ignore = "takes a minute; .ci/long runs it"]
fn an_omitted_k2_is_rejected_in_190_of_200_and_a_right_model_in_at_most_19() {
    let lens = Form::Lensed { given: LENS, distortion: Distortion::Brown(2) };
    let planted = Planted::new(lens, &[&HOMOGRAPHY[..], &[0.0, 0.002]].concat());
    let only_k1 = Asked { distortion: Distortion::Brown(1), ..asked("homography+distortion") };
    let (mut rejected, mut wrongly, mut of_bouncing) = (0, 0, 0);
    for seed in 1..=SEEDS {
        // A ball that bounces for 10 s need not come near the corners, where k2 shows.
        of_bouncing += usize::from(found(&[planted.set(seed)], &only_k1).calibration.fits == Some(false));
        let set = planted.set_of(&scattered(seed, 601), seed);
        rejected += usize::from(found(std::slice::from_ref(&set), &only_k1).calibration.fits == Some(false));
        wrongly += usize::from(found(&[set], &asked("homography+distortion")).calibration.fits == Some(false));
    }
    println!(
        "omitted k2 = 0.002 rejected in {rejected} of {SEEDS}, in {of_bouncing} with a bouncing ball; a right model in {wrongly}"
    );
    assert!(rejected >= 190 && wrongly <= 19, "{rejected} and {wrongly}");
}
