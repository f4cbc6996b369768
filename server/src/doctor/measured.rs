//! Warnings that compare a session's figures with fixed limits.

use super::warning::{Warning, WarningKind};
use crate::session::Figures;

/// Share of ticks skipped, or of frames lost, above which there is a warning.
const LEAST_SHARE: f64 = 0.01;

/// Fewest answers that give an upper bound of the 99th percentile: 1 − 0.99^299 ≥ 0.95.
const FEWEST: u64 = 299;

/// Times below this, in µs, are too short to matter: 1 ms.
const LEAST_US: u64 = 1_000;

/// An answer is slow if it takes this many times the median.
const SLOW: u64 = 3;

/// An answer is slow only if it takes this much longer than the median, in µs: a busy scheduler alone costs so much.
const SLOW_US: u64 = 10_000;

/// The warnings about a session's figures. `uncertainty_us` is that of the clocks' offset.
pub fn measured(figures: &Figures, uncertainty_us: Option<u64>) -> Vec<Warning> {
    let clock = clock(figures, uncertainty_us);
    let all = [skipped(figures), lost(figures), queue(figures), slow(figures), clock, few(figures)];
    all.into_iter().flatten().collect()
}

fn skipped(figures: &Figures) -> Option<Warning> {
    let counts = figures.frames.counts;
    let share = counts.skipped as f64 / (counts.sent + counts.skipped) as f64;
    let message = || format!("{} ticks, {:.1} %, passed without a frame", counts.skipped, 100.0 * share);
    let advice =
        "the window was full or the link busy: latency_us.corrected counts these ticks; lower --fps, or raise --window";
    (share > LEAST_SHARE).then(|| Warning::new(WarningKind::TicksSkipped, message(), advice))
}

fn lost(figures: &Figures) -> Option<Warning> {
    let frames = figures.frames;
    let counts = frames.counts;
    let message = || {
        format!("{} frames, {:.1} %, were lost: {}", counts.lost, 100.0 * frames.lost_rate, counts.lost_by.describe())
    };
    let advice =
        "frames.lost_by says where: a server, a link or a client that is too slow, or a pipeline that does not answer";
    (frames.lost_rate > LEAST_SHARE).then(|| Warning::new(WarningKind::FramesLost, message(), advice))
}

fn queue(figures: &Figures) -> Option<Warning> {
    let latency = &figures.latency_us;
    let (queue, total) = (latency.stages.queue.p50?, latency.total.p50?);
    let message = || {
        format!(
            "half of the frames wait {:.1} ms or more for a worker; the median latency is {:.1} ms",
            milliseconds(queue),
            milliseconds(total)
        )
    };
    let advice =
        "the pipeline is slower than the stream: lower --fps, or give the client more --workers or --policy latest";
    (2 * queue > total && queue > LEAST_US).then(|| Warning::new(WarningKind::QueueDominates, message(), advice))
}

fn slow(figures: &Figures) -> Option<Warning> {
    let detect = &figures.latency_us.stages.detect;
    let (p50, p95) = (detect.p50?, detect.p95?);
    let message = || {
        let [p50, p95] = [p50, p95].map(milliseconds);
        format!("detection takes {p95:.1} ms or more in one frame of twenty; its median is {p50:.1} ms")
    };
    let advice = "look for work that only some frames cause: garbage collection, a retry, a cache, a file";
    (p95 > SLOW * p50 && p95 > p50 + SLOW_US).then(|| Warning::new(WarningKind::SlowAnswers, message(), advice))
}

fn clock(figures: &Figures, uncertainty_us: Option<u64>) -> Option<Warning> {
    let (unsure, total) = (uncertainty_us?, figures.latency_us.total.p50?);
    let message = || {
        format!(
            "the offset of the clocks is known to {:.2} ms, and the median latency is {:.2} ms",
            milliseconds(unsure),
            milliseconds(total)
        )
    };
    let advice = "the split into stages.to_client and stages.back is a guess; the whole latency is exact";
    (unsure > total).then(|| Warning::new(WarningKind::ClockUncertain, message(), advice))
}

fn few(figures: &Figures) -> Option<Warning> {
    let counts = figures.frames.counts;
    let answered = counts.answered + counts.dropped;
    let message = || format!("{answered} answers are too few for an upper bound of a 99th percentile");
    let advice = "send at least 300 frames, or use the median";
    ((1..FEWEST).contains(&answered)).then(|| Warning::new(WarningKind::FewFrames, message(), advice))
}

fn milliseconds(us: u64) -> f64 {
    us as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::session;

    fn kinds(change: impl FnOnce(&mut Figures), uncertainty_us: u64) -> Vec<WarningKind> {
        let mut figures = session(1).figures;
        (figures.frames.counts.sent, figures.frames.counts.answered) = (600, 600);
        let latency = &mut figures.latency_us;
        (latency.total.p50, latency.stages.queue.p50) = (Some(2_000), Some(100));
        (latency.stages.detect.p50, latency.stages.detect.p95) = (Some(1_000), Some(1_500));
        change(&mut figures);
        measured(&figures, Some(uncertainty_us)).into_iter().map(|warning| warning.kind).collect()
    }

    #[test]
    fn each_condition_is_stated_and_a_sound_session_has_none() {
        assert_eq!(kinds(|_| {}, 2_000), []);
        assert_eq!(kinds(|figures| figures.frames.counts.skipped = 7, 0), [WarningKind::TicksSkipped]);
        assert_eq!(kinds(|figures| figures.frames.counts.skipped = 6, 0), []);
        assert_eq!(kinds(|figures| figures.frames.lost_rate = 0.05, 0), [WarningKind::FramesLost]);
        let waits = |figures: &mut Figures| figures.latency_us.stages.queue.p50 = Some(1_001);
        assert_eq!(kinds(waits, 0), [WarningKind::QueueDominates]);
        let slow = |figures: &mut Figures| figures.latency_us.stages.detect.p95 = Some(31_000);
        assert_eq!(kinds(slow, 0), [WarningKind::SlowAnswers]);
        assert_eq!(kinds(|_| {}, 2_001), [WarningKind::ClockUncertain]);
        assert_eq!(kinds(|figures| figures.frames.counts.answered = 298, 0), [WarningKind::FewFrames]);
    }
}
