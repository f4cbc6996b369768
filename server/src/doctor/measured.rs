//! Warnings that compare a session's figures with fixed limits.

use shared::link::webrtc::COMFORTABLE_BUFFER;

use super::warning::{Warning, WarningKind};
use crate::output::report::UdpBuffers;
use crate::score::bounds::Bounds;
use crate::session::Figures;

/// Share of ticks skipped, or of frames lost, above which there is a warning.
const LEAST_SHARE: f64 = 0.01;

/// Times below this, in µs, are too short to matter: 1 ms.
const LEAST_US: u64 = 1_000;

/// An answer is slow if it takes this many times the median.
const SLOW: u64 = 3;

/// An answer is slow only if it takes this much longer than the median, in µs: a busy scheduler alone costs so much.
const SLOW_US: u64 = 10_000;

/// The warnings about a session's figures. `uncertainty_us` is that of the clocks' offset.
pub fn measured(figures: &Figures, uncertainty_us: Option<u64>) -> Vec<Warning> {
    let clock = clock(figures, uncertainty_us);
    let all = [skipped(figures), lost(figures), queue(figures), slow(figures), clock];
    all.into_iter().flatten().collect()
}

fn skipped(figures: &Figures) -> Option<Warning> {
    let counts = figures.frames.counts;
    let share = counts.skipped as f64 / (counts.sent as f64 + counts.skipped as f64);
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
    (queue.saturating_mul(2) > total && queue > LEAST_US)
        .then(|| Warning::new(WarningKind::QueueDominates, message(), advice))
}

fn slow(figures: &Figures) -> Option<Warning> {
    let detect = &figures.latency_us.stages.detect;
    let (p50, p95) = (detect.p50?, detect.p95?);
    let message = || {
        let [p50, p95] = [p50, p95].map(milliseconds);
        format!("detection takes {p95:.1} ms or more in one frame of twenty; its median is {p50:.1} ms")
    };
    let advice = "look for work that only some frames cause: garbage collection, a retry, a cache, a file";
    (p95 > p50.saturating_mul(SLOW) && p95 > p50.saturating_add(SLOW_US))
        .then(|| Warning::new(WarningKind::SlowAnswers, message(), advice))
}

fn clock(figures: &Figures, uncertainty_us: Option<u64>) -> Option<Warning> {
    let (unsure, total) = (uncertainty_us?, figures.latency_us.total.p50?);
    let message = || {
        format!(
            "the offset of the clocks is known to within {:.2} ms, and the median latency is {:.2} ms",
            milliseconds(unsure),
            milliseconds(total)
        )
    };
    let advice = "the split into stages.to_client and stages.back is a guess; the whole latency is exact";
    (unsure > total).then(|| Warning::new(WarningKind::ClockUncertain, message(), advice))
}

/// Whether the kernel grants UDP sockets smaller buffers than were asked for, where it matters: a frame does not fit.
pub fn capped(figures: &Figures, granted: UdpBuffers) -> Option<Warning> {
    let UdpBuffers { receive_bytes, send_bytes } = granted;
    let smallest = receive_bytes.min(send_bytes);
    let frame = figures.bytes.frames_wire.checked_div(figures.frames.counts.sent)?;
    let message = || {
        let [receive, send, frame] = [receive_bytes, send_bytes, frame].map(|bytes| bytes >> 10);
        format!(
            "the kernel grants UDP sockets {receive} KiB to receive and {send} KiB to send, and a frame has {frame} KiB"
        )
    };
    let is_capped = smallest < COMFORTABLE_BUFFER as u64 && frame > smallest;
    is_capped.then(|| Warning::new(WarningKind::BufferCapped, message(), RAISE))
}

/// How to raise the buffers, on both machines.
const RAISE: &str = "packets may be lost in bursts, which delays frames; on the server's machine and the client's: sysctl -w \
                     net.core.rmem_max=4194304 net.core.wmem_max=4194304";

