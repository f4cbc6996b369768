//! The chart of frames without a right answer, over time.

use crate::output::html::plot::{Axis, Plot};
use crate::output::html::session::SessionFrames;
use crate::output::html::text::{percent, short, whole};
use crate::output::html::timeline::LOSSES;

/// The class of each cause.
const CLASSES: [&str; LOSSES.len()] = ["loss1", "loss2", "loss3", "loss4", "loss5", "loss6", "loss7", "loss8"];

/// Frames without a right answer, by cause, on a time line.
pub(super) fn figure(frames: &SessionFrames) -> String {
    let timeline = &frames.timeline;
    let bars: Vec<_> = timeline.bins().map(|(_, bin)| bin.losses).collect();
    let width = timeline.bin_s();
    let most = bars.iter().map(|bar| bar.iter().sum::<u64>()).max().unwrap_or_default();
    let mut plot = Plot::new(
        Axis::linear("time, s", 0.0, timeline.end_s()),
        Axis::linear("frames", 0.0, (most as f64 * 1.1).max(5.0)),
    );
    for (bar, losses) in bars.iter().enumerate() {
        let (from, mut below) = (bar as f64 * width, 0);
        for (count, class) in losses.iter().zip(CLASSES) {
            plot.bar(class, [from, from + width * 0.92], [below as f64, (below + count) as f64], "");
            below += count;
        }
    }
    let all = timeline.losses();
    let listed: Vec<_> = (0..LOSSES.len()).filter(|place| all[*place] > 0).collect();
    for &place in &listed {
        plot.explain(CLASSES[place], format!("{}: {}", LOSSES[place], whole(all[place])));
    }
    let sum = all.iter().sum::<u64>();
    let words = if sum == 0 {
        plot.label([timeline.end_s() / 2.0, 2.5], "middle", "none");
        "Every frame was answered, and none was missed.".to_owned()
    } else {
        format!(
            "{} of {} frames ({}). A bar is {}\u{202f}s.",
            whole(sum),
            whole(frames.frames),
            percent(sum as f64 / frames.frames.max(1) as f64),
            short(width)
        )
    };
    plot.figure("losses", "Frames without a right answer", &words)
}
