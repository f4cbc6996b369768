//! Groups the trials by cell: combines their figures and intervals, and tests which cells differ from the others.

use std::collections::BTreeMap;

use crate::score::bounds::student;
use crate::sweep::marks::{Measure, RATE, marked, probabilities};
use crate::sweep::merge::{Cell, Read};
use crate::sweep::plan::Plan;

/// A figure of the page.
#[derive(Debug)]
pub(super) struct Figure {
    /// Its column.
    pub(super) column: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// Its unit.
    pub(super) unit: &'static str,
    /// The column of the count behind a share; `None` for a mean.
    hits: Option<&'static str>,
    /// Whether a smaller one is better.
    pub(super) smaller_is_better: bool,
    /// Whether cells are tested. Figures of time are not, because they depend on what else the machine does.
    is_tested: bool,
}

const fn mean(column: &'static str, name: &'static str, unit: &'static str) -> Figure {
    Figure { column, name, unit, hits: None, smaller_is_better: true, is_tested: true }
}

const fn share(column: &'static str, name: &'static str, hits: &'static str) -> Figure {
    Figure { column, name, unit: "", hits: Some(hits), smaller_is_better: true, is_tested: true }
}

/// The figures of the page, the most important of each task first.
pub(super) const FIGURES: [Figure; 10] = [
    mean("error_px_l1_mean", "Mean error", "px"),
    share("missed_share", "Missed balls, as a share of the frames", "frames_missed"),
    share("false_positive_share", "False positives, as a share of the frames", "frames_false_positive"),
    Figure { is_tested: false, ..mean("error_px_efficiency", "Efficiency: error divided by the limit", "") },
    mean("count_mean_absolute_error", "Mean error of the count", "balls"),
    Figure { smaller_is_better: false, ..mean("image_psnr_db_mean", "PSNR", "dB") },
    share("dropped_share", "Dropped frames, as a share", "frames_dropped"),
    share("lost_share", "Lost frames, as a share", "frames_lost"),
    Figure { is_tested: false, ..mean("latency_us_p50", "Median latency", "µs") },
    Figure { is_tested: false, ..mean("latency_us_stages_detect_p50", "Median time of the pipeline", "µs") },
];

/// An axis of the page: one with several values.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) name: String,
    pub(super) texts: Vec<String>,
    /// The values, if all are numbers.
    pub(super) numbers: Option<Vec<f64>>,
}

/// The cells of a sweep.
#[derive(Debug)]
pub(super) struct Cells {
    /// The axes that have several values.
    pub(super) axes: Vec<Shown>,
    /// For each cell: the place of its value on each axis, and its measures by column.
    all: Vec<(Vec<usize>, BTreeMap<&'static str, Measure>)>,
    /// The cells that are marked, by column.
    marks: BTreeMap<&'static str, Vec<bool>>,
    /// How often a cell was looked at, for the tests.
    #[cfg(test)]
    looks: std::cell::Cell<usize>,
}

/// A mean over cells, with its 95 % bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Cells {
    /// Groups the trials of a table.
    pub(super) fn of(plan: &Plan, table: &Read) -> Self {
        let axes: Vec<_> = plan.axes.iter().enumerate().filter(|(_, axis)| axis.values.len() > 1).collect();
        let mut groups: BTreeMap<Vec<usize>, BTreeMap<&'static str, Vec<Measure>>> = BTreeMap::new();
        let number = table.place("trial");
        for row in &table.rows {
            let Some(Cell::Integer(number)) = number.and_then(|place| row.get(place)) else { continue };
            let places = plan.places(*number as u64);
            let key: Vec<_> = axes.iter().map(|(place, _)| places[*place]).collect();
            let group = groups.entry(key).or_default();
            for figure in &FIGURES {
                if let Some(measure) = measure(figure, table, row) {
                    group.entry(figure.column).or_default().push(measure);
                }
            }
        }
        let together = |measures: BTreeMap<&'static str, Vec<Measure>>| {
            measures.into_iter().filter_map(|(column, all)| Some((column, Measure::together(&all)?))).collect()
        };
        let all: Vec<_> = groups.into_iter().map(|(key, measures)| (key, together(measures))).collect();
        let axes = axes.into_iter().map(|(_, axis)| Shown {
            name: axis.name.clone(),
            texts: axis.values.iter().map(|value| value.text.clone()).collect(),
            numbers: axis.numbers(),
        });
        let mut cells = Self {
            axes: axes.collect(),
            all,
            marks: BTreeMap::new(),
            #[cfg(test)]
            looks: std::cell::Cell::default(),
        };
        cells.mark();
        cells
    }

    /// Tests all cells and figures together.
    fn mark(&mut self) {
        let tested: Vec<_> = FIGURES.iter().filter(|figure| figure.is_tested).map(|figure| figure.column).collect();
        let of =
            |column: &&str| probabilities(&self.all.iter().map(|(_, of)| of.get(column).copied()).collect::<Vec<_>>());
        let all: Vec<_> = tested.iter().flat_map(of).collect();
        let marked = marked(&all);
        let count = self.all.len().max(1);
        self.marks = tested.into_iter().zip(marked.chunks(count).map(<[bool]>::to_vec)).collect();
    }

    /// Whether any cell has this figure. A share that is 0 in all cells does not count.
    pub(super) fn has(&self, figure: &Figure) -> bool {
        let of = |(_, measures): &(Vec<usize>, BTreeMap<&str, Measure>)| measures.get(figure.column).copied();
        self.all.iter().filter_map(of).any(|measure| figure.hits.is_none() || measure.value() > 0.0)
    }

    /// Whether the cells of a figure are tested.
    pub(super) fn is_tested(&self, figure: &Figure) -> bool {
        self.marks.contains_key(figure.column)
    }

    /// Number of cells of a figure that are marked.
    pub(super) fn marked(&self, figure: &Figure) -> usize {
        self.marks.get(figure.column).map_or(0, |marks| marks.iter().filter(|marked| **marked).count())
    }

    /// Number of cells.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// For each combination of values on these axes, by their places: the mean over the cells that have them, and whether
    /// any of them is marked. Combinations without the figure are left out. Each cell is looked at once, because an axis
    /// may have a million values.
    pub(super) fn by<const N: usize>(
        &self,
        figure: &Figure,
        axes: [usize; N],
    ) -> BTreeMap<[usize; N], (Estimate, bool)> {
        let mut groups: BTreeMap<[usize; N], (Vec<Measure>, bool)> = BTreeMap::new();
        let marks = self.marks.get(figure.column);
        for (place, (key, of)) in self.all.iter().enumerate() {
            #[cfg(test)]
            self.looks.set(self.looks.get() + 1);
            let Some(measure) = of.get(figure.column) else { continue };
            let (measures, is_marked) = groups.entry(axes.map(|axis| key[axis])).or_default();
            measures.push(*measure);
            *is_marked |= marks.is_some_and(|marks| marks[place]);
        }
        let together = |(at, (measures, is_marked)): ([usize; N], (Vec<Measure>, bool))| {
            Some((at, (estimate(&Measure::together(&measures)?), is_marked)))
        };
        groups.into_iter().filter_map(together).collect()
    }
}

