//! `report.html`: the page of a search, like that of a run.
//!
//! The verdict, best against default on the same frames, the search, the front of error against time, and what each
//! parameter does.

use std::fmt::Write;

use super::core::front::front;
use super::core::goal::{Proof, Tally};
use super::core::results::Trial;
use super::core::search::Best;
use super::core::space::{Domain, Setting, Value};
use super::core::verdict::{Verdict, score};
use super::plan::Plan;
use super::told::{Influence, Moves, Told, failed, influences, with_interval};
use super::work::Tuned;
use crate::output::html::framed;
use crate::output::html::plot::{Axis, Plot, nothing};
use crate::output::html::text::{escaped, percent, short, time, whole};

/// The file.
pub(super) const FILE: &str = "report.html";

/// Trials in the table of the best, and trials that failed and are listed.
const LISTED: usize = 10;

/// Least ratio of the largest to the smallest time for a logarithmic axis, as on the page of a sweep.
const LOG_RATIO: f64 = 20.0;

/// The page.
pub(super) fn text(plan: &Plan, tuned: &Tuned, told: &Told) -> String {
    let found = &tuned.found;
    let title = format!("Plumb: search over {} settings", whole(found.trials.len() as u64));
    let word = if plan.problem.goal.is_maximum { "maximise" } else { "minimise" };
    let mut sub = vec![
        format!("{word} {}", escaped(&plan.figure)),
        format!("pipeline {}", escaped(plan.runs[0].pipeline())),
        format!("Plumb {}", env!("CARGO_PKG_VERSION")),
    ];
    if plan.runs.len() > 1 {
        sub.push(format!("mean over {} camera settings", plan.runs.len()));
    }
    let mut body = format!("<header><h1>{title}</h1><p class=\"sub\">{}</p></header>\n<main>", sub.join(" · "));
    body += &verdict(tuned, told);
    body += &found.best.as_ref().map_or_else(String::new, |best| against(plan, tuned, best));
    body += &format!(
        "<section data-part=\"search\"><h2>Search</h2><div class=\"charts\">{}{}</div>{}{}</section>\n",
        of_search(plan, tuned),
        of_front(plan, tuned),
        best_trials(plan, tuned),
        failures(plan, tuned)
    );
    body += &format!(
        "<section data-part=\"parameters\"><h2>Parameters</h2>{}<div class=\"charts\">{}</div></section>\n",
        of_parameters(&influences(plan, tuned)),
        over_parameters(plan, tuned)
    );
    let lines: String = plan.text.lines().map(|line| escaped(line) + "\n").collect();
    body += &format!(
        "<section><h2>Plan</h2><details><summary>the plan's file</summary><pre>{lines}</pre></details></section></main>"
    );
    framed(&title, &body)
}

fn verdict(tuned: &Tuned, told: &Told) -> String {
    let (class, word) = match tuned.found.best.as_ref().map(|best| best.verdict) {
        Some(Verdict::Better(_)) => ("pass", "Better"),
        Some(Verdict::OnlyOneThatMeets) if tuned.found.default.is_failed => ("pass", "The default fails"),
        Some(Verdict::OnlyOneThatMeets) => ("pass", "Meets the conditions"),
        Some(Verdict::NotShown(_)) => ("inconclusive", "Nothing better"),
        Some(Verdict::Missed | Verdict::Failed) | None => ("fail", "No setting"),
    };
    format!(
        "<p class=\"verdict {class}\" data-verdict=\"{class}\"><b>{word}</b> <span>{}</span></p>\n",
        escaped(&told.verdict)
    )
}

/// The best setting against the default, on the same frames.
fn against(plan: &Plan, tuned: &Tuned, best: &Best) -> String {
    let (problem, default) = (&plan.problem, plan.problem.space.default_setting());
    let is_other = best.setting != default;
    let mut rows = row(plan, "default", &tuned.found.default, &default);
    if is_other {
        rows += &row(plan, "best", &best.tally, &best.setting);
    }
    let conditions: String = plan.conditions.iter().map(|one| format!("<th>{}</th>", escaped(one))).collect();
    let chart = if is_other { paired(plan, tuned, best) } else { String::new() };
    format!(
        "<section data-part=\"against\"><h2>Best against default</h2><p class=\"note\">On {} frames of {} seeds that no trial saw, \
         the same for both, with 95\u{202f}% intervals.</p><div class=\"wide\"><table><thead><tr><th></th><th>{}</th>{conditions}\
         <th>setting</th></tr></thead><tbody>{rows}</tbody></table></div><div class=\"charts\">{chart}</div></section>\n",
        whole(best.tally.frames),
        problem.goal.held_out,
        escaped(&plan.figure)
    )
}

