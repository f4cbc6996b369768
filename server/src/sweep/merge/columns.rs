//! The columns of `sweep.parquet`.

use crate::sweep::plan::{Axis, Plan};

/// A value of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A real number.
    Real(f64),
    /// A text.
    Word(String),
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number.
    Integer,
    /// A whole number from 0 to 2^64 − 1.
    Unsigned,
    /// A real number.
    Real,
    /// A text.
    Word,
}

/// Where the values of a column come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Origin {
    Trial,
    Id,
    Repeat,
    Seed,
    /// The axis of this name.
    Axis(String),
    Pipeline,
    State,
    Reason,
    Version,
    Host,
    /// The figure at this path of the session.
    Figure(&'static str),
    /// A bound of the figure at this path.
    Bound(&'static str, End),
    /// The count at this path, as a share of the frames sent.
    Share(&'static str),
    /// A bound of that share.
    ShareBound(&'static str, End),
}

/// One of two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Low,
    High,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sweep) struct Column {
    pub(in crate::sweep) name: String,
    pub(in crate::sweep) kind: Kind,
    pub(super) origin: Origin,
}

/// The columns of a table, in order.
#[derive(Clone, Debug)]
pub(in crate::sweep) struct Columns(Vec<Column>);

/// Whole numbers of every task.
const COUNTS: [&str; 4] = ["frames.sent", "frames.answered", "frames.dropped", "frames.lost"];

/// Whole numbers by task.
const COUNTS_OF: [(&str, &[&str]); 3] = [
    ("circle", &["frames.circle", "frames.no_circle", "frames.missed", "frames.empty", "frames.false_positive"]),
    ("count", &["count.scored", "count.exact"]),
    ("image", &["image.images", "image.identical"]),
];

/// Counts by task that also have a column for their share of the frames sent. The first list is for every task.
pub(in crate::sweep) const SHARES: [(&str, &[&str]); 3] = [
    ("", &["frames.dropped", "frames.lost"]),
    ("circle", &["frames.missed", "frames.false_positive"]),
    ("image", &["image.identical"]),
];

/// Real numbers by task, with bounds where the report has them.
const FIGURES: [(&str, &[&str]); 3] = [
    (
        "circle",
        &[
            "error_px.l1.mean",
            "error_px.l1.p50",
            "error_px.l1.p95",
            "error_px.l1.p99",
            "error_px.l1.max",
            "error_px.l1.sum",
            "error_px.l2.mean",
            "error_px.l2.rms",
            "error_px.bias.x",
            "error_px.bias.y",
            "error_px.limit",
            "error_px.efficiency",
            "error_px.nees",
        ],
    ),
    ("count", &["count.exact_share", "count.mean_error", "count.mean_absolute_error"]),
    ("image", &["image.psnr_db.mean", "image.psnr_db.min"]),
];

/// Figures without bounds in the report.
const WITHOUT_BOUNDS: [&str; 4] = ["error_px.l1.max", "error_px.l1.sum", "error_px.limit", "image.psnr_db.min"];

/// Figures of time, which differ from machine to machine.
const TIMES: [&str; 6] = [
    "latency_us.p50",
    "latency_us.p95",
    "latency_us.p99",
    "latency_us.max",
    "latency_us.stages.detect.p50",
    "fps.answered",
];

impl Columns {
    /// The columns for the trials of a plan with this task. If the task is an axis, or unknown, the columns of all
    /// tasks.
    pub(super) fn of(plan: &Plan, task: Option<&str>) -> Self {
        let is_axis = plan.axes.iter().any(|axis| axis.name == "task");
        let wanted = |of: &str| of.is_empty() || is_axis || task.is_none_or(|task| task == of);
        let mut columns = Self(Vec::new());
        columns.add("trial", Kind::Integer, Origin::Trial);
        columns.add("id", Kind::Word, Origin::Id);
        columns.add("repeat", Kind::Integer, Origin::Repeat);
        columns.add("seed", Kind::Unsigned, Origin::Seed);
        for axis in plan.axes.iter().filter(|axis| !["seed", "pipeline"].contains(&axis.name.as_str())) {
            columns.add(&axis.name, kind_of(axis), Origin::Axis(axis.name.clone()));
        }
        columns.add("pipeline", Kind::Word, Origin::Pipeline);
        columns.add("state", Kind::Word, Origin::State);
        let of_task = COUNTS_OF.into_iter().filter(|(of, _)| wanted(of)).flat_map(|(_, paths)| paths);
        for path in COUNTS.iter().chain(of_task) {
            columns.add(&underscored(path), Kind::Integer, Origin::Figure(path));
        }
        for path in SHARES.into_iter().filter(|(of, _)| wanted(of)).flat_map(|(_, paths)| paths) {
            columns.share(path);
        }
        for path in FIGURES.into_iter().filter(|(of, _)| wanted(of)).flat_map(|(_, paths)| paths) {
            columns.figure(path);
        }
        TIMES.into_iter().for_each(|path| columns.figure(path));
        columns.add("version", Kind::Word, Origin::Version);
        columns.add("host", Kind::Word, Origin::Host);
        columns.add("reason", Kind::Word, Origin::Reason);
        columns
    }

    fn add(&mut self, name: &str, kind: Kind, origin: Origin) {
        // The name of an axis, such as `frames`, is never that of a figure, which has its group in front.
        self.0.push(Column { name: name.to_owned(), kind, origin });
    }

    fn figure(&mut self, path: &'static str) {
        let name = underscored(path);
        self.add(&name, Kind::Real, Origin::Figure(path));
        if !WITHOUT_BOUNDS.contains(&path) && path != "latency_us.max" {
            self.add(&format!("{name}_lower"), Kind::Real, Origin::Bound(path, End::Low));
            self.add(&format!("{name}_upper"), Kind::Real, Origin::Bound(path, End::High));
        }
    }

    fn share(&mut self, path: &'static str) {
        let name = format!("{}_share", path.rsplit('.').next().unwrap_or(path));
        self.add(&name, Kind::Real, Origin::Share(path));
        self.add(&format!("{name}_lower"), Kind::Real, Origin::ShareBound(path, End::Low));
        self.add(&format!("{name}_upper"), Kind::Real, Origin::ShareBound(path, End::High));
    }

    /// The names of all columns, with what they hold.
    pub(super) fn kinds(&self) -> Vec<(String, Kind)> {
        self.0.iter().map(|column| (column.name.clone(), column.kind)).collect()
    }

    /// All columns.
    pub(super) fn all(&self) -> &[Column] {
        &self.0
    }

    /// The place of the column `state`.
    pub(super) fn state(&self) -> usize {
        // invariant: there is such a column.
        self.0.iter().position(|column| column.origin == Origin::State).unwrap_or_default()
    }

    /// Whether two rows have the same figures of accuracy, to the bit.
    pub(super) fn same_figures(&self, one: &[Cell], other: &[Cell]) -> bool {
        let cells = self.0.iter().zip(one.iter().zip(other));
        cells.filter(|(column, _)| column.is_accuracy()).all(|(_, (one, other))| match (one, other) {
            (Cell::Real(one), Cell::Real(other)) => one.to_bits() == other.to_bits(),
            _ => one == other,
        })
    }
}

impl Column {
    /// Whether it is the same on every machine.
    pub(super) fn is_accuracy(&self) -> bool {
        let is_time = |path: &str| path.starts_with("latency_us") || path.starts_with("fps");
        match &self.origin {
            Origin::Figure(path) | Origin::Bound(path, _) => !is_time(path),
            Origin::Version | Origin::Host | Origin::Reason => false,
            _ => true,
        }
    }
}

/// A column of numbers if all values are numbers, else of texts.
fn kind_of(axis: &Axis) -> Kind {
    if axis.numbers().is_some() { Kind::Real } else { Kind::Word }
}

fn underscored(path: &str) -> String {
    path.replace('.', "_")
}
