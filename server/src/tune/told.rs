//! What a search found, for people.

use shared::text::Escaped;

use super::core::effects::Effect;
use super::core::front::front;
use super::core::importance::importance;
use super::core::results::Trial;
use super::core::search::Best;
use super::core::space::Setting;
use super::core::verdict::{Score, Verdict, score};
use super::plan::Plan;
use super::work::Tuned;

/// Trials of the front that are shown.
const SHOWN: usize = 8;

/// What is said.
pub(super) struct Told {
    /// All lines.
    pub(super) text: String,
    /// The verdict.
    pub(super) verdict: String,
    /// The setting to use: the best, or the default if none is shown to be better. `None` if none is good.
    pub(super) setting: Option<Setting>,
}

/// A parameter, in words and numbers.
pub(super) struct Influence {
    /// Its name.
    pub(super) name: String,
    /// Its share of the variance of the figure over the whole space, if there are enough trials.
    pub(super) share: Option<f64>,
    /// The largest change of the figure if it alone leaves the best setting; infinite if the pipeline fails then.
    pub(super) change: Option<f64>,
    /// What its moves showed. `None` without a best setting.
    pub(super) moves: Option<Moves>,
}

/// What moving a parameter alone, away from the best setting, showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moves {
    /// The figure or a condition changes.
    Live,
    /// The figure changes, but no more than chance explains on so few frames.
    Unclear,
    /// Nothing changes, on any frame.
    Dead,
}

impl Moves {
    fn of(effect: Effect) -> Self {
        match effect {
            Effect { is_live: true, .. } => Self::Live,
            Effect { change: 0.0, .. } => Self::Dead,
            Effect { .. } => Self::Unclear,
        }
    }

    /// In words.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Unclear => "no effect is shown: more seeds would tell",
            Self::Dead => "dead: it changes nothing, so leave it alone",
        }
    }
}

/// Says what a search found.
pub(super) fn told(plan: &Plan, tuned: &Tuned) -> Told {
    let found = &tuned.found;
    let frames: u64 = found.trials.iter().map(|trial| trial.tally.frames).sum();
    let mut lines = vec![format!("{} settings were tried on {frames} frames", found.trials.len())];
    lines.extend(of_failures(plan, tuned));
    let (verdict, setting) = match &found.best {
        None => (nothing_meets(plan, tuned), None),
        Some(best) => of_best(plan, best, found.default.is_failed),
    };
    if let Some(best) = &found.best {
        lines.extend(of_report(plan, tuned, best));
    }
    lines.extend(of_parameters(plan, tuned));
    lines.extend(of_front(plan, tuned));
    lines.push(verdict.clone());
    Told { text: lines.join("\n"), verdict, setting }
}

/// The trials with which the pipeline failed, each with the reason.
pub(super) fn failed(tuned: &Tuned) -> impl Iterator<Item = (&Trial, &str)> {
    tuned.found.trials.iter().filter_map(|trial| Some((trial, reason(tuned, trial)?)))
}

/// Why the pipeline failed with a trial; empty if that is not known. `None` if it did not fail.
pub(super) fn reason<'a>(tuned: &'a Tuned, trial: &Trial) -> Option<&'a str> {
    trial.tally.is_failed.then(|| tuned.failures.get(&trial.setting.key()).map_or("", String::as_str))
}

/// How much each parameter matters.
pub(super) fn influences(plan: &Plan, tuned: &Tuned) -> Vec<Influence> {
    let problem = &plan.problem;
    let shares = importance(&problem.space, &tuned.found.trials, problem.first);
    let one = |(place, parameter): (usize, &super::core::space::Parameter)| {
        let effect = tuned.found.effects.get(place);
        Influence {
            name: parameter.name.clone(),
            share: shares.as_ref().map(|shares| shares[place]),
            change: effect.map(|effect| effect.change),
            moves: effect.copied().map(Moves::of),
        }
    };
    problem.space.0.iter().enumerate().map(one).collect()
}

/// A figure with its 95 % interval. The digits are those that the interval leaves.
pub(super) fn with_interval(Score { value, low, high }: Score) -> String {
    let step = (high - low).abs();
    // Two digits of the width of the interval.
    let decimals = if step > 0.0 { (1.0 - step.log10().floor()).clamp(0.0, 9.0) as usize } else { 5 };
    format!("{value:.decimals$} ({low:.decimals$} to {high:.decimals$})")
}

fn of_failures(plan: &Plan, tuned: &Tuned) -> Option<String> {
    let (_, reason) = failed(tuned).next()?;
    let count = failed(tuned).count();
    let why = if reason.is_empty() { String::new() } else { format!(", such as: {}", Escaped(reason)) };
    Some(format!("{count} of them failed, or have no {}: they are never chosen{why}", plan.figure))
}

/// The figures on new seeds.
fn of_report(plan: &Plan, tuned: &Tuned, best: &Best) -> Vec<String> {
    let problem = &plan.problem;
    let (default, frames) = (problem.space.default_setting(), best.tally.frames);
    let one = |name: &str, tally, setting: &Setting| {
        let score = score(&problem.goal, tally).map_or_else(|| "failed".to_owned(), with_interval);
        format!("  {name}  {} {score}   {}", plan.figure, problem.space.described(setting))
    };
    let mut lines =
        vec![format!("on {frames} frames of {} seeds that no trial saw (95 % intervals):", problem.goal.held_out)];
    lines.push(one("default", &tuned.found.default, &default));
    if best.setting != default {
        lines.push(one("best   ", &best.tally, &best.setting));
    }
    lines.extend(plan.conditions.iter().zip(&best.tally.limits).map(|(condition, [value, low, high])| {
        let [value, low, high] = [value, low, high].map(|figure| condition.shown(*figure));
        format!("  {condition}: {value} ({low} to {high})")
    }));
    lines
}

