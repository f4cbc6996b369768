//! Charts of the distribution of the errors, with the distribution that the limit predicts.

use super::limit::predicted;
use crate::output::html::plot::{Axis, Plot};
use crate::output::html::session::SessionFrames;
use crate::output::html::text::{percent, short};

/// Bars of a histogram.
const BARS: usize = 44;

/// Points of a curve.
const POINTS: usize = 120;

/// The histogram.
pub(super) fn histogram(frames: &SessionFrames) -> String {
    let (errors, limits) = (&frames.residual, &frames.limit);
    let end = (errors.quantile(0.995).unwrap_or_default() * 1.1).max(3.0 * limits.mean().unwrap_or_default()).max(1e-6);
    let width = end / BARS as f64;
    let shares: Vec<_> = errors.linear(end, BARS).into_iter().map(|count| count / errors.count() as f64).collect();
    let expected: Vec<_> = (0..BARS)
        .map(|bar| {
            if limits.count() == 0 {
                0.0
            } else {
                predicted((bar + 1) as f64 * width, limits) - predicted(bar as f64 * width, limits)
            }
        })
        .collect();
    let top = shares.iter().chain(&expected).fold(0.0, |most: f64, share| most.max(*share)) * 1.08;
    let mut plot = Plot::new(
        Axis::linear("error |dx| + |dy|, px", 0.0, end),
        Axis::linear("share of frames, %", 0.0, top * 100.0),
    );
    for (bar, share) in shares.iter().enumerate() {
        let from = bar as f64 * width;
        plot.bar("frames", [from, from + width], [0.0, share * 100.0], "");
    }
    plot.explain("frames", "frames");
    if limits.count() > 0 {
        plot.line("limit", expected.iter().enumerate().map(|(bar, share)| [(bar as f64 + 0.5) * width, share * 100.0]));
        plot.explain("limit", "predicted by the limit");
    }
    let median = errors.quantile(0.5).unwrap_or_default();
    plot.figure(
        "residual-histogram",
        "Distribution of the error",
        &format!("Median {}\u{202f}px. {}", short(median), compared(frames)),
    )
}

/// The share of frames up to each error.
pub(super) fn cumulative(frames: &SessionFrames) -> String {
    let (errors, limits) = (&frames.residual, &frames.limit);
    let low = errors.quantile(0.01).unwrap_or(1e-3).min(limits.mean().unwrap_or(f64::MAX) / 10.0);
    let high = errors.max().max(3.0 * limits.mean().unwrap_or_default());
    let mut plot =
        Plot::new(Axis::log("error |dx| + |dy|, px", low, high), Axis::linear("share of frames, %", 0.0, 100.0));
    plot.line("frames", steps(errors));
    plot.explain("frames", "frames");
    if limits.count() > 0 {
        let at = |point: usize| low * (high / low).powf(point as f64 / POINTS as f64);
        plot.line("limit", (0..=POINTS).map(|point| [at(point), predicted(at(point), limits) * 100.0]));
        plot.explain("limit", "predicted by the limit");
    }
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| short(errors.quantile(share).unwrap_or_default()));
    let words = format!(
        "Half of the errors are below {p50}\u{202f}px, 95\u{202f}% below {p95}\u{202f}px, 99\u{202f}% below {p99}\u{202f}px."
    );
    plot.figure("residual-cdf", "Cumulative distribution", &words)
}

/// The points of the cumulative distribution, in percent.
pub(super) fn steps(spread: &crate::output::html::spread::Spread) -> impl Iterator<Item = [f64; 2]> {
    let mut below = 0.0;
    let all = spread.count() as f64;
    spread.bins().flat_map(move |(low, high, count)| {
        let before = below;
        below += count;
        [[low, before / all * 100.0], [high, below / all * 100.0]]
    })
}

/// The share of errors below the 95 % quantile that the limit predicts, as a sentence.
fn compared(frames: &SessionFrames) -> String {
    if frames.limit.count() == 0 {
        return "The limit is not known.".into();
    }
    let below = |t: f64| predicted(t, &frames.limit);
    // The 95 % quantile of the prediction, by bisection: sixty halvings are exact to the last digit.
    let (mut low, mut high) = (0.0, frames.limit.max() * 10.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if below(middle) < 0.95 { low = middle } else { high = middle }
    }
    let above: f64 =
        frames.residual.bins().filter(|(from, to, _)| (from * to).sqrt() > low).map(|(.., count)| count).sum();
    let share = above / frames.residual.count() as f64;
    format!("At the limit 5\u{202f}% of the errors would be above {}\u{202f}px; {} are.", short(low), percent(share))
}
