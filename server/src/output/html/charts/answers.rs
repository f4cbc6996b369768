//! The charts of the tasks `image` and `ack`, whose frames need no truth.

use super::distribution::steps;
use crate::output::html::facts::SessionFacts;
use crate::output::html::plot::{Axis, Plot, nothing};
use crate::output::html::session::SessionFrames;
use crate::output::html::text::{short, whole};

/// Maximum number of codes that have a bar each.
const CODES: usize = 12;

/// How close the pictures that came back are to the frames.
pub(super) fn image(frames: &SessionFrames, facts: &SessionFacts) -> String {
    let [images, identical, other] =
        ["images", "identical", "other_shape"].map(|name| facts.figure(&format!("image.{name}")).unwrap_or_default());
    shapes(images, identical, other)
        + &if frames.residual.count() == 0 {
            nothing("psnr", "PSNR", "The PSNR shows no difference between the pictures and their frames.")
        } else {
            psnr(frames) + &cumulative(frames)
        }
}

fn shapes(images: f64, identical: f64, other: f64) -> String {
    let groups = [
        ("identical", identical, "right"),
        ("differs", images - identical - other, "frames"),
        ("other shape", other, "wrong"),
    ];
    let mut plot = Plot::new(Axis::linear("frames", 0.0, images.max(1.0) * 1.05), Axis::linear("", 0.0, 3.0))
        .without_y([0.0, 3.0]);
    for (row, (name, count, class)) in groups.into_iter().enumerate() {
        plot.cell(class, [0.0, row as f64 + 0.42], [count, row as f64 + 0.86], 1.0, "");
        plot.label([0.0, row as f64 + 0.24], "start", &format!("{name}: {}", whole(count as u64)));
    }
    plot.figure("matches", "Pictures that came back", &format!("{} pictures came back.", whole(images as u64)))
}

fn psnr(frames: &SessionFrames) -> String {
    let (low, high) = (frames.residual.quantile(0.0).unwrap_or_default(), frames.residual.max());
    let room = ((high - low) * 0.1).max(0.5);
    let mut plot = Plot::new(
        Axis::linear("time, s", 0.0, frames.timeline.end_s()),
        Axis::linear("PSNR, dB", low - room, high + room),
    );
    super::over_time::dots_and_mean(&mut plot, frames);
    let words = format!(
        "Mean {}\u{202f}dB; more is closer. {}",
        short(frames.residual.mean().unwrap_or_default()),
        frames.sample.describe()
    );
    plot.figure("psnr-time", "PSNR over time", &words)
}

fn cumulative(frames: &SessionFrames) -> String {
    let (low, high) = (frames.residual.quantile(0.0).unwrap_or_default(), frames.residual.max());
    let room = ((high - low) * 0.05).max(0.2);
    let mut plot =
        Plot::new(Axis::linear("PSNR, dB", low - room, high + room), Axis::linear("share of frames, %", 0.0, 100.0));
    plot.line("frames", steps(&frames.residual));
    plot.explain("frames", "frames");
    let [p5, p50] = [0.05, 0.5].map(|share| short(frames.residual.quantile(share).unwrap_or_default()));
    plot.figure(
        "psnr-cdf",
        "Cumulative distribution of the PSNR",
        &format!("5\u{202f}% are below {p5}\u{202f}dB, half below {p50}\u{202f}dB."),
    )
}

/// The codes of acknowledgements.
pub(super) fn ack(facts: &SessionFacts) -> String {
    let codes = facts.at("ack.codes").as_object().into_iter().flatten();
    let mut codes: Vec<_> = codes.filter_map(|(code, count)| Some((code.clone(), count.as_u64()?))).collect();
    codes.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    if codes.is_empty() {
        return nothing("codes", "Codes", "No frame was acknowledged.");
    }
    // A report that was changed may have any counts.
    let other = facts.figure("ack.other_codes").unwrap_or_default() as u64;
    let more = codes.iter().skip(CODES).fold(other, |sum, (_, count)| sum.saturating_add(*count));
    codes.truncate(CODES);
    let (most, rows) = (codes[0].1 as f64, codes.len().max(3) as f64);
    let mut plot =
        Plot::new(Axis::linear("frames", 0.0, most * 1.05), Axis::linear("", 0.0, 1.0)).without_y([0.0, rows]);
    for (row, (code, count)) in codes.iter().enumerate() {
        plot.cell("frames", [0.0, row as f64 + 0.1], [*count as f64, row as f64 + 0.9], 0.45, "");
        plot.label([0.0, row as f64 + 0.5], "start", &format!(" code {code}: {}", whole(*count)));
    }
    let words =
        if more > 0 { format!("{} frames have other codes.", whole(more)) } else { "All codes are shown.".into() };
    plot.figure("codes", "Codes", &words)
}
