//! Decides for each figure whether it is better or worse.
//!
//! If two runs do not differ, the probability that any figure is called worse is at most 5 %, and so is the probability
//! that any is called better. Each direction is a one-sided test, like a gate, with Holm's correction over all figures
//! of all runs. Latencies, which need rounds, have their own 5 %.

use super::difference::{self, Difference};
use super::figure::{self, Figure, Kind};
use super::holm::corrected;
use super::means::RISK;
use super::pairs::{Pairs, pair};
use super::result::{Compared, Comparison, Unit, Verdict};
use super::rounds::Latency;
use super::side::Side;
use super::specification;

/// Compares each run with the first. `latencies` has the latencies of each run except the first, if there were rounds.
pub(super) fn judge(sides: &[Side], figures: &[Figure], latencies: &[Vec<Latency>]) -> Vec<Comparison> {
    let Some((a, others)) = sides.split_first() else { return Vec::new() };
    let compared: Vec<_> = others.iter().map(|b| Raw::of(a, b, figures)).collect();
    let count = others.len() as f64;
    let accuracy: Vec<Vec<Hypothesis>> = compared
        .iter()
        .map(|raw| {
            let of = |(figure, difference): &(Figure, Difference)| Hypothesis {
                path: figure.path.to_owned(),
                unit: Unit::of(figure.path, matches!(figure.kind, Kind::Share(..))),
                smaller_is_better: figure.smaller_is_better,
                weight: figure::weight(figure, figures) / count,
                difference: *difference,
            };
            raw.differences.iter().map(of).collect()
        })
        .collect();
    let timing: Vec<Vec<Hypothesis>> = latencies
        .iter()
        .map(|all| all.iter().map(|latency| Hypothesis::of_latency(latency, count)).collect())
        .collect();
    let (mut accuracy, mut timing) = (decided(accuracy).into_iter(), decided(timing).into_iter());
    let rounds = |place: usize| latencies.get(place).and_then(|all| Some(all.first()?.difference.estimate.samples));
    let of = |(place, (raw, b)): (usize, (Raw<'_>, &Side))| {
        let mut figures = accuracy.next().unwrap_or_default();
        figures.extend(timing.next().unwrap_or_default());
        raw.comparison(a, b, figures, rounds(place).unwrap_or(0) as usize)
    };
    compared.into_iter().zip(others).enumerate().map(of).collect()
}

/// A figure that is tested for a difference.
struct Hypothesis {
    path: String,
    unit: Unit,
    smaller_is_better: bool,
    weight: f64,
    difference: Difference,
}

impl Hypothesis {
    fn of_latency(latency: &Latency, count: f64) -> Self {
        Self {
            path: latency.path.to_owned(),
            unit: Unit::Us,
            smaller_is_better: true,
            weight: latency.weight / count,
            difference: latency.difference,
        }
    }

    /// The probabilities that the figure is this much worse, or this much better, by chance.
    fn probabilities(&self) -> [f64; 2] {
        let estimate = self.difference.estimate;
        if self.smaller_is_better {
            [estimate.p_larger, estimate.p_smaller]
        } else {
            [estimate.p_smaller, estimate.p_larger]
        }
    }

    fn weighted(&self, direction: usize) -> (f64, f64) {
        (self.probabilities()[direction], if self.difference.estimate.can_show { self.weight } else { 0.0 })
    }
}

/// The verdicts on hypotheses that are corrected together, in the order of the comparisons.
fn decided(family: Vec<Vec<Hypothesis>>) -> Vec<Vec<Compared>> {
    let [worse, better] = [0, 1].map(|direction| {
        corrected(&family.iter().flatten().map(|hypothesis| hypothesis.weighted(direction)).collect::<Vec<_>>())
    });
    let mut p = worse.into_iter().zip(better);
    let mut one = |hypothesis: Hypothesis| {
        let (worse, better) = p.next().unwrap_or((1.0, 1.0));
        let verdict = match (worse <= RISK, better <= RISK) {
            (true, _) => Verdict::Worse,
            (false, true) => Verdict::Better,
            (false, false) => Verdict::NoDifferenceShown,
        };
        Compared::new(&hypothesis.path, hypothesis.unit, hypothesis.difference, worse.min(better), verdict)
    };
    family.into_iter().map(|comparison| comparison.into_iter().map(&mut one).collect()).collect()
}

/// Two runs, before the verdicts.
struct Raw<'a> {
    pairs: Pairs<'a>,
    differences: Vec<(Figure, Difference)>,
}

impl<'a> Raw<'a> {
    fn of(a: &'a Side, b: &'a Side, figures: &[Figure]) -> Self {
        let pairs = pair(a, b);
        let of = |figure: &Figure| match &pairs {
            Pairs::Paired { pairs, .. } => difference::of_pairs(figure, pairs),
            Pairs::Unpaired(_) => difference::of_reports(figure, a, b),
        };
        let differences = figures.iter().filter_map(|figure| Some((*figure, of(figure)?))).collect();
        Self { pairs, differences }
    }

    fn comparison(self, a: &Side, b: &Side, figures: Vec<Compared>, rounds: usize) -> Comparison {
        let count = |verdict| figures.iter().filter(|figure| figure.verdict == verdict).count();
        let (worse, better) = (count(Verdict::Worse), count(Verdict::Better));
        let (unpaired_because, paired_frames, only_in_a, only_in_b) = match self.pairs {
            Pairs::Paired { pairs, only_a, only_b } => (None, pairs.len(), only_a, only_b),
            Pairs::Unpaired(why) => (Some(why), 0, 0, 0),
        };
        Comparison {
            a: a.name.clone(),
            b: b.name.clone(),
            unpaired_because,
            paired_frames,
            only_in_a,
            only_in_b,
            rounds,
            options: specification::differing(a, b),
            figures,
            worse,
            better,
        }
    }
}
