//! Reads the plan of a search.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::core::goal::{Goal, Limit};
use super::core::search::{Method, Problem};
use super::core::space::Space;
use super::parameter::space;
use super::target;
use crate::gate::Condition;
use crate::output::regular;
use crate::run::number::whole as integer;
use crate::run::{read_text, syntax};
use crate::sweep::SweepError;
use crate::sweep::single::{Single, condition, figure, name_of};
use shared::near::near;

/// The keys of a plan, for messages.
const KEYS: [&str; 12] = [
    "minimise",
    "maximise",
    "subject_to",
    "method",
    "values",
    "trials",
    "seeds",
    "held_out",
    "run",
    "mixture",
    "pipeline",
    "parameters",
];

/// Settings that are tried, unless the plan says otherwise: with 200, CMA-ES finds a bowl in five parameters.
const TRIALS: u64 = 100;

/// Seeds of the first rung. Fewer tell little about the spread.
const SEEDS: u64 = 4;

/// Seeds of the report. Student's t with 39 degrees of freedom is nearly normal.
const HELD_OUT: u64 = 40;

/// Values of each range in a grid.
const VALUES: u64 = 3;

/// Rungs after the first: the last has nine times its frames.
const LAST: u32 = 2;

/// Most trials: each takes memory and a line of the page.
const MOST: u64 = 100_000;

/// Seed of the search's own random numbers. It is fixed, so that all machines run the same trials.
const SEED: u64 = 1;

/// A plan.
pub(super) struct Plan {
    /// The file's text.
    pub(super) text: String,
    /// A hash of the text.
    pub(super) name: String,
    /// What is searched.
    pub(super) problem: Problem,
    /// The path of the figure.
    pub(super) figure: String,
    /// The conditions.
    pub(super) conditions: Vec<Condition>,
    /// A run for each camera setting of the mixture.
    pub(super) runs: Vec<Single>,
    /// Why trials must run one at a time.
    pub(super) alone: bool,
}

/// Reads a plan's file, and checks that its pipeline is there and has the parameters.
///
/// # Errors
/// [`SweepError`] names the file, the key, what was wrong and what would be right.
pub(super) fn read(path: &Path) -> Result<Plan, SweepError> {
    let plan = of_text(path, read_text("PLAN", path)?)?;
    plan.runs.iter().try_for_each(Single::check)?;
    let of_file = plan.runs.iter().find_map(|run| run.source_of_file().transpose());
    if let Some(source) = of_file.transpose()? {
        let reason = format!(
            "[run] source = {source:?}: its frames are the same with every seed, but a search reports on seeds that no trial \
             saw: leave source out, or write depth"
        );
        return Err(SweepError::Plan { path: path.into(), reason });
    }
    // invariant: there is a run for each camera setting, at least one.
    let wrong = target::check(&plan.runs[0], &plan.problem.space).err();
    wrong.map_or(Ok(plan), |reason| Err(SweepError::Plan { path: path.into(), reason }))
}

/// Reads the plan of a search that has run. Its pipeline need not be here.
///
/// # Errors
/// As [`read`].
pub(super) fn again(path: &Path) -> Result<Plan, SweepError> {
    regular::check(path).map_err(SweepError::at(path))?;
    of_text(path, read_text("PLAN", path)?)
}

/// Reads the text of a plan.
///
/// # Errors
/// As [`read`].
pub(super) fn of_text(path: &Path, text: String) -> Result<Plan, SweepError> {
    let parsed = DeTable::parse(&text).map_err(|error| syntax(path, &text, &error))?.into_inner();
    let refused = |reason: String| SweepError::Plan { path: path.into(), reason };
    let asked = asked(&parsed).map_err(refused)?;
    let runs = runs(path, &parsed, asked.is_timed())?;
    // invariant: there is a run for each camera setting, at least one.
    let first = &runs[0];
    let task = first.task()?;
    let path_of = |path: &str| figure(path, task).map_err(|wrong| refused(format!("{}: {wrong}", asked.key)));
    let figure = path_of(&asked.figure)?;
    let read = |text: &String| condition(text, task).map_err(|wrong| refused(format!("subject_to: {wrong}")));
    let conditions: Vec<Condition> = asked.subject_to.iter().map(read).collect::<Result<_, _>>()?;
    let limits = conditions.iter().map(|one| Limit { at: one.limit(), is_upper: one.is_upper() }).collect();
    let problem = Problem {
        space: asked.space.clone(),
        goal: Goal { is_maximum: asked.key == "maximise", limits, held_out: asked.held_out },
        method: asked.method.clone(),
        trials: asked.trials,
        first: asked.seeds,
        last: LAST,
        seed: SEED,
    };
    let alone = asked.is_timed();
    let name = name_of(&text);
    drop(parsed);
    Ok(Plan { text, name, problem, figure, conditions, runs, alone })
}

/// What the plan asks for.
struct Asked {
    key: &'static str,
    figure: String,
    subject_to: Vec<String>,
    space: Space,
    method: Method,
    trials: usize,
    seeds: u32,
    held_out: u32,
}

