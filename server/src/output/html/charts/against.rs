//! Charts of the error over radius, speed and contrast.

use crate::output::html::pictures::Contrast;
use crate::output::html::plot::{Axis, Plot, nothing};
use crate::output::html::sample::Point;
use crate::output::html::session::SessionFrames;
use crate::output::html::text::{number, short};

/// Number of intervals of the x axis, each with a mean.
const INTERVALS: usize = 8;

/// Fewest frames that an interval must have for a mean.
const ENOUGH: usize = 5;

/// A frame in these charts: its value on the x axis, its error and its limit.
type Frame = (f64, f64, Option<f64>);

/// Over the ball's radius.
pub(super) fn radius(frames: &SessionFrames) -> String {
    let of = |point: &Point| Some((point.radius?, point.residual?, point.limit));
    let points: Vec<_> = frames.sample.points().filter_map(of).collect();
    figure("residual-radius", "Error over radius", "radius, px", &points, "The radius is not known.")
}

/// Over the ball's speed.
pub(super) fn speed(frames: &SessionFrames) -> String {
    let of = |point: &Point| Some((point.speed?, point.residual?, point.limit));
    let points: Vec<_> = frames.sample.points().filter_map(of).collect();
    let why = "The speed is not known: no two frames that follow each other have a truth.";
    figure("residual-speed", "Error over speed", "speed, px per frame", &points, why)
}

/// Over the contrast of the ball, of frames that were rendered again.
pub(super) fn contrast(frames: &SessionFrames, contrasts: &[Contrast]) -> String {
    let own = contrasts.iter().filter(|contrast| contrast.session == frames.number);
    let points: Vec<_> = own.map(|contrast| (contrast.levels, contrast.residual, contrast.limit)).collect();
    let why = "The contrast is not known: frames of this source cannot be rendered again.";
    figure("residual-contrast", "Error over contrast", "ball against its surroundings, gray levels", &points, why)
}

fn figure(name: &str, heading: &str, label: &str, points: &[Frame], why_not: &str) -> String {
    let ends = points.iter().fold([f64::MAX, f64::MIN], |[low, high], (at, ..)| [low.min(*at), high.max(*at)]);
    if points.is_empty() {
        return nothing(name, heading, why_not);
    }
    let [low, high] = ends;
    // All frames have the same value: draw one column, with room on both sides.
    let room = ((high - low) * 0.04).max(high.abs() * 0.02).max(0.5);
    let mut errors: Vec<_> = points.iter().map(|(_, error, _)| *error).collect();
    errors.sort_by(f64::total_cmp);
    let top = errors[(errors.len() - 1) * 99 / 100] * 1.15;
    let mut plot =
        Plot::new(Axis::linear(label, (low - room).max(0.0), high + room), Axis::linear("error, px", 0.0, top));
    plot.dots("frames", points.iter().map(|(at, error, _)| [*at, *error]));
    plot.explain("frames", "frame");
    let width = ((high - low) / INTERVALS as f64).max(f64::MIN_POSITIVE);
    let means = means(points, low, width);
    for (from, to, error, limit) in &means {
        let (from, to) = if high > low { (*from, *to) } else { (low - room / 2.0, low + room / 2.0) };
        plot.line("mean", [[from, *error], [to, *error]].into_iter());
        if let Some(limit) = limit {
            plot.line("limit", [[from, *limit], [to, *limit]].into_iter());
        }
    }
    plot.explain("mean", "mean");
    if means.iter().any(|(.., limit)| limit.is_some()) {
        plot.explain("limit", "mean limit");
    }
    plot.figure(name, heading, &words(&means, high > low))
}

/// Mean error and mean limit of each interval that has enough frames.
fn means(points: &[Frame], low: f64, width: f64) -> Vec<(f64, f64, f64, Option<f64>)> {
    let of = |interval: usize| {
        let inside = |at: f64| (((at - low) / width) as usize).min(INTERVALS - 1) == interval;
        let frames: Vec<_> = points.iter().filter(|(at, ..)| inside(*at)).collect();
        let mean = |values: Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        let error = mean(frames.iter().map(|(_, error, _)| *error).collect()).filter(|_| frames.len() >= ENOUGH)?;
        let limit = mean(frames.iter().filter_map(|(.., limit)| *limit).collect());
        Some((low + interval as f64 * width, low + (interval + 1) as f64 * width, error, limit))
    };
    (0..INTERVALS).filter_map(of).collect()
}

fn words(means: &[(f64, f64, f64, Option<f64>)], differs: bool) -> String {
    let by_error =
        |one: &&(f64, f64, f64, Option<f64>), other: &&(f64, f64, f64, Option<f64>)| one.2.total_cmp(&other.2);
    // Where all values are close to each other, three digits would not tell the intervals apart.
    let are_close = means.iter().any(|(from, to, ..)| short(*from) == short(*to));
    let end = |value: f64| number(value, if are_close { 5 } else { 3 });
    match (means.iter().min_by(by_error), means.iter().max_by(by_error)) {
        _ if !differs => "It is the same in all frames.".into(),
        (Some(least), Some(most)) => format!(
            "Smallest from {} to {} ({}\u{202f}px), largest from {} to {} ({}\u{202f}px).",
            end(least.0),
            end(least.1),
            short(least.2),
            end(most.0),
            end(most.1),
            short(most.2)
        ),
        _ => "Too few frames for means.".into(),
    }
}