fn row(plan: &Plan, name: &str, tally: &Tally, setting: &Setting) -> String {
    let figure = score(&plan.problem.goal, tally).filter(|_| !tally.is_failed);
    let figure = figure.map_or_else(|| "failed".to_owned(), with_interval);
    let mut text = format!("<tr><td class=\"chip\">{name}</td><td>{}</td>", escaped(figure));
    for ((condition, limit), [value, low, high]) in
        plan.conditions.iter().zip(&plan.problem.goal.limits).zip(&tally.limits)
    {
        if tally.is_failed {
            text += "<td>\u{2013}</td>";
            continue;
        }
        let class = if limit.excess(*value) > 0.0 { "fail" } else { "pass" };
        let [value, low, high] = [value, low, high].map(|figure| escaped(condition.shown(*figure)));
        // Writing into a string does not fail.
        let _ = write!(text, "<td class=\"chip {class}\">{value} <small>({low} to {high})</small></td>");
    }
    text + &format!("<td>{}</td></tr>", escaped(plan.problem.space.described(setting)))
}

/// A dot for each seed: the figure of the best over that of the default.
fn paired(plan: &Plan, tuned: &Tuned, best: &Best) -> String {
    let sign = if plan.problem.goal.is_maximum { -1.0 } else { 1.0 };
    let pairs: Vec<[f64; 2]> = tuned
        .found
        .default
        .costs
        .iter()
        .zip(&best.tally.costs)
        .map(|(one, other)| [sign * one, sign * other])
        .collect();
    let (name, heading) = ("against", "Best over default, a dot for each seed");
    let Some((least, most)) = ends(pairs.iter().flatten().copied()) else {
        return nothing(name, heading, "The pipeline failed with one of them.");
    };
    let figure = plan.figure.clone();
    let mut plot = Plot::new(Axis::linear("default", least, most), Axis::linear(figure.as_str(), least, most));
    plot.line("limit", [[least, least], [most, most]].into_iter());
    plot.dots("cells", pairs.iter().copied());
    plot.explain("limit", "equal");
    plot.explain("cells", "a seed");
    let below = pairs.iter().filter(|[one, other]| sign * other < sign * one).count();
    let words = format!("The best is better on {below} of {} seeds.", pairs.len());
    plot.figure(name, heading, &words)
}

/// The smallest and the largest finite number, some way apart.
fn ends(numbers: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let ends = numbers.filter(|number| number.is_finite()).fold(None, |ends: Option<(f64, f64)>, number| {
        Some(ends.map_or((number, number), |(least, most)| (least.min(number), most.max(number))))
    });
    ends.map(|(least, most)| {
        let margin = if most > least { 0.03 * (most - least) } else { 0.5 * most.abs().max(1e-9) };
        (least - margin, most + margin)
    })
}

/// The figure of a trial on the seeds that all trials have seen.
fn figure_of(plan: &Plan, trial: &Trial) -> Option<f64> {
    let sign = if plan.problem.goal.is_maximum { -1.0 } else { 1.0 };
    Some(sign * trial.tally.cost_on(plan.problem.first)).filter(|figure| figure.is_finite())
}

fn meets(plan: &Plan, trial: &Trial) -> bool {
    trial.tally.excess(&plan.problem.goal, Proof::Measured) == 0.0
}

