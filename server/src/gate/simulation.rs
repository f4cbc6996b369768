//! Simulated runs measure how often the verdicts of gates are wrong, and how often gates detect a defect.
//!
//! The errors are Gaussian along each axis and AR(1) from frame to frame, as they are where the ball moves little. The
//! whole simulation of 1,000 runs each is `#[ignore]`d and runs in `.ci/long`; a sample of it runs with the other
//! tests.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::condition::Condition;
use super::judge::judge_session;
use super::verdict::{GateVerdict, Verdict};
use crate::score::bounds::Bound;
use crate::score::latency::{FrameLatency, LatencyStats};
use crate::task::circle::error::{ErrorStats, PixelError};
use crate::truth::Limit;
use shared::protocol::message::AnswerTimes;
use shared::time::Micros;

/// Mean of |dx| + |dy| of a round Gaussian with a standard deviation of 1 along each axis: 2 √(2/π).
const MEAN_L1: f64 = 1.595_769_121_605_731;

/// Maximum number of runs of 1,000 that may fail exactly at the limit: the 99 % band of 5 %.
const MOST_FAILED: f64 = 0.069;

/// Smallest share of runs that must find what is 5 % worse.
const POWER: f64 = 0.95;

/// Standard normal numbers.
struct Normal(ChaCha8Rng);

impl Normal {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Draws two at once (G. E. P. Box and M. E. Muller, Ann. Math. Stat. 29, 1958).
    fn pair(&mut self) -> [f64; 2] {
        let (radius, angle) = ((-2.0 * self.uniform().ln()).sqrt(), std::f64::consts::TAU * self.uniform());
        [radius * angle.cos(), radius * angle.sin()]
    }
}

/// The report of a session of `frames` frames, whose errors have a standard deviation of `sigma` along each axis and
/// the correlation `phi` from frame to frame.
fn session(seed: u64, frames: u64, sigma: f64, phi: f64) -> Value {
    let mut normal = Normal::new(seed);
    let mut stats = ErrorStats::default();
    let mut error = normal.pair();
    for _ in 0..frames {
        stats.add(PixelError { dx: sigma * error[0], dy: sigma * error[1] }, Limit::Bound(MEAN_L1), None);
        let fresh = normal.pair();
        error = [0, 1].map(|axis| phi * error[axis] + (1.0 - phi * phi).sqrt() * fresh[axis]);
    }
    json!({
        "session": 1, "task": "circle", "end": {"kind": "finished"}, "frames": {"sent": frames, "circle": frames},
        "error_px": stats.figures(), "bounds": stats.bounds(),
    })
}

fn judged(session: &Value, condition: &Condition) -> GateVerdict {
    judge_session(&json!({"run": {"config": {}}}), session, condition, "")
}

fn condition(path: &str, limit: f64) -> Condition {
    format!("{path} <= {limit}").parse().unwrap()
}

/// Share of runs whose verdict is this.
fn share(runs: u64, verdict: Verdict, run: impl Fn(u64) -> GateVerdict) -> f64 {
    (0..runs).filter(|seed| run(*seed).verdict == verdict).count() as f64 / runs as f64
}

/// Simulates a first run 2 % over its gate, which is usually undecided and names the number of frames that would
/// decide, then a run of that number 5 % over. Returns the share of the second runs that fail. First runs that decide
/// do not count.
fn power(runs: u64, condition: &Condition, session: impl Fn(u64, Option<u64>, f64) -> Value) -> f64 {
    let (mut named, mut found) = (0, 0);
    for seed in 0..runs {
        let Some(frames) = judged(&session(seed, None, 1.02), condition).frames_needed else { continue };
        let second = judged(&session(seed + 1_000_000, Some(frames), 1.05), condition);
        named += 1;
        found += u64::from(second.verdict == Verdict::Fail);
    }
    assert!(4 * named > runs, "enough first runs name a number: {named} of {runs}");
    found as f64 / named as f64
}

/// Largest share in `runs` runs, given the one allowed in 1,000: 2.58 standard errors of 5 % above the same mean.
fn band(of_thousand: f64, runs: u64) -> f64 {
    let error = |runs: f64| 2.58 * (0.05_f64 * 0.95 / runs).sqrt();
    (of_thousand - 0.05) - error(1_000.0) + 0.05 + error(runs as f64)
}

/// Limits at the true figure: no more than 5 % of the runs may fail.
fn no_false_alarms_at_the_edge(runs: u64) {
    // Paths with their true figures.
    let figures = [
        ("error_px.l1.mean", MEAN_L1),
        ("error_px.l2.rms", std::f64::consts::SQRT_2),
        ("error_px.bias.x", 0.0),
        ("error_px.efficiency", 1.0),
    ];
    for (phi, frames) in [(0.0, 60), (0.0, 300), (0.3, 300), (0.6, 300), (0.6, 1_000), (0.9, 3_000)] {
        let sessions: Vec<Value> = (0..runs).map(|seed| session(seed, frames, 1.0, phi)).collect();
        for (path, truth) in figures {
            let condition = condition(path, truth);
            let failed = share(runs, Verdict::Fail, |seed| judged(&sessions[seed as usize], &condition));
            println!("{path}, correlation {phi}, {frames} frames: {:.1} % of {runs} runs fail", 100.0 * failed);
            assert!(failed <= band(MOST_FAILED, runs), "{path}, {phi}, {frames} frames: {failed} failed");
        }
    }
}