/// Whether gates judge percentiles for whose bound there are too few answers.
pub fn few(bounds: &Bounds, gated: impl Iterator<Item = impl AsRef<str>>) -> Option<Warning> {
    let short = |path: &str| {
        let bound = bounds.get(path).filter(|bound| bound.high.is_none())?;
        let (_, percent) = path.rsplit_once(".p")?;
        let fewest = fewest(percent.parse().ok()?);
        // So many would do if they were independent: answers that are late are often late together.
        let needed = if bound.samples < fewest { fewest } else { bound.samples.saturating_mul(2) };
        Some((path.to_owned(), bound.samples, needed))
    };
    let mut short: Vec<_> = gated.filter_map(|path| short(path.as_ref())).collect();
    short.sort();
    short.dedup();
    let needed = short.iter().map(|(.., needed)| *needed).max()?;
    let said: Vec<_> = short.iter().map(|(path, samples, _)| format!("{path} ({samples} answers)")).collect();
    let message = format!("too few answers for an upper bound of a percentile that a gate judges: {}", said.join(", "));
    let is_median = short.iter().all(|(path, ..)| path.ends_with(".p50"));
    let or = if is_median { "" } else { ", or gate the median" };
    let advice = format!("send at least {needed} frames{or}");
    Some(Warning { kind: WarningKind::FewFrames, message, advice: advice.into() })
}

/// Fewest answers with an upper bound of this percentile: 1 − p^n ≥ 0.95.
fn fewest(percent: u8) -> u64 {
    (0.05_f64.ln() / (f64::from(percent.clamp(1, 99)) / 100.0).ln()).ceil() as u64
}

fn milliseconds(us: u64) -> f64 {
    us as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::session;
    use crate::score::bounds::Bound;

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
        assert_eq!(kinds(|figures| figures.frames.counts.answered = 20, 0), []);
    }

    #[test]
    fn times_and_counts_of_any_size_are_compared() {
        let largest = |figures: &mut Figures| {
            (figures.frames.counts.sent, figures.frames.counts.skipped) = (u64::MAX, u64::MAX);
            let stages = &mut figures.latency_us.stages;
            (stages.queue.p50, stages.detect.p50, stages.detect.p95) = (Some(u64::MAX), Some(u64::MAX), Some(u64::MAX));
        };
        assert_eq!(kinds(largest, 0), [WarningKind::TicksSkipped, WarningKind::QueueDominates]);
    }

    #[test]
    fn capped_buffers_are_stated_where_a_frame_does_not_fit() {
        let kind = |receive_bytes: u64, send_bytes: u64, frame: u64| {
            let mut figures = session(1).figures;
            (figures.frames.counts.sent, figures.bytes.frames_wire) = (10, 10 * frame);
            capped(&figures, UdpBuffers { receive_bytes, send_bytes }).map(|warning| warning.message)
        };
        let said = kind(212_992, 4 << 20, 307_300).expect("a warning");
        assert_eq!(
            said,
            "the kernel grants UDP sockets 208 KiB to receive and 4096 KiB to send, and a frame has 300 KiB"
        );
        assert!(kind(4 << 20, 212_992, 307_300).is_some());
        assert_eq!(kind(212_992, 212_992, 19_200), None, "small frames fit");
        assert_eq!(kind(4 << 20, 4 << 20, 6 << 20), None, "what was asked for was granted");
    }

    #[test]
    fn too_few_frames_are_stated_once_and_only_for_a_percentile_that_is_gated() {
        let bound = |high, samples| Bound { low: None, high, samples };
        let bounds: Bounds = [
            ("latency_us.p99".to_owned(), bound(None, 60)),
            ("latency_us.p95".to_owned(), bound(Some(7.0), 60)),
            ("error_px.l1.p99".to_owned(), bound(None, 59)),
        ]
        .into();
        let said = |gated: &[&str]| few(&bounds, gated.iter()).map(|warning| (warning.message, warning.advice));
        assert_eq!(said(&[]), None);
        assert_eq!(said(&["latency_us.p95", "frames.lost_rate", "latency_us.max"]), None);
        let (message, advice) = said(&["latency_us.p99", "error_px.l1.p99", "latency_us.p99"]).expect("a warning");
        assert!(message.ends_with("error_px.l1.p99 (59 answers), latency_us.p99 (60 answers)"), "{message}");
        assert_eq!(advice, "send at least 299 frames, or gate the median");
        assert_eq!((fewest(95), fewest(99)), (59, 299));
        // These depend on each other: independent ones would do.
        let bounds: Bounds =
            [("latency_us.p95".to_owned(), bound(None, 120)), ("latency_us.p50".to_owned(), bound(None, 8))].into();
        let advice = |path| few(&bounds, [path].iter()).expect("a warning").advice;
        assert_eq!(advice("latency_us.p95"), "send at least 240 frames, or gate the median");
        assert_eq!(advice("latency_us.p50"), "send at least 16 frames");
    }
}
