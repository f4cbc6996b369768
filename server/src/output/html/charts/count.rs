//! The charts of the task `count`.

use crate::output::html::facts::SessionFacts;
use crate::output::html::plot::{Axis, Plot, nothing};
use crate::output::html::session::{COUNTED, SessionFrames};
use crate::output::html::text::{percent, short, whole};

/// The counts by truth and answer, by error, and over time.
pub(super) fn figures(frames: &SessionFrames, facts: &SessionFacts) -> String {
    if frames.residual.count() == 0 {
        return nothing("count", "Counts", "No frame of a known number of balls was answered with a number.");
    }
    confusion(facts) + &errors(frames) + &over_time(frames)
}

/// Truth against answer.
fn confusion(facts: &SessionFacts) -> String {
    let table: Vec<Vec<u64>> = serde_json::from_value(facts.at("count.confusion").clone()).unwrap_or_default();
    let cells: Vec<_> = table
        .iter()
        .enumerate()
        .flat_map(|(truth, row)| row.iter().enumerate().map(move |(answer, count)| (truth, answer, *count)))
        .filter(|(.., count)| *count > 0)
        .collect();
    let side = cells.iter().map(|(truth, answer, _)| truth.max(answer) + 1).max().unwrap_or(1).max(3);
    let down = Axis { label: "balls in the frame", from: side as f64 - 0.5, to: -0.5, is_log: false };
    let mut plot = Plot::new(Axis::linear("balls in the answer", -0.5, side as f64 - 0.5), down);
    for (truth, answer, count) in cells {
        let of_row: f64 = table[truth].iter().map(|count| *count as f64).sum();
        let (x, y) = (answer as f64, truth as f64);
        let class = if truth == answer { "right" } else { "wrong" };
        let strength = 0.12 + 0.88 * count as f64 / of_row.max(1.0);
        plot.cell(class, [x - 0.48, y - 0.46], [x + 0.48, y + 0.46], strength, &format!("{count} frames"));
        plot.label([x, y], "middle", &whole(count));
    }
    plot.explain("right", "right");
    plot.explain("wrong", "wrong");
    let share = facts.figure("count.exact_share").map_or_else(|| "unknown".into(), percent);
    let ends = ["count.exact_share_low", "count.exact_share_high"]
        .map(|path| facts.figure(path).map_or_else(|| "unknown".into(), percent));
    let words = format!(
        "{share} of the counts are exact (95\u{202f}% interval: {} to {}). 11 stands for all larger numbers.",
        ends[0], ends[1]
    );
    plot.figure("confusion", "Truth and answer", &words)
}

/// Frames by their error.
fn errors(frames: &SessionFrames) -> String {
    let all = frames.residual.count() as f64;
    let reach = COUNTED as f64 + 0.6;
    let most = frames.counted.iter().max().copied().unwrap_or_default() as f64 / all * 100.0;
    let mut plot = Plot::new(
        Axis::linear("answer minus truth, balls", -reach, reach),
        Axis::linear("share of frames, %", 0.0, most * 1.1),
    );
    for (error, count) in (-COUNTED..).zip(frames.counted) {
        let at = error as f64;
        plot.bar(
            if error == 0 { "right" } else { "wrong" },
            [at - 0.4, at + 0.4],
            [0.0, count as f64 / all * 100.0],
            &format!("{count} frames"),
        );
    }
    let [few, many] = [&frames.counted[..COUNTED as usize], &frames.counted[COUNTED as usize + 1..]]
        .map(|counts| counts.iter().sum::<u64>());
    plot.explain("right", "right");
    plot.explain("wrong", "wrong");
    let words = format!(
        "{} frames with too few, {} with too many. The outer bars hold all larger errors.",
        whole(few),
        whole(many)
    );
    plot.figure("count-errors", "Errors of the counts", &words)
}

/// The mean error over time.
fn over_time(frames: &SessionFrames) -> String {
    let most = frames.residual.quantile(0.99).unwrap_or_default().max(1.0) * 1.2;
    let mut plot = Plot::new(
        Axis::linear("time, s", 0.0, frames.timeline.end_s()),
        Axis::linear("answer minus truth, balls", -most, most),
    );
    super::over_time::dots_and_mean(&mut plot, frames);
    let words = format!(
        "Mean magnitude {} balls. {}",
        short(frames.residual.mean().unwrap_or_default()),
        frames.sample.describe()
    );
    plot.figure("residual-time", "Error over time", &words)
}
