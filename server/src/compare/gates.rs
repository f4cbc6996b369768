//! Gates on a comparison: `worse == 0`, `error_px.l1.mean.ratio <= 1.05`, `latency_us.p50.difference <= 1ms`.
//!
//! They are judged like a run's gates, by the 95 % bound of the value.

use super::figure;
use super::result::{Compared, Comparison};
use super::rounds::LATENCIES;
use crate::gate::{Condition, GateVerdict, Verdict, judge_figure, unknown_figure, without_data};
use crate::score::bounds::Bound;

/// The values of a figure that a gate can test.
const ENDS: [&str; 2] = ["difference", "ratio"];

/// The counts of figures with the verdict worse or better.
const COUNTS: [&str; 2] = ["worse", "better"];

/// Checks that each condition names a value of a comparison.
///
/// # Errors
/// Names the first unknown path, and the known path that is most similar.
pub(super) fn check(conditions: &[Condition]) -> Result<(), String> {
    let figures = figure::all().map(|figure| figure.path).chain(LATENCIES.iter().map(|(path, _)| *path));
    let ends = figures.flat_map(|path| ENDS.map(|end| format!("{path}.{end}")));
    let known: Vec<_> = COUNTS.iter().map(ToString::to_string).chain(ends).collect();
    let wrong = conditions.iter().find(|condition| !known.iter().any(|known| known == condition.path()));
    wrong.map_or(Ok(()), |condition| Err(unknown_figure("a comparison", condition.path(), &known)))
}

/// Judges each condition on each comparison, and returns the worst verdict on each.
pub(super) fn judge(conditions: &[Condition], comparisons: &[Comparison]) -> Vec<GateVerdict> {
    let worst = |condition: &Condition| {
        let judged = comparisons.iter().map(|comparison| judged(condition, comparison));
        judged
            .max_by_key(|judged| judged.verdict)
            .unwrap_or_else(|| without_data(condition, "there is nothing to compare with".into()))
    };
    conditions.iter().map(worst).collect()
}

fn judged(condition: &Condition, comparison: &Comparison) -> GateVerdict {
    let place = format!(" in {}", shared::text::Escaped(&comparison.b));
    let count = match condition.path() {
        "worse" => Some(comparison.worse),
        "better" => Some(comparison.better),
        _ => None,
    };
    if let Some(count) = count {
        return judge_figure(condition, count as f64, None, &place);
    }
    let (path, end) = condition.path().rsplit_once('.').unwrap_or_default();
    let found = comparison.figures.iter().find(|figure| figure.path == path);
    match found.and_then(|figure| asked(figure, end)) {
        Some((value, bound)) => in_samples(judge_figure(condition, value, Some(bound), &place), path),
        None => without_data(condition, format!("{} has no value{place}: {}", condition.path(), why(path, end))),
    }
}

/// The verdict in words. If the samples are rounds, it speaks of rounds instead of frames.
fn in_samples(mut judged: GateVerdict, path: &str) -> GateVerdict {
    if path.starts_with("latency_us") {
        judged.message = judged.message.replace("frames would decide", "rounds would decide");
    }
    judged
}

fn asked(figure: &Compared, end: &str) -> Option<(f64, Bound)> {
    let samples = figure.samples;
    match end {
        "difference" => Some((figure.difference, Bound { low: figure.low, high: figure.high, samples })),
        _ if figure.a == figure.b && figure.a > 0.0 && figure.low == figure.high => {
            Some((1.0, Bound { low: Some(1.0), high: Some(1.0), samples }))
        }
        _ => figure.ratio.map(|ratio| (ratio.value, Bound { low: ratio.low, high: ratio.high, samples })),
    }
}

fn why(path: &str, end: &str) -> &'static str {
    match end {
        _ if path.starts_with("latency_us") => "latencies are compared only with --rounds",
        "ratio" => "ratios exist only for means and medians of the same frames",
        _ => "no frame has it in both runs",
    }
}

/// Whether a verdict fails the comparison.
pub(super) fn fails(gates: &[GateVerdict], strict: bool) -> bool {
    gates.iter().any(|gate| gate.verdict.fails(strict))
}

/// The verdicts in words.
pub(super) fn lines(gates: &[GateVerdict]) -> impl Iterator<Item = String> {
    let words = |verdict: Verdict| verdict.describe();
    gates.iter().map(move |gate| format!("{}: {}", words(gate.verdict), gate.message))
}
