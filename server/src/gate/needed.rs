//! How many frames an inconclusive gate needs.

use super::condition::Condition;
use super::path::number;
use crate::score::bounds::Bound;

/// The difference from the limit that the named number of frames can detect, as a share of the limit.
const RESOLUTION: f64 = 0.05;

/// Factor by which the named number exceeds the formula's. The width of the bounds is itself an estimate from 32 to 63
/// batches, so it is off by 10 %, and the number by 20 %. With this factor a detector 5 % over its limit fails with a
/// probability of at least 95 % (`simulation`).
const MARGIN: f64 = 1.35;

/// Largest number of frames that a verdict names. Larger numbers help nobody.
const MOST: f64 = 1e9;

/// Number of samples that would decide a gate whose limit lies between the bounds of its figure. `None` if no number
/// would.
///
/// A bound is 1.645 standard errors away. If the limit is twice that far from the figure, the verdict is right with a
/// probability of 95 %. Standard errors shrink with the square root of the number of samples.
pub(super) fn samples(condition: &Condition, value: f64, bound: &Bound) -> Option<f64> {
    let limit = condition.limit();
    let distance = if limit == 0.0 { value.abs() } else { RESOLUTION * limit.abs() };
    let margin = MARGIN * (1.0 + percentile_margin(&condition.path, bound.samples));
    let by_width = width(value, bound).map(|width| bound.samples as f64 * (width / distance).powi(2) * margin);
    let least = least(&condition.path).unwrap_or(2.0);
    // Samples that depend on each other may have no bound although there are as many as independent ones would take.
    let has_both = bound.low.is_some() && bound.high.is_some();
    let have = bound.samples as f64;
    let least = if has_both || have < least { least } else { 2.0 * have };
    let needed = by_width.map_or(least, |needed| needed.max(least));
    (needed.is_finite() && needed < MOST).then(|| needed.ceil())
}

/// Number of samples that would decide a gate on a share. It assumes that the share stays the same, but is at least 5 %
/// away from the limit.
pub(super) fn samples_of_share(condition: &Condition, share: f64, bound: &Bound) -> Option<f64> {
    let limit = condition.limit();
    let room = limit.min(1.0 - limit);
    let far = if (share - limit).abs() >= RESOLUTION * room {
        share
    } else if share > limit {
        limit + RESOLUTION * room
    } else {
        limit - RESOLUTION * room
    };
    let decides = |n: f64| {
        let hits = (far * n).round().clamp(0.0, n);
        let bound = Bound::of_share(hits as u64, n as u64)?;
        Some(if far > limit { bound.low? > limit } else { bound.high? <= limit })
    };
    let (mut too_few, mut enough) = (bound.samples as f64, bound.samples as f64 * 2.0);
    while !decides(enough)? {
        (too_few, enough) = (enough, enough * 2.0);
        if enough > MOST {
            return None;
        }
    }
    while enough - too_few > 1.0 {
        let middle = ((enough + too_few) / 2.0).floor();
        if decides(middle)? { enough = middle } else { too_few = middle }
    }
    Some(enough)
}

/// Number of frames to send for this number of samples: not every frame becomes a sample.
pub(super) fn frames(samples: f64, session: &serde_json::Value, bound: &Bound) -> u64 {
    let sent = number(session, "frames.sent").unwrap_or(bound.samples as f64);
    (samples * sent / bound.samples.max(1) as f64).ceil() as u64
}

/// Distance between the two bounds. If one is not known, twice the distance of the other from the value.
fn width(value: f64, bound: &Bound) -> Option<f64> {
    match (bound.low, bound.high) {
        (Some(low), Some(high)) => Some(high - low),
        (Some(low), None) => Some(2.0 * (value - low)),
        (None, Some(high)) => Some(2.0 * (high - value)),
        (None, None) => None,
    }
}

/// The addition to the margin for a percentile. Its two bounds are samples, with about 2 · 1.645 √(n p (1 − p)) samples
/// between them. The distance of the bounds is less certain if there are fewer samples between them.
fn percentile_margin(path: &str, samples: u64) -> f64 {
    percentile(path).map_or(0.0, |p| 5.0 / (3.29 * (samples as f64 * p * (1.0 - p)).sqrt()))
}

/// The least number of samples that can bound a percentile on both sides: of n samples, all are below the percentile p
/// with a probability of p^n.
fn least(path: &str) -> Option<f64> {
    let p = percentile(path)?;
    Some((0.05_f64.ln() / p.max(1.0 - p).ln()).ceil())
}

/// The percentile that a path names, as a share.
fn percentile(path: &str) -> Option<f64> {
    let percent: f64 = path.rsplit('.').next()?.strip_prefix('p')?.parse().ok()?;
    Some(percent / 100.0).filter(|share| (0.0..1.0).contains(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_needs_as_many_samples_as_can_bound_it() {
        assert_eq!(
            [least("latency_us.p99"), least("latency_us.p95"), least("latency_us.p50")],
            [299.0, 59.0, 5.0].map(Some)
        );
        assert_eq!([least("error_px.l1.mean"), least("frames.sent")], [None, None]);
    }

    #[test]
    fn samples_without_a_bound_that_would_be_enough_if_they_were_independent_need_as_many_again() {
        let condition: Condition = "latency_us.p95 <= 10s".parse().unwrap();
        let needed = |samples| super::samples(&condition, 900.0, &Bound { low: Some(850.0), high: None, samples });
        assert_eq!([needed(40), needed(120)], [Some(59.0), Some(240.0)]);
    }

    #[test]
    fn a_share_of_zero_needs_the_frames_of_the_rule_of_three() {
        let condition: Condition = "frames.missed <= 0.1%".parse().unwrap();
        let bound = Bound::of_share(0, 300).unwrap();
        // ln 0.05 / ln 0.999.
        assert_eq!(samples_of_share(&condition, 0.0, &bound), Some(2_995.0));
    }

    #[test]
    fn a_mean_needs_frames_with_the_square_of_its_spread() {
        let condition: Condition = "error_px.l1.mean <= 1".parse().unwrap();
        let bound = Bound { low: Some(0.95), high: Some(1.05), samples: 100 };
        // Twice as wide as 5 % of the limit.
        let needed = samples(&condition, 1.0, &bound).unwrap();
        assert!((needed - 400.0 * MARGIN).abs() <= 1.0, "{needed}");
    }
}
