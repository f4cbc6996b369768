//! Numbers and sentences that the table and the Markdown have in common.

use super::estimate::Ratio;
use super::result::{Compared, Comparison, OfSubset, Run, Unit};

/// The letters of a run, counted like the columns of a spreadsheet.
pub(super) fn letter(place: usize) -> String {
    let last = char::from(b'A' + (place % 26) as u8);
    if place < 26 { last.into() } else { format!("{}{last}", letter(place / 26 - 1)) }
}

/// A value with its unit.
pub(super) fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => format!("{} %", digits(100.0 * value)),
        Unit::Us => format!("{:.3} ms", value / 1e3),
        Unit::Px => format!("{} px", digits(value)),
        Unit::Other => digits(value),
    }
}

/// A difference with its sign.
pub(super) fn signed(difference: f64, unit: Unit) -> String {
    let text = value(difference.abs(), unit);
    let is_zero = !text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    let sign = match difference {
        _ if is_zero => "",
        _ if difference < 0.0 => "-",
        _ => "+",
    };
    format!("{sign}{text}")
}

/// Both bounds of a difference.
pub(super) fn bounds(figure: &Compared) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| "?".into(), |end| signed(end, figure.unit));
    format!("{} to {}", end(figure.low), end(figure.high))
}

/// A ratio as a change in percent.
pub(super) fn percent(ratio: Option<Ratio>) -> String {
    ratio.map_or_else(String::new, |ratio| format!("{:+.1} %", 100.0 * (ratio.value - 1.0)))
}

/// A figure of a subset, with its bounds.
pub(super) fn of_subset(of: Option<OfSubset>, unit: Unit) -> String {
    let Some(OfSubset { value: mean, low, high, frames }) = of else { return "-".into() };
    match (low, high) {
        (Some(low), Some(high)) => {
            format!("{} ({} to {}; {frames})", value(mean, unit), value(low, unit), value(high, unit))
        }
        _ => format!("{} ({frames})", value(mean, unit)),
    }
}

/// Four significant digits, without an exponent where that is short.
fn digits(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 {
        return "0".into();
    }
    if !(1e-5..1e7).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let before = magnitude.log10().floor() as i32;
    format!("{value:.*}", usize::try_from(3 - before).unwrap_or(0))
}

/// Describes a run in one line.
pub(super) fn run(run: &Run) -> String {
    let seed = run.seed.map_or_else(String::new, |seed| format!("seed {seed}, "));
    let client = run.client.as_ref().map_or_else(String::new, |client| format!(", {client}"));
    format!("{seed}{} frames{client}", run.frames)
}

/// A few sentences about the paired frames and the options that differ. `place` is the index of the comparison.
pub(super) fn heads(place: usize, comparison: &Comparison) -> Vec<String> {
    let names = format!("{} against A", letter(place + 1));
    let mut lines = vec![match &comparison.unpaired_because {
        Some(why) => format!("{names}: frames are not paired, because {why}"),
        None => format!("{names}: {} frames paired by seed and id", comparison.paired_frames),
    }];
    let (a, b) = (comparison.only_in_a, comparison.only_in_b);
    if a + b > 0 {
        lines.push(format!("{a} frames are only in A, and {b} only in B"));
    }
    if comparison.rounds > 0 {
        lines.push(format!(
            "latencies: medians of {} rounds in turns; frames: those of the first round",
            comparison.rounds
        ));
    }
    if !comparison.options.is_empty() {
        let options =
            comparison.options.iter().map(|differs| format!("{} {} and {}", differs.name, differs.a, differs.b));
        lines.push(format!("options differ: {}", options.collect::<Vec<_>>().join(", ")));
    }
    lines
}

/// The result in one sentence.
pub(super) fn verdict(comparison: &Comparison) -> String {
    let Comparison { worse, better, .. } = comparison;
    match (worse, better) {
        (0, 0) => "no difference shown".into(),
        (worse, 0) => format!("{worse} worse"),
        (0, better) => format!("{better} better"),
        (worse, better) => format!("{worse} worse, {better} better"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_and_their_unit() {
        assert_eq!(value(0.013_952, Unit::Px), "0.01395 px");
        assert_eq!(value(0.005, Unit::Share), "0.5000 %");
        assert_eq!(value(1_234.0, Unit::Us), "1.234 ms");
        assert_eq!((digits(0.0), digits(41.234_5), digits(1e-9)), ("0".into(), "41.23".into(), "1.000e-9".into()));
        assert_eq!((signed(-0.5, Unit::Px), signed(0.5, Unit::Px)), ("-0.5000 px".into(), "+0.5000 px".into()));
        assert_eq!(signed(0.0, Unit::Share), "0 %");
        assert_eq!([0, 25, 26, 27].map(letter), ["A", "Z", "AA", "AB"]);
    }
}