/// The value with its bounds.
fn estimate(measure: &Measure) -> Estimate {
    match *measure {
        Measure::Mean { value, error, freedom } => {
            let half = if freedom.is_finite() { student(freedom, RATE) * error } else { 0.0 };
            Estimate { value, low: value - half, high: value + half }
        }
        Measure::Share { hits, all } => {
            let bound = crate::score::bounds::Bound::of_share(hits, all);
            let end = |end: Option<f64>| end.unwrap_or_else(|| measure.value());
            let (low, high) = bound.map_or((None, None), |bound| (bound.low, bound.high));
            Estimate { value: measure.value(), low: end(low), high: end(high) }
        }
    }
}

/// The figure of a trial.
fn measure(figure: &Figure, table: &Read, row: &[Cell]) -> Option<Measure> {
    let number = |column: &str| match row.get(table.place(column)?)? {
        Cell::Integer(value) => Some(*value as f64),
        Cell::Real(value) => Some(*value),
        _ => None,
    };
    let frames = number("frames_sent")?;
    match figure.hits {
        Some(hits) => Measure::of_counts(number(hits)? as u64, frames as u64),
        None => {
            let value = number(figure.column)?;
            // The errors are those of the frames with a circle.
            let circles = number("frames_circle").filter(|_| figure.column.starts_with("error_px"));
            let frames = circles.unwrap_or(frames);
            let bounds = number(&format!("{}_lower", figure.column)).zip(number(&format!("{}_upper", figure.column)));
            let bounded = bounds.and_then(|(low, high)| Measure::of_bounds(value, low, high, frames));
            // A figure without bounds is shown as it is.
            (bounded.is_some() || !figure.is_tested)
                .then(|| bounded.unwrap_or(Measure::Mean { value, error: 0.0, freedom: f64::INFINITY }))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sweep::page::{charts, maps};

    #[test]
    fn each_chart_and_each_map_looks_at_each_cell_once() {
        let plan = "[run]\nframes = 10\n[axes]\nnoise = { from = 0, to = 50, steps = 1000 }\nblur = [0, 1]\ncontrast = [90, 100]\n";
        let plan = Plan::of_text(Path::new("plan.toml"), plan.into()).unwrap();
        let names = ["trial", "frames_sent", "frames_missed"].map(str::to_owned).to_vec();
        let row = |trial: u64| vec![Cell::Integer(trial as i64), Cell::Integer(10), Cell::Integer((trial % 2) as i64)];
        let cells = Cells::of(&plan, &Read { names, rows: (1..=4_000).map(row).collect() });
        let figure = &FIGURES[1];
        let by_noise = cells.by(figure, [0]);
        assert_eq!((by_noise.len(), by_noise[&[999]].0.value), (1_000, 0.05));
        cells.looks.set(0);
        charts::over_axes(&cells, figure);
        maps::of_pairs(&cells, figure);
        // Three charts, and a map of the two short axes.
        assert_eq!(cells.looks.get(), 4 * 4_000);
    }
}
