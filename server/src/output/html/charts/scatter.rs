//! The chart of errors in the plane, with the bias, the spread, and the mean covariance in the answers.

use super::limit::AT_95;
use crate::output::html::facts::SessionFacts;
use crate::output::html::moments::{Axes, ELLIPSE_95};
use crate::output::html::plot::Plot;
use crate::output::html::session::SessionFrames;
use crate::output::html::text::{number, short};

/// dx and dy of frames, with the ellipses.
pub(super) fn figure(frames: &SessionFrames, facts: &SessionFacts) -> String {
    let (bias, spread, claimed) = (frames.moments.bias(), frames.moments.ellipse(), frames.moments.claimed());
    let Some(bias) = bias else { return String::new() };
    // σ along an axis: the limit is 2 √(2/π) σ.
    let limit = frames.limit.mean().map(|limit| limit / (2.0 * (2.0 / std::f64::consts::PI).sqrt()) * ELLIPSE_95);
    let mut plot = Plot::square(
        ["dx, px (to the right)", "dy, px (down)"],
        bias.map(|mean| mean / 2.0),
        reach(frames, bias, limit),
    );
    if let Some(radius) = limit {
        plot.ellipse("limit", [0.0, 0.0], Axes { long: radius, short: radius, degrees: 0.0 });
        plot.explain("limit", "95 % of errors at the limit");
    }
    plot.dots("frames", frames.sample.points().filter_map(|point| point.error));
    if let Some(axes) = spread {
        plot.ellipse("spread", bias, axes);
        plot.explain("spread", "95 % ellipse of the errors");
    }
    if let Some(axes) = claimed {
        plot.ellipse("claimed", bias, axes);
        plot.explain("claimed", "95 % ellipse by the answers' covariances");
    }
    plot.cross("bias", bias);
    plot.explain("bias", "bias");
    let words = words(facts, bias, spread, claimed) + &frames.sample.describe();
    plot.figure("scatter", "Errors in the plane", &words)
}

/// Half the height of the chart. Both ellipses, the limit and most frames fit into it.
fn reach(frames: &SessionFrames, bias: [f64; 2], limit: Option<f64>) -> f64 {
    let axes = frames.moments.ellipse().into_iter().chain(frames.moments.claimed());
    let ellipses = axes.map(|axes| axes.long).fold(limit.unwrap_or_default(), f64::max);
    let most = frames.residual.quantile(0.99).unwrap_or_default() * AT_95 / 2.0;
    let aside = bias[0].abs().max(bias[1].abs()) / 2.0;
    (aside + ellipses.min(most * 3.0).max(limit.unwrap_or_default())).max(1e-6) * 1.1
}

fn words(facts: &SessionFacts, bias: [f64; 2], spread: Option<Axes>, claimed: Option<Axes>) -> String {
    let [x, y] = bias.map(|mean| number(mean, 3));
    let mut words = format!("Bias ({x}, {y})\u{202f}px. ");
    if let Some(Axes { long, short: small, .. }) = spread {
        words +=
            &format!("The ellipse of the errors has half-axes of {} and {}\u{202f}px. ", short(long), short(small));
        if let Some(own) = claimed {
            let ratio = (own.long * own.short / (long * small).max(f64::MIN_POSITIVE)).sqrt();
            words += &format!("The ellipse by the answers' covariances is {} times as long and wide", short(ratio));
            words += &facts
                .figure("error_px.nees")
                .map_or(String::new(), |nees| format!(" (NEES {}; 1 is right)", short(nees)));
            words += ". ";
        }
    }
    words
}
