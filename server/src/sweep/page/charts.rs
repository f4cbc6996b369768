//! Each figure over each axis.

use super::cells::{Cells, Estimate, Figure, Shown};
use crate::output::html::plot::{Axis, Plot, nothing};
use crate::output::html::text::{escaped, short};

/// Least ratio of the largest to the smallest value for a logarithmic axis. Its values must also be nearer to equal
/// ratios than to equal steps.
const LOG_RATIO: f64 = 20.0;

/// A chart for each axis.
pub(super) fn over_axes(cells: &Cells, figure: &Figure) -> String {
    cells.axes.iter().enumerate().map(|(place, axis)| over(cells, figure, place, axis)).collect()
}

fn over(cells: &Cells, figure: &Figure, place: usize, axis: &Shown) -> String {
    let found: Vec<(usize, Estimate)> =
        cells.by(figure, [place]).into_iter().map(|([value], (estimate, _))| (value, estimate)).collect();
    let name = format!("{}-{}", figure.column, axis.name);
    if found.is_empty() {
        return nothing(&name, figure.name, "No trial has it.");
    }
    let places = axis.numbers.clone().unwrap_or_else(|| (0..axis.texts.len()).map(|at| at as f64).collect());
    let mut points: Vec<(f64, Estimate)> = found.iter().map(|(value, estimate)| (places[*value], *estimate)).collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let most = points.iter().map(|(_, estimate)| estimate.high.max(estimate.value)).fold(0.0, f64::max);
    let least = points.iter().map(|(_, estimate)| estimate.low.min(estimate.value)).fold(f64::INFINITY, f64::min);
    // The chart should show differences, so the axis begins at 0 only if the values come near it.
    let from = if least > most * 0.5 { least - (most - least) * 0.1 } else { least.min(0.0) };
    let label =
        if figure.unit.is_empty() { figure.name.to_owned() } else { format!("{}, {}", figure.name, figure.unit) };
    let y = Axis::linear(if figure.unit.is_empty() { "" } else { figure.unit }, from, most * 1.02);
    let plot = Plot::new(x_axis(axis, &places), y);
    let mut plot = if axis.numbers.is_some() { plot } else { plot.with_names(axis.texts.clone()) };
    if axis.numbers.is_some() {
        let ends: Vec<_> = points.iter().map(|(x, estimate)| [*x, estimate.low, estimate.high]).collect();
        plot.band("cells", ends.iter().copied());
        plot.line("cells", points.iter().map(|(x, estimate)| [*x, estimate.value]));
    } else {
        for (x, estimate) in &points {
            plot.line("cells", [[*x, estimate.low], [*x, estimate.high]].into_iter());
        }
    }
    plot.dots("cells", points.iter().map(|(x, estimate)| [*x, estimate.value]));
    plot.explain("cells", "mean over the cells, with the 95 % bounds");
    plot.figure(&name, &format!("{label}, over {}", axis.name), &words(&found, axis))
}

/// The largest change, in words.
fn words(found: &[(usize, Estimate)], axis: &Shown) -> String {
    let by = |one: &&(usize, Estimate), other: &&(usize, Estimate)| one.1.value.total_cmp(&other.1.value);
    match (found.iter().min_by(by), found.iter().max_by(by)) {
        (Some(least), Some(most)) if least.0 != most.0 => format!(
            "From {} at {} {} to {} at {}.",
            short(least.1.value),
            escaped(&axis.name),
            escaped(&axis.texts[least.0]),
            short(most.1.value),
            escaped(&axis.texts[most.0])
        ),
        _ => "The same at all values.".into(),
    }
}

fn x_axis<'a>(axis: &'a Shown, places: &[f64]) -> Axis<'a> {
    let least = places.iter().copied().fold(f64::INFINITY, f64::min);
    let most = places.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match &axis.numbers {
        None => Axis::linear(&axis.name, -0.5, most + 0.5),
        Some(_) if least > 0.0 && most / least >= LOG_RATIO && has_equal_ratios(places) => {
            Axis::log(&axis.name, least, most)
        }
        Some(_) => Axis::linear(&axis.name, least, most),
    }
}

/// Whether the middle value is nearer to the geometric mean of the ends than to the arithmetic one.
fn has_equal_ratios(places: &[f64]) -> bool {
    let mut sorted = places.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (first, middle, last) = (sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
    (middle - (first * last).sqrt()).abs() < (middle - (first + last) / 2.0).abs()
}
