//! The chart of errors over time, with the mean and the band that the limit predicts.

use super::limit::AT_95;
use crate::output::html::facts::SessionFacts;
use crate::output::html::plot::{Axis, Plot};
use crate::output::html::session::SessionFrames;
use crate::output::html::text::{short, whole};

/// The error |dx| + |dy| of frames and its mean, with the band of the limit.
pub(super) fn error(frames: &SessionFrames, facts: &SessionFacts) -> String {
    let limit = frames.limit.mean();
    let top = top(frames, limit.unwrap_or_default() * AT_95);
    let mut plot =
        Plot::new(Axis::linear("time, s", 0.0, frames.timeline.end_s()), Axis::linear("error, px", 0.0, top));
    let limits: Vec<_> =
        frames.timeline.bins().filter_map(|(at, bin)| Some([at, 0.0, bin.limit.mean()? * AT_95])).collect();
    plot.band("limit", widened(&limits, frames).into_iter());
    dots_and_mean(&mut plot, frames);
    let mut words = format!("Mean error {}\u{202f}px", short(frames.residual.mean().unwrap_or_default()));
    if let Some(limit) = limit {
        plot.line("limit", widened(&limits, frames).into_iter().map(|[at, _, high]| [at, high / AT_95]));
        plot.explain("limit", "limit, and where 95 % of errors at the limit lie");
        let ratio = facts
            .figure("error_px.efficiency")
            .map_or(String::new(), |ratio| format!(", {} times the limit", short(ratio)));
        words += &format!("{ratio} ({}\u{202f}px)", short(limit));
    }
    words += ". ";
    words += &above(frames, top);
    words += &frames.sample.describe();
    plot.figure("residual-time", "Error over time", &words)
}

/// The dots of the sample, the mean of each bin, and the largest of each bin.
pub(super) fn dots_and_mean(plot: &mut Plot<'_>, frames: &SessionFrames) {
    plot.dots("frames", frames.sample.points().filter_map(|point| Some([point.at_s, point.residual?])));
    plot.line("mean", frames.timeline.bins().filter_map(|(at, bin)| Some([at, bin.residual.mean()?])));
    plot.explain("frames", "frame");
    plot.explain("mean", format!("mean of {}\u{202f}s", short(frames.timeline.bin_s())));
}

/// Extends a band to the ends of the axis, even if it has only one bin.
fn widened(band: &[[f64; 3]], frames: &SessionFrames) -> Vec<[f64; 3]> {
    let (Some(first), Some(last)) = (band.first(), band.last()) else { return Vec::new() };
    let (start, end) = ([0.0, first[1], first[2]], [frames.timeline.end_s(), last[1], last[2]]);
    [&[start], band, &[end]].concat()
}

/// The top of an axis of errors: above 99 % of them and above the limit's band. Outliers are drawn at the edge.
fn top(frames: &SessionFrames, band: f64) -> f64 {
    let most = frames.residual.quantile(0.99).unwrap_or_default();
    (most * 1.15).min(frames.residual.max() * 1.05).max(band * 1.15)
}

/// Says how many errors lie above the axis.
fn above(frames: &SessionFrames, top: f64) -> String {
    let count: f64 = frames.residual.bins().filter(|(low, ..)| *low >= top).map(|(.., count)| count).sum();
    match count as u64 {
        0 => String::new(),
        count => format!(
            "Larger errors at the upper edge: {}, up to {}\u{202f}px. ",
            whole(count),
            short(frames.residual.max())
        ),
    }
}