impl Asked {
    /// Whether a time or a rate is asked for, so that trials must not disturb each other.
    fn is_timed(&self) -> bool {
        let is_time = |text: &str| ["latency_us", "fps"].iter().any(|start| text.trim_start().starts_with(start));
        is_time(&self.figure) || self.subject_to.iter().any(|text| is_time(text))
    }
}

fn asked(table: &DeTable<'_>) -> Result<Asked, String> {
    if let Some(key) = table.keys().map(toml::Spanned::get_ref).find(|key| !KEYS.contains(&key.as_ref())) {
        let advice = near(key, KEYS)
            .first()
            .map_or_else(|| format!("it has {}", KEYS.join(", ")), |near| format!("did you mean {near}?"));
        return Err(format!("\"{key}\" is not a key of a plan: {advice}"));
    }
    let text = |key: &str| match table.get(key).map(toml::Spanned::get_ref) {
        None => Ok(None),
        Some(DeValue::String(text)) => Ok(Some(text.to_string())),
        Some(_) => Err(format!("{key} is a text in quotes")),
    };
    let (key, figure) = match (text("minimise")?, text("maximise")?) {
        (Some(figure), None) => ("minimise", figure),
        (None, Some(figure)) => ("maximise", figure),
        _ => return Err("write one of minimise and maximise, such as minimise = \"error_px.l1.mean\"".into()),
    };
    let whole = |key: &str, usual: u64, least: u64| match table.get(key).map(toml::Spanned::get_ref) {
        None => Ok(usual),
        Some(value) => {
            let number = integer(value).and_then(|number| u64::try_from(number).ok());
            let number = number.filter(|number| (least..=MOST).contains(number));
            number.ok_or_else(|| format!("{key} is a whole number from {least} to {MOST}"))
        }
    };
    let empty = DeTable::new();
    let parameters = match table.get("parameters").map(toml::Spanned::get_ref) {
        None => &empty,
        Some(DeValue::Table(parameters)) => parameters,
        Some(_) => return Err("parameters is a table: write [parameters], and its keys below".into()),
    };
    let space = space(parameters)?;
    let values = whole("values", VALUES, 2)? as usize;
    let method = match text("method")?.as_deref() {
        None | Some("cma") => Method::Cma,
        Some("sobol") => Method::Sobol,
        Some("grid") if space.grid_size(values) > u128::from(MOST) => {
            return Err(format!(
                "method: a grid of {values} values of each range has {} settings, more than {MOST}: write fewer values",
                space.grid_size(values)
            ));
        }
        Some("grid") => Method::Grid(values),
        Some(other) => return Err(format!("method: \"{other}\" is not known: write cma, sobol or grid")),
    };
    Ok(Asked {
        key,
        figure,
        subject_to: subject_to(table)?,
        space,
        method,
        trials: whole("trials", TRIALS, 4)? as usize,
        seeds: whole("seeds", SEEDS, 2)? as u32,
        held_out: whole("held_out", HELD_OUT, 2)? as u32,
    })
}