/// The figure of each trial, in the order in which they were begun, with the best so far.
fn of_search(plan: &Plan, tuned: &Tuned) -> String {
    let (name, heading) = ("search", "The trials in their order");
    let all: Vec<(f64, f64, bool)> = (tuned.found.trials.iter().enumerate())
        .filter_map(|(place, trial)| Some((place as f64 + 1.0, figure_of(plan, trial)?, meets(plan, trial))))
        .collect();
    let Some((least, most)) = ends(all.iter().map(|(_, figure, _)| *figure)) else {
        return nothing(name, heading, "The pipeline failed with all settings.");
    };
    let count = tuned.found.trials.len() as f64;
    let figure = plan.figure.clone();
    let mut plot = Plot::new(Axis::linear("trial", 0.0, count + 1.0), Axis::linear(figure.as_str(), least, most));
    plot.dots("frames", all.iter().filter(|(.., meets)| !meets).map(|(place, figure, _)| [*place, *figure]));
    plot.dots("cells", all.iter().filter(|(.., meets)| *meets).map(|(place, figure, _)| [*place, *figure]));
    let is_better = |one: f64, other: f64| if plan.problem.goal.is_maximum { one > other } else { one < other };
    let (mut best, mut steps) = (None, Vec::new());
    for (place, figure, _) in all.iter().filter(|(.., meets)| *meets) {
        if best.is_none_or(|best| is_better(*figure, best)) {
            steps.extend(best.map(|best| [*place, best]));
            steps.push([*place, *figure]);
            best = Some(*figure);
        }
    }
    steps.extend(best.map(|best| [count + 1.0, best]));
    plot.line("mean", steps.into_iter());
    plot.explain("cells", if plan.conditions.is_empty() { "a trial" } else { "a trial that meets the conditions" });
    if !plan.conditions.is_empty() {
        plot.explain("frames", "one that misses one");
    }
    plot.explain("mean", "the best so far");
    let words =
        format!("Each on the same {} seeds. The best of many looks better here than it is.", plan.problem.first);
    plot.figure(name, heading, &words)
}

/// Error against time.
fn of_front(plan: &Plan, tuned: &Tuned) -> String {
    let (name, heading) = ("front", "Figure against time");
    let trials = &tuned.found.trials;
    let at = |trial: &Trial| Some([trial.tally.time_us?, plan.problem.goal.figure(&trial.tally)]);
    let all: Vec<[f64; 2]> = trials
        .iter()
        .filter(|trial| meets(plan, trial))
        .filter_map(at)
        .filter(|[_, figure]| figure.is_finite())
        .collect();
    let times = ends(all.iter().map(|[time, _]| *time));
    let (Some((first, last)), Some((least, most))) = (times, ends(all.iter().map(|[_, figure]| *figure))) else {
        return nothing(name, heading, "No trial that meets the conditions has a time.");
    };
    let fastest = all.iter().map(|[time, _]| *time).fold(f64::INFINITY, f64::min);
    let x = match fastest > 0.0 && last / fastest >= LOG_RATIO {
        true => Axis::log("time for a frame, µs", fastest, last),
        false => Axis::linear("time for a frame, µs", first, last),
    };
    let figure = plan.figure.clone();
    let mut plot = Plot::new(x, Axis::linear(figure.as_str(), least, most));
    plot.dots("frames", all.iter().copied());
    let front: Vec<[f64; 2]> =
        front(&plan.problem.goal, trials).into_iter().filter_map(|place| at(&trials[place])).collect();
    plot.line("cells", front.iter().copied());
    plot.dots("cells", front.iter().copied());
    plot.explain("frames", "a trial");
    plot.explain("cells", "no trial is both faster and better");
    let words = match front.as_slice() {
        [one] => format!("One trial is the fastest and the best: {}.", time(one[0])),
        [first, .., last] => {
            format!("From {} at {} to {} at {}.", short(first[1]), time(first[0]), short(last[1]), time(last[0]))
        }
        [] => String::new(),
    };
    plot.figure(name, heading, &words)
}

