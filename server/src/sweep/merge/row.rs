//! The row of a trial, from its report.

use serde_json::Value;

use super::columns::{Cell, Column, Columns, End, Kind, Origin};
use crate::score::bounds::Bound;
use crate::sweep::plan::Trial;
use crate::sweep::reading::Reading;

impl Reading {
    /// Its task.
    pub(super) fn task(&self) -> Option<String> {
        self.session["task"].as_str().map(str::to_owned)
    }

    /// Its row.
    pub(super) fn cells(&self, trial: &Trial, id: &str, columns: &Columns) -> Vec<Cell> {
        let cell = |column: &Column| {
            self.of_report(column).unwrap_or_else(|| of_trial(trial, id, "done", column).unwrap_or(Cell::Null))
        };
        columns.all().iter().map(cell).collect()
    }

    /// The value of a column that the report fills; `None` for a column that the trial itself fills.
    fn of_report(&self, column: &Column) -> Option<Cell> {
        Some(match &column.origin {
            Origin::Version => Cell::Word(self.version.clone()),
            Origin::Host => Cell::Word(self.host.clone()),
            Origin::Figure(path) if column.kind == Kind::Integer => {
                whole(&self.session, path).map_or(Cell::Null, Cell::Integer)
            }
            Origin::Figure(path) => real(self.at(path)),
            Origin::Bound(path, end) => real(self.session["bounds"].get(*path).and_then(|bound| bound.get(end.name()))),
            Origin::Share(path) => {
                let share = self.counts(path).map(|(hits, all)| hits as f64 / all as f64);
                share.map_or(Cell::Null, Cell::Real)
            }
            Origin::ShareBound(path, end) => {
                let bound = self.counts(path).and_then(|(hits, all)| Bound::of_share(hits, all));
                let end = bound.and_then(|bound| if *end == End::Low { bound.low } else { bound.high });
                end.map_or(Cell::Null, Cell::Real)
            }
            _ => return None,
        })
    }

    fn counts(&self, path: &str) -> Option<(u64, u64)> {
        let of = |path: &str| self.at(path).and_then(Value::as_u64);
        Some((of(path)?, of("frames.sent").filter(|sent| *sent > 0)?))
    }

    fn at(&self, path: &str) -> Option<&Value> {
        at(&self.session, path)
    }
}

/// The row of a trial that failed.
pub(super) fn failed(trial: &Trial, id: &str, reason: &str, columns: &Columns) -> Vec<Cell> {
    let cell = |column: &Column| match &column.origin {
        Origin::Reason => Cell::Word(reason.to_owned()),
        _ => of_trial(trial, id, "failed", column).unwrap_or(Cell::Null),
    };
    columns.all().iter().map(cell).collect()
}

/// The value of a column that follows from the plan.
fn of_trial(trial: &Trial, id: &str, state: &str, column: &Column) -> Option<Cell> {
    Some(match &column.origin {
        Origin::Trial => Cell::Integer(trial.number as i64),
        Origin::Id => Cell::Word(id.to_owned()),
        Origin::Repeat => Cell::Integer(trial.repeat as i64),
        // Stored as the same 64 bits.
        Origin::Seed => Cell::Integer(trial.seed() as i64),
        Origin::Axis(name) => {
            let (_, value) = trial.values.iter().find(|(axis, _)| axis == name)?;
            match column.kind {
                Kind::Real => value.number().map_or(Cell::Null, Cell::Real),
                _ => Cell::Word(value.text.clone()),
            }
        }
        Origin::Pipeline => Cell::Word(trial.pipeline.clone()),
        Origin::State => Cell::Word(state.to_owned()),
        _ => return None,
    })
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::High => "high",
        }
    }
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}

fn whole(session: &Value, path: &str) -> Option<i64> {
    at(session, path).and_then(Value::as_i64)
}

fn real(value: Option<&Value>) -> Cell {
    value.and_then(Value::as_f64).map_or(Cell::Null, Cell::Real)
}