fn of_best(plan: &Plan, best: &Best, has_default_failed: bool) -> (String, Option<Setting>) {
    let described = plan.problem.space.described(&best.setting);
    let as_default = || Some(plan.problem.space.default_setting());
    match best.verdict {
        Verdict::Better(by) => {
            let by = with_interval(by);
            (
                format!("better than the default: {} changes by {by} with {described}", plan.figure),
                Some(best.setting.clone()),
            )
        }
        Verdict::OnlyOneThatMeets if has_default_failed => (
            format!("with the default the pipeline fails or has no {}, and with this it has: {described}", plan.figure),
            Some(best.setting.clone()),
        ),
        Verdict::OnlyOneThatMeets => (
            format!("the default does not meet the conditions, and this does: {described}"),
            Some(best.setting.clone()),
        ),
        Verdict::NotShown(None) => ("no setting is better than the default".into(), as_default()),
        Verdict::NotShown(Some(by)) => (
            format!(
                "no setting is shown to be better than the default: with the best, {} changes by {}",
                plan.figure,
                with_interval(by)
            ),
            as_default(),
        ),
        Verdict::Missed => (
            format!(
                "no setting: the best of the search misses a condition on new seeds; use more frames or seeds ({described})"
            ),
            None,
        ),
        Verdict::Failed => (format!("no setting: the pipeline fails on new seeds with {described}"), None),
    }
}

/// No setting meets the conditions: names the nearest.
fn nothing_meets(plan: &Plan, tuned: &Tuned) -> String {
    let problem = &plan.problem;
    let Some(nearest) = tuned.found.nearest(&problem.goal) else {
        return format!("no setting: the pipeline fails with all of them, or none has {}", plan.figure);
    };
    let figures = plan.conditions.iter().zip(&nearest.tally.limits).zip(&problem.goal.limits);
    let missed = figures.filter(|((_, figures), limit)| limit.excess(figures[0]) > 0.0);
    let missed: Vec<_> = missed
        .map(|((condition, figures), _)| format!("{condition}: it has {}", condition.shown(figures[0])))
        .collect();
    let described = problem.space.described(&nearest.setting);
    if missed.is_empty() {
        return format!(
            "no setting is shown to meet all conditions; the nearest is {described}. It meets them on {} frames, which are \
             too few to be sure: use more frames or seeds",
            nearest.tally.frames
        );
    }
    format!("no setting meets all conditions; the nearest is {described}. It misses {}", missed.join(", "))
}

fn of_parameters(plan: &Plan, tuned: &Tuned) -> Vec<String> {
    let all = influences(plan, tuned);
    let width = all.iter().map(|one| one.name.chars().count()).max().unwrap_or_default();
    let one = |Influence { name, share, change, moves }: &Influence| {
        let share = share.map_or_else(String::new, |share| format!("  {:3.0} % of the variance", 100.0 * share));
        let change = match change {
            Some(change) if change.is_finite() => format!(", moves the figure by up to {}", short(*change)),
            Some(_) => ", the pipeline fails at an end of its range".into(),
            None => String::new(),
        };
        let word =
            moves.filter(|moves| *moves != Moves::Live).map_or_else(String::new, |moves| format!("  {}", moves.word()));
        format!("  {name:width$}{share}{change}{word}")
    };
    std::iter::once("parameters:".to_owned()).chain(all.iter().map(one)).collect()
}

/// Three significant digits.
fn short(value: f64) -> String {
    let size = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    format!("{value:.*}", (2.0 - size).clamp(0.0, 9.0) as usize)
}

fn of_front(plan: &Plan, tuned: &Tuned) -> Vec<String> {
    let trials = &tuned.found.trials;
    let front = front(&plan.problem.goal, trials);
    if front.len() < 2 {
        return Vec::new();
    }
    let one = |place: &usize| {
        let trial = &trials[*place];
        let (time, figure) = (trial.tally.time_us.unwrap_or_default(), plan.problem.goal.figure(&trial.tally));
        format!("  {time:.0} us  {}  {}", short(figure), plan.problem.space.described(&trial.setting))
    };
    let head = format!("no trial is both faster and better than these (time for a frame, {}):", plan.figure);
    std::iter::once(head).chain(front.iter().take(SHOWN).map(one)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_their_interval_leaves() {
        assert_eq!(with_interval(Score { value: 0.69812, low: 0.67911, high: 0.71734 }), "0.698 (0.679 to 0.717)");
        assert_eq!(with_interval(Score { value: 1234.5, low: 1200.0, high: 1300.0 }), "1234 (1200 to 1300)");
        assert_eq!([0.0, 0.012_345, 12.345, 12_345.0].map(short), ["0.00", "0.0123", "12.3", "12345"]);
    }

    #[test]
    fn a_parameter_is_dead_only_if_nothing_changes_and_not_if_too_few_frames_show_it() {
        let moves = |change, is_live| Moves::of(Effect { change, is_live });
        assert_eq!(moves(0.8, true), Moves::Live);
        assert_eq!(moves(0.8, false), Moves::Unclear);
        assert_eq!(moves(0.0, false), Moves::Dead);
        // The figure is the same, but a condition changes.
        assert_eq!(moves(0.0, true), Moves::Live);
    }
}
