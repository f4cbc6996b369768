//! Charts of the latency: its stages, its distribution, and its course over time.

use super::distribution::steps;
use crate::output::html::facts::SessionFacts;
use crate::output::html::plot::{Axis, Plot, nothing};
use crate::output::html::sample::Point;
use crate::output::html::session::SessionFrames;
use crate::output::html::text::{short, time, whole};
use crate::output::html::timeline::STAGES;

/// The class of each stage.
const CLASSES: [&str; STAGES.len()] = ["stage1", "stage2", "stage3", "stage4", "stage5"];

/// The share of the frames that count as the slowest.
const SLOWEST: f64 = 0.05;

/// The three charts.
pub(super) fn figures(frames: &SessionFrames, facts: &SessionFacts) -> String {
    if frames.latency.count() == 0 {
        return nothing("latency", "Latency", "No frame was answered.");
    }
    over_time(frames, facts) + &stages(frames) + &slowest(frames) + &cumulative(frames, facts)
}

fn over_time(frames: &SessionFrames, facts: &SessionFacts) -> String {
    let top = frames.latency.quantile(0.99).unwrap_or_default().max(1.0) * 1.15 / 1e3;
    let mut plot =
        Plot::new(Axis::linear("time, s", 0.0, frames.timeline.end_s()), Axis::linear("latency, ms", 0.0, top));
    plot.dots("frames", frames.sample.points().filter_map(|point| Some([point.at_s, point.latency_us? / 1e3])));
    plot.line("mean", frames.timeline.bins().filter_map(|(at, bin)| Some([at, bin.latency.mean()? / 1e3])));
    plot.explain("frames", "frame");
    plot.explain("mean", format!("mean of {}\u{202f}s", short(frames.timeline.bin_s())));
    let [p50, p99, max] = ["p50", "p99", "max"]
        .map(|name| facts.figure(&format!("latency_us.{name}")).map_or_else(|| "unknown".into(), time));
    let above: f64 = frames.latency.bins().filter(|(low, ..)| *low >= top * 1e3).map(|(.., count)| count).sum();
    let above =
        if above > 0.0 { format!(" Slower frames at the upper edge: {}.", whole(above as u64)) } else { String::new() };
    let words = format!("Median {p50}, 99th percentile {p99}, largest {max}.{above} {}", frames.sample.describe());
    plot.figure("latency-time", "Latency over time", &words)
}

/// The mean of each stage over time, stacked.
fn stages(frames: &SessionFrames) -> String {
    let of = |bin: crate::output::html::timeline::Bin| {
        let means = bin.stages.map(|sum| sum.mean().map(|us| us / 1e3));
        means.into_iter().collect::<Option<Vec<_>>>()
    };
    let bins: Vec<_> = frames.timeline.bins().filter_map(|(at, bin)| Some((at, of(bin)?))).collect();
    let heading = "Latency by stage";
    if bins.is_empty() {
        return nothing(
            "latency-stages",
            heading,
            "The stages are not known: the client's clock was not compared with the server's.",
        );
    }
    let top = bins.iter().map(|(_, means)| means.iter().sum::<f64>()).fold(0.0, f64::max) * 1.08;
    let mut plot =
        Plot::new(Axis::linear("time, s", 0.0, frames.timeline.end_s()), Axis::linear("mean latency, ms", 0.0, top));
    let half = frames.timeline.bin_s() / 2.0;
    for (stage, class) in CLASSES.into_iter().enumerate() {
        let edge = |at: f64, means: &[f64]| [at, means[..stage].iter().sum(), means[..=stage].iter().sum()];
        // Each bin is as wide as its length in time.
        let edges: Vec<_> =
            bins.iter().flat_map(|(at, means)| [edge(at - half, means), edge(at + half, means)]).collect();
        plot.band(class, edges.into_iter());
        plot.explain(class, STAGES[stage]);
    }
    plot.figure("latency-stages", heading, &format!("Means of {}\u{202f}s, stacked.", short(frames.timeline.bin_s())))
}

/// The mean time in each stage, of all frames and of the slowest ones.
fn slowest(frames: &SessionFrames) -> String {
    let mut points: Vec<&Point> = frames.sample.points().filter(|point| point.stages_us.is_some()).collect();
    points.sort_by(|one, other| other.latency_us.unwrap_or_default().total_cmp(&one.latency_us.unwrap_or_default()));
    let few = &points[..((points.len() as f64 * SLOWEST).ceil() as usize).min(points.len())];
    let heading = "Where the time goes";
    if points.is_empty() {
        return nothing(
            "latency-slowest",
            heading,
            "The stages are not known: the client's clock was not compared with the server's.",
        );
    }
    let groups = [("all", mean(&points)), ("slowest 5 %", mean(few))];
    let most = groups.iter().map(|(_, stages)| stages.iter().sum::<f64>()).fold(0.0, f64::max);
    let mut plot = Plot::new(Axis::linear("mean latency, ms", 0.0, most * 1.05), Axis::linear("", 0.0, 2.0));
    plot = plot.without_y([0.0, 2.0]);
    for (row, (name, stages)) in groups.iter().enumerate() {
        let mut from = 0.0;
        for (stage, ms) in stages.iter().enumerate() {
            let corners = [[from, row as f64 + 0.36], [from + ms, row as f64 + 0.84]];
            plot.cell(CLASSES[stage], corners[0], corners[1], 1.0, &format!("{}: {} ms", STAGES[stage], short(*ms)));
            from += ms;
        }
        plot.label([0.0, row as f64 + 0.2], "start", &format!("{name}: {} ms", short(from)));
    }
    CLASSES.into_iter().zip(STAGES).for_each(|(class, stage)| plot.explain(class, stage));
    let [all, slow] = groups.map(|(_, stages)| stages);
    let (stage, more) = (0..STAGES.len())
        .map(|stage| (stage, slow[stage] - all[stage]))
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .unwrap_or_default();
    let words = format!(
        "In the slowest 5\u{202f}% the stage \u{201c}{}\u{201d} takes {}\u{202f}ms longer than in the mean.",
        STAGES[stage],
        short(more)
    );
    plot.figure("latency-slowest", heading, &words)
}

/// Mean of each stage, in ms.
fn mean(points: &[&Point]) -> [f64; STAGES.len()] {
    std::array::from_fn(|stage| {
        let sum: f64 = points.iter().filter_map(|point| point.stages_us).map(|stages| stages[stage]).sum();
        sum / points.len() as f64 / 1e3
    })
}

fn cumulative(frames: &SessionFrames, facts: &SessionFacts) -> String {
    let latency = &frames.latency;
    let low = latency.quantile(0.0).unwrap_or(1.0) / 1e3 * 0.98;
    let mut plot =
        Plot::new(Axis::log("latency, ms", low, latency.max() / 1e3), Axis::linear("share of frames, %", 0.0, 100.0));
    plot.line("frames", steps(latency).map(|[us, share]| [us / 1e3, share]));
    plot.explain("frames", "frames");
    let [p50, p95, p99] = ["p50", "p95", "p99"].map(|name| {
        let path = format!("latency_us.{name}");
        let bounds =
            facts.bounds(&path).map_or(String::new(), |[low, high]| format!(" ({} to {})", time(low), time(high)));
        facts.figure(&path).map_or_else(|| "unknown".into(), |us| time(us) + &bounds)
    });
    let words = format!(
        "50\u{202f}%: {p50}. 95\u{202f}%: {p95}. 99\u{202f}%: {p99}. In brackets: the bounds of 95\u{202f}% confidence on each side."
    );
    plot.figure("latency-cdf", "Cumulative distribution of the latency", &words)
}
