//! Time per frame, on one thread each. All cycle through the same 64 MiB of frames, so that none finds them in a cache.

use std::time::Instant;

use client::pipeline::{Detector, DetectorChoice, RadiusLimits, classic};
use serde::{Deserialize, Serialize};

use crate::accuracy::{frames_in, ours};
use crate::batch::{Batch, Purpose};
use crate::conditions::Condition;
use crate::failure::Failure;
use crate::opencv::{OpenCv, Setting};
use testkit::statistics::quantile;

/// Size of the frames to cycle through: far more than the second-level cache, which a core has to itself.
const BYTES: usize = 64 << 20;

/// Median times from the gray frame to the circle, in µs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Times {
    pub(crate) hough_us: f64,
    pub(crate) classic_us: f64,
    pub(crate) gradient_us: f64,
    pub(crate) alt_us: f64,
}

/// Times all four in turns, so that other load on the machine affects them alike.
pub(crate) fn measure(
    condition: &Condition,
    rounds: usize,
    settings: &[Setting; 2],
    opencv: &mut OpenCv,
) -> Result<Times, Failure> {
    eprintln!("  {}: times", condition.name);
    let batch = Batch::render(condition, Purpose::Time, 0..frames_in(BYTES, condition.size()))?;
    opencv.load(&batch.pixels, condition.size(), true)?;
    let (mut hough, mut classic) = (ours()?, as_opencv(condition)?);
    let mut times_us: [Vec<f64>; 4] = Default::default();
    // The first round is a warm-up (buffers are allocated, clocks rise) and does not count.
    for round in 0..=rounds {
        let turns = [
            run(hough.as_mut(), &batch),
            opencv.detect(&settings[0], condition.whole_radii())?.times_us,
            run(classic.as_mut(), &batch),
            opencv.detect(&settings[1], condition.whole_radii())?.times_us,
        ];
        if round > 0 {
            times_us.iter_mut().zip(turns).for_each(|(all, turn)| all.extend(turn));
        }
    }
    let [hough_us, gradient_us, classic_us, alt_us] = times_us.map(|times| quantile(&times, 0.5).unwrap_or(f64::NAN));
    Ok(Times { hough_us, classic_us, gradient_us, alt_us })
}

fn run(detector: &mut dyn Detector, batch: &Batch) -> Vec<f64> {
    let time = |frame| {
        let start = Instant::now();
        std::hint::black_box(detector.detect(frame));
        start.elapsed().as_secs_f64() * 1e6
    };
    batch.frames().map(|(_, frame)| frame).map(time).collect()
}

/// The classic detector, given the radii as OpenCV is.
fn as_opencv(condition: &Condition) -> Result<Box<dyn Detector>, Failure> {
    let (min, max) = condition.whole_radii();
    let limits = RadiusLimits { min: Some(f64::from(min)), max: Some(f64::from(max)) };
    Ok(DetectorChoice::new(classic::NAME, limits)?.build())
}