fn best_trials(plan: &Plan, tuned: &Tuned) -> String {
    let goal = &plan.problem.goal;
    let mut all: Vec<(usize, &Trial)> =
        tuned.found.trials.iter().enumerate().filter(|(_, trial)| !trial.tally.is_failed).collect();
    all.sort_by(|(_, one), (_, other)| one.tally.compared(&other.tally, goal, Proof::Measured));
    if all.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<h3>Best trials</h3><div class=\"wide\"><table><thead><tr><th>trial</th><th>rung</th><th>frames</th><th>figure</th>\
         <th>setting</th></tr></thead><tbody>",
    );
    for (place, trial) in all.into_iter().take(LISTED) {
        let known = score(goal, &trial.tally).map_or_else(|| short(goal.figure(&trial.tally)), with_interval);
        // Writing into a string does not fail.
        let _ = write!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            place + 1,
            trial.rung,
            whole(trial.tally.frames),
            escaped(known),
            escaped(plan.problem.space.described(&trial.setting))
        );
    }
    text + "</tbody></table></div>"
}

fn failures(plan: &Plan, tuned: &Tuned) -> String {
    let count = failed(tuned).count();
    if count == 0 {
        return String::new();
    }
    let mut text = format!("<h3>{} settings failed</h3><div class=\"wide\"><table>", whole(count as u64));
    for (trial, reason) in failed(tuned).take(LISTED) {
        // Writing into a string does not fail.
        let _ = write!(
            text,
            "<tr><td>{}</td><td>{}</td></tr>",
            escaped(plan.problem.space.described(&trial.setting)),
            escaped(reason)
        );
    }
    text + "</table></div>"
}

fn of_parameters(all: &[Influence]) -> String {
    let mut text = String::from(
        "<div class=\"wide\"><table><thead><tr><th>parameter</th><th>share of the variance</th><th>largest change alone</th>\
         <th></th></tr></thead><tbody>",
    );
    for Influence { name, share, change, moves } in all {
        let change = match change {
            Some(change) if change.is_finite() => short(*change),
            Some(_) => "the pipeline fails".into(),
            None => "\u{2013}".into(),
        };
        let class = match moves {
            Some(Moves::Live) => "pass",
            Some(Moves::Unclear | Moves::Dead) => "inconclusive",
            None => "",
        };
        let word = moves.map_or("", Moves::word);
        // Writing into a string does not fail.
        let _ = write!(
            text,
            "<tr data-parameter=\"{}\"><td>{}</td><td>{}</td><td>{change}</td><td class=\"chip {class}\">{word}</td></tr>",
            escaped(name),
            escaped(name),
            share.map_or("\u{2013}".into(), percent),
        );
    }
    text + "</tbody></table></div><p class=\"note\">The share is that of the figure's variance over the whole space which \
            disappears if the parameter is fixed (Sobol's total effect). The change is that of the figure if this parameter alone \
            goes from the best setting to the worse end of its range.</p>"
}

/// The figure of all trials over each parameter.
fn over_parameters(plan: &Plan, tuned: &Tuned) -> String {
    (0..plan.problem.space.0.len()).map(|place| over(plan, tuned, place)).collect()
}

