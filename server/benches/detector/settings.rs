//! OpenCV's settings: for each condition, the one that serves it best.
//!
//! A setting is chosen on separate frames, which are not measured. For empty conditions these frames have a disc on the
//! same background. The best setting misses fewest discs, then has the smallest error. A faster setting that is
//! nearly as good (half a per cent more missed, a tenth more error) is preferred. A setting that drowns in edges and
//! takes 50 ms or more for a frame of 640x480 is excluded.

use crate::accuracy::circle;
use crate::batch::{Batch, Purpose};
use crate::conditions::Condition;
use crate::failure::Failure;
use crate::marks::{Figures, Marks};
use crate::opencv::Method::{Alt, Gradient};
use crate::opencv::{Method, OpenCv, Setting};
use testkit::statistics::quantile;

/// Settings count as equal if their missed shares differ by at most the first value, and their errors by at most the
/// second as a factor.
const SAME_MISSED: f64 = 0.005;
const SAME_ERROR: f64 = 1.1;

/// Time limit for a frame while settings are tried out, in µs per pixel.
const TIME_LIMIT_US: f64 = 50_000.0 / (640.0 * 480.0);

/// More than any distance between two centres, so that OpenCV returns only the best circle.
const ONE_CIRCLE_PX: f64 = 1e5;

/// ALT searches this far around each centre, which takes time. 20 px is fastest without thousands of centres.
const ALT_APART_PX: f64 = 20.0;

/// Settings tried for the gradient method, the common one first: blurs for up to the noisiest frames, thresholds for
/// down to the faintest discs.
const GRADIENTS: [Setting; 14] = [
    gradient(Some((9, 2.0)), 1.0, 50.0, 30.0),
    gradient(None, 1.0, 100.0, 30.0),
    gradient(Some((5, 1.2)), 1.0, 50.0, 30.0),
    gradient(Some((5, 1.2)), 1.0, 100.0, 20.0),
    gradient(Some((9, 2.0)), 1.0, 100.0, 20.0),
    gradient(Some((9, 2.0)), 1.0, 100.0, 15.0),
    gradient(Some((9, 2.0)), 1.0, 200.0, 20.0),
    gradient(Some((9, 2.0)), 1.0, 20.0, 20.0),
    gradient(Some((9, 2.0)), 1.0, 10.0, 30.0),
    gradient(Some((9, 2.0)), 1.5, 50.0, 30.0),
    gradient(Some((9, 2.0)), 2.0, 100.0, 30.0),
    gradient(Some((15, 4.0)), 1.0, 50.0, 20.0),
    gradient(Some((15, 4.0)), 1.0, 30.0, 15.0),
    gradient(Some((15, 4.0)), 1.0, 15.0, 10.0),
];

/// Settings tried for ALT; the first is the one that its documentation recommends.
const ALTS: [Setting; 10] = [
    alt(None, 1.5, 300.0, 0.9),
    alt(None, 1.0, 300.0, 0.9),
    alt(None, 1.5, 300.0, 0.8),
    alt(Some((5, 1.2)), 1.5, 200.0, 0.8),
    alt(Some((9, 2.0)), 1.0, 300.0, 0.8),
    alt(Some((9, 2.0)), 1.5, 300.0, 0.8),
    alt(Some((9, 2.0)), 1.5, 100.0, 0.7),
    alt(Some((9, 2.0)), 1.5, 40.0, 0.7),
    alt(Some((15, 4.0)), 1.5, 100.0, 0.7),
    alt(Some((15, 4.0)), 1.0, 50.0, 0.5),
];

/// The best setting of each method for a condition.
pub(crate) fn choose(condition: &Condition, count: u64, opencv: &mut OpenCv) -> Result<[Setting; 2], Failure> {
    let condition = &condition.with_disc();
    let batch = Batch::render(condition, Purpose::Tune, 0..count)?;
    opencv.load(&batch.pixels, condition.size(), false)?;
    let mut best = |settings: &[Setting]| -> Result<Setting, Failure> {
        let mut tried = Vec::new();
        for setting in settings {
            tried.extend(try_out(setting, &batch, condition, opencv)?);
        }
        Ok(best_of(tried).unwrap_or(settings[0]))
    };
    Ok([best(&GRADIENTS)?, best(&ALTS)?])
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.blur {
            Some((size, sigma)) => write!(f, "blur {size}x{size} σ {sigma}")?,
            None => write!(f, "no blur")?,
        }
        write!(f, ", dp {}, param1 {}, param2 {}", self.dp, self.param1, self.param2)
    }
}

struct Tried {
    setting: Setting,
    figures: Figures,
    time_us: f64,
}

impl Tried {
    fn error_px(&self) -> f64 {
        self.figures.mean_px.unwrap_or(f64::INFINITY)
    }
}

/// `None` for a setting that took too long.
fn try_out(
    setting: &Setting,
    batch: &Batch,
    condition: &Condition,
    opencv: &mut OpenCv,
) -> Result<Option<Tried>, Failure> {
    let limit_us = TIME_LIMIT_US * condition.size().pixels() as f64;
    let answers = opencv.detect_within(Some(limit_us), setting, condition.whole_radii())?;
    if answers.times_us.iter().any(|time_us| *time_us > limit_us) {
        return Ok(None);
    }
    let mut marks = Marks::default();
    for (shot, found) in batch.shots.iter().zip(answers.circles) {
        marks.add(shot, found.map(circle), None);
    }
    let time_us = quantile(&answers.times_us, 0.5).unwrap_or(f64::INFINITY);
    Ok(Some(Tried { setting: *setting, figures: marks.figures(), time_us }))
}

fn best_of(mut tried: Vec<Tried>) -> Option<Setting> {
    let least_missed = tried.iter().map(|tried| tried.figures.missed_rate().0).fold(1.0, f64::min);
    tried.retain(|tried| tried.figures.missed_rate().0 <= least_missed + SAME_MISSED);
    let least_error = tried.iter().map(Tried::error_px).fold(f64::INFINITY, f64::min);
    tried.retain(|tried| tried.error_px() <= SAME_ERROR * least_error);
    tried.sort_by(|a, b| a.time_us.total_cmp(&b.time_us));
    tried.first().map(|tried| tried.setting)
}

const fn gradient(blur: Option<(u32, f64)>, dp: f64, param1: f64, param2: f64) -> Setting {
    setting(Gradient, blur, dp, ONE_CIRCLE_PX, param1, param2)
}

const fn alt(blur: Option<(u32, f64)>, dp: f64, param1: f64, param2: f64) -> Setting {
    setting(Alt, blur, dp, ALT_APART_PX, param1, param2)
}

const fn setting(
    method: Method,
    blur: Option<(u32, f64)>,
    dp: f64,
    min_dist: f64,
    param1: f64,
    param2: f64,
) -> Setting {
    Setting { method, blur, dp, min_dist, param1, param2 }
}
