//! How long a sweep will take, measured on a few frames of a few of its trials.

use std::num::NonZeroU64;
use std::time::Instant;

use shared::shell::stop::stop_pair;

use super::plan::Plan;
use super::progress::rounded;
use super::trial::{Given, Pipelines, evaluated};

/// Trials that are measured. They are spread over the plan.
const MEASURED: u64 = 5;

/// Frames of each trial.
const FRAMES: u64 = 10;

/// The estimate, for people.
pub(super) fn text(plan: &Plan, jobs: usize) -> String {
    if plan.pipeline.client.is_some() {
        return "no estimate of the time, because a client is started for each trial".into();
    }
    match measured(plan) {
        Ok(Measured { seconds, per_frame, frames }) => {
            // A trial runs in one job, so more jobs than trials do not help.
            let jobs = (jobs as u64).min(plan.trials()).max(1);
            let all = seconds * plan.trials() as f64 / jobs as f64;
            format!(
                "about {} with {jobs} trials at a time: {:.2} ms per frame, {frames:.0} frames per trial",
                rounded(all),
                per_frame * 1e3
            )
        }
        Err(wrong) => format!("no estimate of the time: {wrong}"),
    }
}

/// Means over the trials that were measured.
struct Measured {
    /// Time of a trial.
    seconds: f64,
    per_frame: f64,
    /// Frames of a trial.
    frames: f64,
}

fn measured(plan: &Plan) -> Result<Measured, String> {
    let (trials, mut pipelines) = (plan.trials(), Pipelines::default());
    let count = trials.min(MEASURED);
    let (mut seconds, mut frame_seconds, mut frames) = (0.0, 0.0, 0.0);
    let (stopper, _stop) = stop_pair();
    for place in 0..count {
        let number = 1 + if count > 1 { place * (trials - 1) / (count - 1) } else { 0 };
        let mut trial = plan.trial(number).map_err(|wrong| wrong.to_string())?;
        let all = trial.spec.sent.frames.map_or(FRAMES, NonZeroU64::get);
        let mut timed = |frames: u64| {
            trial.spec.sent.frames = NonZeroU64::new(frames);
            trial.spec.judged.warmup = 0;
            let began = Instant::now();
            let given = Given { plan, trial: &trial, stopper: &stopper };
            evaluated(&given, &mut pipelines, None).map_err(|wrong| wrong.to_string())?;
            Ok::<_, String>(began.elapsed().as_secs_f64())
        };
        // The first trial of a process takes longer, and so does the first of a Python function.
        if place == 0 {
            timed(1)?;
        }
        let (short, long) = (timed(1)?, timed(1 + FRAMES)?);
        let per_frame = ((long - short) / FRAMES as f64).max(0.0);
        seconds += short + per_frame * (all - 1) as f64;
        // A plan may have more frames than a whole number of 64 bits counts.
        (frame_seconds, frames) = (frame_seconds + per_frame, frames + all as f64);
    }
    let count = count as f64;
    Ok(Measured { seconds: seconds / count, per_frame: frame_seconds / count, frames: (frames / count).floor() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_frames_of_all_trials_may_be_more_than_64_bits_count() {
        let plan =
            "[run]\nframes = 9000000000000000000\nsize = \"64x48\"\nradius = 8\n[axes]\nnoise = [0, 1, 2, 3, 4]\n";
        let plan = Plan::of_text(Path::new("plan.toml"), plan.into()).unwrap();
        let said = text(&plan, 1);
        assert!(said.ends_with("9000000000000000000 frames per trial"), "{said}");
    }
}
