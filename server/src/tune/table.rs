//! `tune.parquet`: a row for each trial.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::core::results::Trial;
use super::core::space::{Domain, Parameter, Value};
use super::core::verdict::score;
use super::plan::Plan;
use super::told::reason;
use super::work::Tuned;
use crate::sweep::single::{Cell, Kind, Table};

/// The file.
pub(super) const FILE: &str = "tune.parquet";

/// Writes the table. Returns whether this build can write it.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(folder: &Path, plan: &Plan, tuned: &Tuned) -> io::Result<bool> {
    let Some(mut table) = Table::create(&folder.join(FILE), &columns(plan))? else { return Ok(false) };
    for (place, trial) in tuned.found.trials.iter().enumerate() {
        table.add(row(plan, tuned, place, trial))?;
    }
    table.finish(&plan.text)?;
    Ok(true)
}

/// The columns. A parameter whose name another column has gets `parameter_` in front, until nobody else has its name.
fn columns(plan: &Plan) -> Vec<(String, Kind)> {
    let named = |names: &[(&str, Kind)]| -> Vec<(String, Kind)> {
        names.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect()
    };
    let head = named(&[("trial", Kind::Integer), ("rung", Kind::Integer), ("frames", Kind::Integer)]);
    let mut tail = named(&[("objective", Kind::Real), ("lower", Kind::Real), ("upper", Kind::Real)]);
    for (number, condition) in plan.conditions.iter().enumerate() {
        // Two conditions may be on the same figure.
        let twice = plan.conditions[..number].iter().any(|other| other.path() == condition.path());
        let name = condition.path().replace('.', "_") + &if twice { format!("_{}", number + 1) } else { String::new() };
        tail.extend(["", "_lower", "_upper"].map(|end| (format!("{name}{end}"), Kind::Real)));
    }
    tail.extend(named(&[("detect_us", Kind::Real), ("state", Kind::Word), ("reason", Kind::Word)]));
    let taken: Vec<&str> = head.iter().chain(&tail).map(|(name, _)| name.as_str()).collect();
    let parameters = parameters(&plan.problem.space.0, &taken);
    head.iter().cloned().chain(parameters).chain(tail.iter().cloned()).collect()
}

fn parameters(all: &[Parameter], taken: &[&str]) -> Vec<(String, Kind)> {
    let own: BTreeSet<&str> = all.iter().map(|one| one.name.as_str()).collect();
    let column = |one: &Parameter| {
        let mut name = one.name.clone();
        while taken.contains(&name.as_str()) || (name != one.name && own.contains(name.as_str())) {
            name.insert_str(0, "parameter_");
        }
        (name, kind(&one.domain))
    };
    all.iter().map(column).collect()
}

fn kind(domain: &Domain) -> Kind {
    match domain {
        Domain::Real { .. } => Kind::Real,
        Domain::Whole { .. } => Kind::Integer,
        Domain::Choice(values) if values.iter().all(|value| matches!(value, Value::Whole(_))) => Kind::Integer,
        Domain::Choice(values) if values.iter().all(|value| value.number().is_some()) => Kind::Real,
        Domain::Choice(_) => Kind::Word,
    }
}

fn row(plan: &Plan, tuned: &Tuned, place: usize, trial: &Trial) -> Vec<Cell> {
    let tally = &trial.tally;
    let real = |value: Option<f64>| value.filter(|value| value.is_finite()).map_or(Cell::Null, Cell::Real);
    let mut row = [place as i64 + 1, i64::from(trial.rung), tally.frames as i64].map(Cell::Integer).to_vec();
    row.extend(plan.problem.space.0.iter().zip(&trial.setting.0).map(|(parameter, value)| {
        let value = value.as_ref();
        match kind(&parameter.domain) {
            Kind::Integer | Kind::Unsigned => match value {
                Some(Value::Whole(number)) => Cell::Integer(*number),
                _ => Cell::Null,
            },
            Kind::Real => real(value.and_then(Value::number)),
            Kind::Word => value.map_or(Cell::Null, |value| Cell::Word(value.text())),
        }
    }));
    let known = score(&plan.problem.goal, tally).filter(|_| !tally.is_failed);
    row.push(real(Some(plan.problem.goal.figure(tally))));
    row.extend([known.map(|score| score.low), known.map(|score| score.high)].map(real));
    let figures = tally.limits.iter().flatten().map(|figure| real(Some(*figure).filter(|_| !tally.is_failed)));
    row.extend(figures);
    row.push(real(tally.time_us));
    row.push(Cell::Word(if tally.is_failed { "failed" } else { "done" }.into()));
    row.push(reason(tuned, trial).map_or(Cell::Null, |reason| Cell::Word(reason.to_owned())));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_columns_have_the_same_name() {
        let parameter = |name: &str| Parameter { name: name.into(), domain: Domain::Choice(Vec::new()), default: None };
        let all = ["trial", "parameter_trial", "sigma"].map(parameter);
        let names: Vec<_> = parameters(&all, &["trial", "state"]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["parameter_parameter_trial", "parameter_trial", "sigma"]);
    }
}