fn subject_to(table: &DeTable<'_>) -> Result<Vec<String>, String> {
    let wrong = || "subject_to is a list of conditions, such as [\"missed <= 1%\"]".to_owned();
    match table.get("subject_to").map(toml::Spanned::get_ref) {
        None => Ok(Vec::new()),
        Some(DeValue::Array(all)) => {
            all.iter().map(|one| one.get_ref().as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// A run for each table of the mixture, whose options come on top of `[run]`; one run without a mixture.
fn runs(path: &Path, table: &DeTable<'_>, is_timed: bool) -> Result<Vec<Single>, SweepError> {
    let refused = |reason: &str| SweepError::Plan { path: path.into(), reason: reason.to_owned() };
    let mut base = DeTable::new();
    for (key, value) in table.iter().filter(|(key, _)| ["run", "pipeline"].contains(&key.get_ref().as_ref())) {
        base.insert(key.clone(), value.clone());
    }
    if is_timed {
        base.insert(spanned("latency".into()), spanned(DeValue::Boolean(true)));
    }
    let mixture = match table.get("mixture").map(toml::Spanned::get_ref) {
        None => return Ok(vec![Single::of_table(path, &base)?]),
        Some(DeValue::Array(all)) if !all.is_empty() => all,
        Some(_) => return Err(refused("mixture is a list of tables: write [[mixture]], and options of the run below")),
    };
    let mut runs = Vec::new();
    for options in mixture.iter() {
        let DeValue::Table(options) = options.get_ref() else {
            return Err(refused("mixture is a list of tables: write [[mixture]], and options of the run below"));
        };
        if options.contains_key("seed") || options.contains_key("frames") {
            return Err(refused("[[mixture]] seed and frames are the same for all of them: write them into [run]"));
        }
        let mut run = match table.get("run").map(toml::Spanned::get_ref) {
            Some(DeValue::Table(run)) => run.clone(),
            _ => DeTable::new(),
        };
        for (key, value) in options {
            run.insert(key.clone(), value.clone());
        }
        let mut all = base.clone();
        all.insert(spanned("run".into()), spanned(DeValue::Table(run)));
        runs.push(Single::of_table(path, &all)?);
    }
    Ok(runs)
}

fn spanned<T>(value: T) -> toml::Spanned<T> {
    toml::Spanned::new(0..0, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str =
        "[run]\nframes = 5\nsize = \"64x48\"\nradius = 8\n[pipeline]\nname = \"hough-classic\"\n[parameters]\n";

    /// With 65,536 values of each there are 2^128 settings, one more than 128 bits can count.
    const GRID: &str = "a = { from = 0, to = 1 }\nb = { from = 0, to = 1 }\nc = { from = 0, to = 1 }\nd = { from = 0, to = 1 }\n\
        e = { from = 0, to = 1 }\nf = { from = 0, to = 1 }\ng = { from = 0, to = 1 }\nh = { from = 0, to = 1 }\n";

    fn plan(head: &str, rest: &str) -> Result<Plan, SweepError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{head}\n{REST}{rest}")).unwrap();
        read(file.path())
    }

    #[test]
    fn a_plan_is_read() {
        let head = "minimise = \"error_px.l1.mean\"\nsubject_to = [\"missed <= 1%\"]\ntrials = 20";
        let plan = plan(
            head,
            "min_radius = { from = 2, to = 9, default = 4 }\n[[mixture]]\nnoise = 5\n[[mixture]]\nnoise = 20\n",
        );
        let plan = plan.unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!((plan.runs.len(), plan.problem.trials, plan.alone), (2, 20, false));
        assert_eq!(plan.conditions[0].to_string(), "frames.missed <= 1 %");
    }

    #[test]
    fn what_is_wrong_with_a_plan_is_said() {
        let range = "min_radius = { from = 2, to = 9 }\n";
        for (head, rest, words) in [
            ("", range, "write one of minimise and maximise"),
            (
                "minimise = \"error_px.l1.maen\"",
                range,
                "minimise: the report has no figure error_px.l1.maen: the nearest are error_px.l1.mean",
            ),
            ("minimise = \"error_px.l1.mean\"\nsubject_to = [\"mised <= 1%\"]", range, "frames.missed"),
            ("minimise = \"error_px.l1.mean\"\nsubject_to = [\"missed == 0\"]", range, "compare with <= or >="),
            (
                "minimise = \"error_px.l1.mean\"\nsubject_to = [\"frames.warmup <= 50%\"]",
                range,
                "subject_to: frames.warmup <= 50 %: frames.warmup is no share of the frames sent",
            ),
            ("minimise = \"error_px.l1.mean\"\nmethod = \"tpe\"", range, "write cma, sobol or grid"),
            (
                "minimise = \"error_px.l1.mean\"\ntrial = 9",
                range,
                "\"trial\" is not a key of a plan: did you mean trials?",
            ),
            ("minimise = \"error_px.l1.mean\"\nzzz = 9", range, "\"zzz\" is not a key of a plan: it has minimise"),
            (
                "minimise = \"error_px.l1.mean\"\nmaximise = \"fps.answered\"",
                range,
                "write one of minimise and maximise",
            ),
            ("minimise = 5", range, "minimise is a text in quotes"),
            (
                "minimise = \"error_px.l1.mean\"\nsubject_to = \"missed <= 1%\"",
                range,
                "subject_to is a list of conditions",
            ),
            (
                "minimise = \"error_px.l1.mean\"\nmethod = \"grid\"\nvalues = 65536\n",
                GRID,
                "more than 100000: write fewer values",
            ),
            ("minimise = \"error_px.l1.mean\"\nseeds = -1", range, "seeds is a whole number from 2 to 100000"),
            ("minimise = \"error_px.l1.mean\"\nheld_out = 2.5", range, "held_out is a whole number from 2 to 100000"),
            ("minimise = \"error_px.l1.mean\"\nparameters = 5", "", "duplicate key"),
            ("minimise = \"error_px.l1.mean\"\ntrials = 0", range, "trials is a whole number from 4"),
            (
                "minimise = \"error_px.l1.mean\"",
                "min_radius = { from = 9, to = 2 }\n",
                "the range from 9 to 2 is empty",
            ),
            (
                "minimise = \"error_px.l1.mean\"",
                "min_radus = { from = 2, to = 9 }\n",
                "hough-classic has no such parameter: did you mean min_radius?",
            ),
            (
                "minimise = \"error_px.l1.mean\"",
                "param1 = { from = 1, to = 90, whole = true }\n",
                "param1 = 1: param1 is a whole number from 2 to 2040",
            ),
            (
                "minimise = \"error_px.l1.mean\"",
                "min_axis_ratio = { from = 0.2, to = 0.9 }\n",
                "it has min_radius, max_radius, param1, param2",
            ),
        ] {
            match plan(head, rest) {
                Ok(_) => panic!("taken: {head} {rest}"),
                Err(wrong) => {
                    assert!(wrong.is_usage());
                    assert!(wrong.to_string().contains(words), "{wrong}");
                }
            }
        }
    }
}
