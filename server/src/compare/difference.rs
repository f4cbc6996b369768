//! The difference of one figure between two runs.

use super::estimate::Estimate;
use super::figure::{Figure, Kind, Value};
use super::frames::Frame;
use super::means::RISK;
use super::side::Side;
use super::{means, percentiles, shares};
use crate::score::beta;
use crate::score::bounds::Bound;

/// The 95 % quantile of the standard normal distribution.
const NORMAL: f64 = 1.644_853_626_951_472_7;

/// The values of a figure in both runs, and their difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) estimate: Estimate,
}

/// The difference of a figure over paired frames. `None` if no pair has a value in both runs.
pub(super) fn of_pairs(figure: &Figure, pairs: &[(&Frame, &Frame)]) -> Option<Difference> {
    match figure.kind {
        Kind::Share(holds, _) => {
            let both: Vec<_> = pairs.iter().filter_map(|(a, b)| Some((holds(a)?, holds(b)?))).collect();
            let count = |of: fn(&(bool, bool)) -> bool| both.iter().filter(|pair| of(pair)).count() as u64;
            let estimate = shares::paired(count(|(a, b)| *a && !b), count(|(a, b)| *b && !a), both.len() as u64)?;
            let share = |hits: u64| hits as f64 / both.len() as f64;
            Some(Difference { a: share(count(|(a, _)| *a)), b: share(count(|(_, b)| *b)), estimate })
        }
        Kind::Mean(value) => of_means(&values(pairs, value)),
        Kind::Root(value) => of_means(&values(pairs, value)).map(rooted),
        Kind::Magnitude(value) => of_magnitudes(values(pairs, value)),
        Kind::Percentile(share, value) => {
            let both = values(pairs, value);
            let of = |side: fn(&(f64, f64)) -> f64| {
                percentiles::percentile(&mut both.iter().map(side).collect::<Vec<_>>(), share)
            };
            let estimate = percentiles::paired(&both, share)?;
            Some(Difference { a: of(|pair| pair.0), b: of(|pair| pair.1), estimate })
        }
    }
}

fn values(pairs: &[(&Frame, &Frame)], value: Value) -> Vec<(f64, f64)> {
    pairs.iter().filter_map(|(a, b)| Some((value(a)?, value(b)?))).collect()
}

fn of_means(pairs: &[(f64, f64)]) -> Option<Difference> {
    let estimate = means::paired(pairs)?;
    let mean = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>() / pairs.len() as f64;
    Some(Difference { a: mean(|pair| pair.0), b: mean(|pair| pair.1), estimate })
}

/// The difference of the roots: √b − √a = (b − a) / (√a + √b).
fn rooted(squares: Difference) -> Difference {
    let (a, b) = (squares.a.sqrt(), squares.b.sqrt());
    let sum = a + b;
    let estimate = if sum > 0.0 { squares.estimate.scaled(1.0 / sum) } else { squares.estimate };
    Difference { a, b, estimate: Estimate { ratio: estimate.ratio.map(super::estimate::Ratio::root), ..estimate } }
}

/// The difference of the magnitudes of two means. Each value is taken in the direction of its own run's mean.
fn of_magnitudes(mut pairs: Vec<(f64, f64)>) -> Option<Difference> {
    let Difference { a, b, .. } = of_means(&pairs)?;
    pairs.iter_mut().for_each(|pair| *pair = (pair.0 * a.signum(), pair.1 * b.signum()));
    let estimate = means::paired(&pairs)?;
    Some(Difference { a: a.abs(), b: b.abs(), estimate: Estimate { ratio: None, ..estimate } })
}

/// The difference of a figure of two reports whose frames are not paired. `None` if a report does not have the figure.
pub(super) fn of_reports(figure: &Figure, a: &Side, b: &Side) -> Option<Difference> {
    if let Kind::Share(_, [hits, all]) = figure.kind {
        // A report that was changed may have any numbers. Up to 2⁵³, each is a whole number of its own.
        let counts = |side: &Side| {
            let (hits, all) = (side.figure(hits)?, side.figure(all)?);
            ((0.0..=all).contains(&hits) && all <= 2_f64.powi(53)).then_some((hits as u64, all as u64))
        };
        let (in_a, in_b) = (counts(a)?, counts(b)?);
        let share = |(hits, all): (u64, u64)| hits as f64 / all as f64;
        let estimate = shares::unpaired(in_a, in_b)?;
        return Some(Difference { a: share(in_a), b: share(in_b), estimate });
    }
    let of = |side: &Side| Some((side.figure(figure.path)?, bound(side, figure.path)?));
    let ((a, in_a), (b, in_b)) = (of(a)?, of(b)?);
    let (a, in_a, b, in_b) = match figure.kind {
        Kind::Magnitude(_) => (a.abs(), folded(a, in_a), b.abs(), folded(b, in_b)),
        _ => (a, in_a, b, in_b),
    };
    let difference = b - a;
    let [low, high] = shares::ends(difference, (a, &in_a), (b, &in_b));
    let p_larger = low.map_or(1.0, |low| tail(difference, difference - low));
    let p_smaller = high.map_or(1.0, |high| tail(-difference, high - difference));
    let samples = in_a.samples.min(in_b.samples);
    let can_show = low.is_some() || high.is_some();
    Some(Difference {
        a,
        b,
        estimate: Estimate { difference, low, high, p_larger, p_smaller, ratio: None, samples, can_show },
    })
}