fn over(plan: &Plan, tuned: &Tuned, place: usize) -> String {
    let parameter = &plan.problem.space.0[place];
    let (id, name) = (format!("parameter-{place}"), parameter.name.escape_debug().to_string());
    let x = |setting: &Setting| {
        let value = setting.0[place].as_ref()?;
        match &parameter.domain {
            Domain::Choice(values) => values.iter().position(|one| one == value).map(|at| at as f64),
            _ => value.number(),
        }
    };
    let dots: Vec<[f64; 2]> =
        tuned.found.trials.iter().filter_map(|trial| Some([x(&trial.setting)?, figure_of(plan, trial)?])).collect();
    let Some((least, most)) = ends(dots.iter().map(|[_, figure]| *figure)) else {
        return nothing(&id, &name, "No trial has a figure.");
    };
    let axis = match &parameter.domain {
        Domain::Real { from, to, is_log: true } => Axis::log(&name, *from, *to),
        Domain::Real { from, to, .. } => Axis::linear(&name, *from, *to),
        Domain::Whole { from, to, is_log: true } => Axis::log(&name, *from as f64, *to as f64),
        Domain::Whole { from, to, .. } => Axis::linear(&name, *from as f64, *to as f64),
        Domain::Choice(values) => Axis::linear(&name, -0.5, values.len() as f64 - 0.5),
    };
    let figure = plan.figure.clone();
    let mut plot = Plot::new(axis, Axis::linear(figure.as_str(), least, most));
    if let Domain::Choice(values) = &parameter.domain {
        plot = plot.with_names(values.iter().map(Value::text).collect());
    }
    plot.dots("frames", dots.iter().copied());
    plot.explain("frames", "a trial");
    let best = tuned.found.best.as_ref().and_then(|best| x(&best.setting));
    if let Some(best) = best {
        plot.line("limit", [[best, least], [best, most]].into_iter());
        plot.explain("limit", "the best setting");
    }
    let heading = format!("{} over {name}", plan.figure);
    plot.figure(&id, &heading, "Each on the same seeds. The other parameters differ from dot to dot.")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::tune::core::goal::{Figure, Sample};
    use crate::tune::core::results::{Pending, Results};
    use crate::tune::core::search::search;
    use crate::tune::journal::Failures;
    use crate::tune::{plan, told};

    const PLAN: &str = "minimise = \"error_px.l1.mean\"\nsubject_to = [\"missed <= 5%\"]\ntrials = 24\n[run]\nframes = 5\n\
                        [pipeline]\nname = \"exec:cat {a} {kind} '<b>'\"\n[parameters]\na = { from = 1, to = 9, default = 2 }\n\
                        kind = { choice = [\"<i>x\", \"y\"], default = \"y\" }\n";

    /// The page of a search on a simulated pipeline.
    fn page(sample: impl Fn(&Setting, u32) -> Sample) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), PLAN).unwrap();
        let plan = plan::again(Path::new(file.path())).unwrap_or_else(|wrong| panic!("{wrong}"));
        let mut results = Results::default();
        let found = loop {
            match search(&plan.problem, &results) {
                Ok(found) => break found,
                Err(Pending(requests)) => {
                    for request in requests {
                        for block in request.blocks.clone() {
                            results.note(&request.setting, request.seeds, block, sample(&request.setting, block));
                        }
                    }
                }
            }
        };
        let failures: Failures = (found.trials.iter()).map(|one| (one.setting.key(), "<u>why".to_owned())).collect();
        let tuned = Tuned { found, failures };
        let told = told::told(&plan, &tuned);
        text(&plan, &tuned, &told)
    }

    fn measured(objective: f64, hits: u64) -> Sample {
        let limits = vec![Figure::Share { hits, all: 100 }];
        Sample::Measured { objective, limits, time_us: Some(100.0 * objective), frames: 100 }
    }

    #[test]
    fn a_page_has_the_verdict_the_comparison_the_search_and_each_parameter() {
        let page = page(|setting, block| {
            let a = setting.0[0].as_ref().and_then(Value::number).unwrap();
            if a > 8.0 {
                return Sample::Failed;
            }
            measured(1.0 + (a - 5.0).powi(2) + 0.01 * f64::from(block % 5), 1)
        });
        for part in [
            "data-verdict=\"pass\"",
            "data-part=\"against\"",
            "data-chart=\"against\"",
            "data-chart=\"search\"",
            "data-chart=\"front\"",
            "data-chart=\"parameter-0\"",
            "data-chart=\"parameter-1\"",
            "settings failed",
        ] {
            assert!(page.contains(part), "no {part} in {page}");
        }
        assert!(page.contains("&lt;u&gt;why") && page.contains("&lt;i&gt;x"), "{page}");
        assert!(
            !page.contains("<u>") && !page.contains("<i>x") && !page.contains("'<b>'"),
            "nothing foreign is markup"
        );
        assert!(page.contains("dead: it changes nothing"), "the choice changes nothing");
        assert!(!page.contains("NaN") && !page.contains(">inf"), "{page}");
    }

    #[test]
    fn a_search_that_found_nothing_has_a_page_too() {
        let nothing = page(|_, _| measured(1.0, 50));
        assert!(nothing.contains("data-verdict=\"fail\"") && nothing.contains("the nearest is"), "{nothing}");
        let failed = page(|_, _| Sample::Failed);
        assert!(failed.contains("the pipeline fails with all of them"), "{failed}");
        assert!(!failed.contains("NaN"), "{failed}");
    }
}