/// A detector 5 % over its gate, at the number of frames that a first run names.
fn what_is_5_percent_over_is_found(runs: u64) {
    for phi in [0.0, 0.3, 0.6] {
        for (path, truth) in [("error_px.l1.mean", MEAN_L1), ("error_px.l2.rms", std::f64::consts::SQRT_2)] {
            let condition = condition(path, truth);
            let found = power(runs, &condition, |seed, frames, times| session(seed, frames.unwrap_or(300), times, phi));
            println!("{path}, correlation {phi}: {:.1} % are found", 100.0 * found);
            assert!(found >= 1.0 - band(1.0 - POWER, runs), "{path}, correlation {phi}: {found} found");
        }
    }
}

/// Percentiles of a latency that is log-normal around 5 ms.
fn verdicts_on_percentiles_have_the_stated_error_rates(runs: u64) {
    let session = |seed: u64, frames: u64, scale: f64| {
        let mut normal = Normal::new(seed);
        let mut stats = LatencyStats::default();
        for _ in 0..frames {
            // Log-normal around 5 ms, whose 95th percentile is exp(1.645 σ) times as much.
            let us = (5_000.0 * scale * (0.3 * normal.pair()[0]).exp()) as u64;
            stats.add(FrameLatency::new(Micros(0), Micros(0), Micros(us), AnswerTimes::default(), None));
        }
        json!({
            "session": 1, "task": "ack", "end": {"kind": "finished"}, "frames": {"sent": frames},
            "latency_us": stats.figures(None), "bounds": stats.bounds(false),
        })
    };
    for (path, normal) in [("latency_us.p50", 0.0), ("latency_us.p95", 1.644_853_6), ("latency_us.p99", 2.326_347_9)] {
        let condition = condition(path, 5_000.0 * f64::exp(0.3 * normal));
        for frames in [100, 500, 2_000] {
            let failed = share(runs, Verdict::Fail, |seed| judged(&session(seed, frames, 1.0), &condition));
            println!("{path}, {frames} frames: {:.1} % of {runs} runs fail", 100.0 * failed);
            assert!(failed <= band(MOST_FAILED, runs), "{path}, {frames} frames: {failed} failed");
        }
        let found = power(runs, &condition, |seed, frames, times| session(seed, frames.unwrap_or(1_000), times));
        println!("{path}: {:.1} % are found", 100.0 * found);
        assert!(found >= 1.0 - band(1.0 - POWER, runs), "{path}: {found} found");
    }
}

/// Shares by the exact binomial: 1 % of the frames are lost.
fn verdicts_on_shares_have_the_stated_error_rates(runs: u64) {
    for frames in [100, 1_000] {
        let condition = condition("frames.lost_rate", 0.01);
        let failed = share(runs, Verdict::Fail, |seed| {
            let mut normal = Normal::new(seed);
            let lost = (0..frames).filter(|_| normal.uniform() < 0.01).count() as u64;
            let session = json!({
                "session": 1, "task": "ack", "end": {"kind": "finished"},
                "frames": {"sent": frames, "lost_rate": lost as f64 / frames as f64},
                "bounds": {"frames.lost_rate": Bound::of_share(lost, frames)},
            });
            judged(&session, &condition)
        });
        println!("frames.lost_rate, {frames} frames: {:.1} % of {runs} runs fail", 100.0 * failed);
        assert!(failed <= band(MOST_FAILED, runs), "{frames} frames: {failed} failed");
    }
}

#[test]
fn a_sample_of_runs_at_the_limit_rarely_fails_and_worse_runs_are_found() {
    no_false_alarms_at_the_edge(60);
    what_is_5_percent_over_is_found(40);
    verdicts_on_percentiles_have_the_stated_error_rates(40);
    verdicts_on_shares_have_the_stated_error_rates(100);
}

#[test]
#[ignore = "takes a minute; .ci/long runs it"]
fn of_a_thousand_runs_at_the_limit_at_most_69_fail_and_runs_5_percent_over_it_are_found() {
    no_false_alarms_at_the_edge(1_000);
    what_is_5_percent_over_is_found(1_000);
    verdicts_on_percentiles_have_the_stated_error_rates(1_000);
    verdicts_on_shares_have_the_stated_error_rates(1_000);
}

#[test]
fn without_frames_no_gate_on_any_figure_passes() {
    let paths = ["l1.mean", "l1.p50", "l1.p99", "l1.max", "l2.rms", "bias.x", "limit", "efficiency", "nees"];
    for frames in 0..=2 {
        for path in paths {
            for text in [format!("error_px.{path} <= 1e9"), format!("error_px.{path} >= -1e9")] {
                let judged = judged(&session(1, frames, 1.0, 0.0), &text.parse().unwrap());
                let has_data = frames > 0 && path != "nees";
                assert_eq!(judged.verdict == Verdict::NoData, !has_data, "{text}, {frames} frames: {judged:?}");
                // One frame has no bounds: only what is exact passes.
                let is_exact = ["l1.max", "limit"].contains(&path);
                // But any sample is below the 99th percentile with a probability of 99 %.
                let is_below = path == "l1.p99" && text.contains(">=");
                assert!(
                    frames != 1 || (is_exact || is_below) == (judged.verdict == Verdict::Pass),
                    "{text}: {judged:?}"
                );
            }
        }
    }
}