/// Probability that a difference at least this large, in its direction, arises by chance. `half` is the distance from
/// the difference to its 95 % bound.
fn tail(difference: f64, half: f64) -> f64 {
    if difference == 0.0 {
        return 0.5;
    }
    let z = NORMAL * difference / half.abs();
    // Student's distribution tends to the normal one. This many degrees of freedom give six digits.
    let freedom = 1e6;
    let tail = beta::regularised(freedom / 2.0, 0.5, freedom / (freedom + z * z)) / 2.0;
    if z > 0.0 { tail } else { 1.0 - tail }
}

/// The bounds of a value's magnitude.
fn folded(value: f64, bound: Bound) -> Bound {
    if value < 0.0 {
        Bound { low: bound.high.map(|end| -end), high: bound.low.map(|end| -end), ..bound }
    } else {
        bound
    }
}

/// The bounds of a figure in a report.
fn bound(side: &Side, path: &str) -> Option<Bound> {
    let found = side.session["bounds"].get(path)?;
    serde_json::from_value(found.clone()).ok()
}

/// Checks that [`NORMAL`] and [`RISK`] belong to the same probability.
const _: () = assert!(RISK == 0.05);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::figure::of_task;
    use super::super::frames::Column;
    use super::super::frames::tests::frame;
    use super::*;

    fn figure(path: &str) -> &'static Figure {
        of_task("circle").unwrap().iter().find(|figure| figure.path == path).unwrap()
    }

    #[test]
    fn roots_and_magnitudes_equal_those_of_the_report() {
        let of = |id: u64, dx: f64| frame(id, &[(Column::Dx, dx), (Column::Dy, 0.0), (Column::L1, dx.abs())]);
        let a: Vec<_> = [-0.3, -0.1, -0.2].iter().zip(0..).map(|(dx, id)| of(id, *dx)).collect();
        let b: Vec<_> = [0.4, 0.1, 0.2].iter().zip(0..).map(|(dx, id)| of(id, *dx)).collect();
        let pairs: Vec<_> = a.iter().zip(&b).collect();
        let root = of_pairs(figure("error_px.l2.rms"), &pairs).unwrap();
        let expected = [0.14_f64 / 3.0, 0.21 / 3.0].map(f64::sqrt);
        assert!((root.a - expected[0]).abs() < 1e-12 && (root.b - expected[1]).abs() < 1e-12, "{root:?}");
        assert!((root.estimate.difference - (expected[1] - expected[0])).abs() < 1e-12);
        let bias = of_pairs(figure("error_px.bias.x"), &pairs).unwrap();
        assert!((bias.a - 0.2).abs() < 1e-12 && (bias.estimate.difference - 0.1 / 3.0).abs() < 1e-12, "{bias:?}");
        assert_eq!(of_pairs(figure("frames.missed"), &pairs), None, "no truth");
    }

    #[test]
    fn reports_alone_are_compared_by_their_bounds() {
        let side = |mean: f64, missed: u64| {
            let bound = json!({"low": mean - 0.001, "high": mean + 0.001, "samples": 300});
            let session = json!({
                "session": 1, "task": "circle", "frames": {"sent": 300, "answered": 300, "missed": missed},
                "error_px": {"l1": {"mean": mean}, "bias": {"x": -mean}},
                "bounds": {"error_px.l1.mean": bound, "error_px.bias.x": {"low": -mean - 0.001, "high": -mean + 0.002, "samples": 300}},
            });
            Side::of_report("a".into(), json!({"schema": 1, "run": {"config": {}}, "sessions": [session]}))
        };
        let found = of_reports(figure("error_px.l1.mean"), &side(0.010, 0), &side(0.012, 9)).unwrap();
        let half = 0.001 * 2_f64.sqrt();
        assert!((found.estimate.low.unwrap() - (0.002 - half)).abs() < 1e-12, "{found:?}");
        // z = 1.645 × √2.
        assert!((found.estimate.p_larger - 0.010_01).abs() < 1e-4, "{found:?}");
        let bias = of_reports(figure("error_px.bias.x"), &side(0.010, 0), &side(0.012, 0)).unwrap();
        assert!(bias.a > 0.0 && bias.estimate.difference > 0.0, "{bias:?}");
        let missed = of_reports(figure("frames.missed"), &side(0.01, 0), &side(0.01, 9)).unwrap();
        assert!(missed.estimate.p_larger < 0.01 && missed.b == 0.03, "{missed:?}");
        assert_eq!(of_reports(figure("error_px.l1.p95"), &side(0.01, 0), &side(0.01, 0)), None);
    }
}
