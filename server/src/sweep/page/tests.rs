//! The page of a sweep.

use std::path::Path;

use super::text;
use crate::sweep::merge::{Cell, Read};
use crate::sweep::plan::Plan;

/// A table of a plan with two axes: the error is `error(noise, blur)`, and each trial has 100 frames.
fn page(axes: &str, error: impl Fn(u64) -> f64) -> String {
    let plan = format!("[run]\nframes = 100\n[axes]\n{axes}\n");
    let plan = Plan::of_text(Path::new("plan.toml"), plan).unwrap();
    let names = [
        "trial",
        "state",
        "frames_sent",
        "frames_missed",
        "error_px_l1_mean",
        "error_px_l1_mean_lower",
        "error_px_l1_mean_upper",
        "pipeline",
        "noise",
        "blur",
        "seed",
    ];
    let row = |number: u64| {
        let value = error(number);
        let words = [Cell::Word("<b>hough</b>".into()), Cell::Real(1.0), Cell::Real(2.0), Cell::Integer(1)];
        let numbers = [Cell::Integer(number as i64), Cell::Word("done".into()), Cell::Integer(100), Cell::Integer(2)];
        let figures = [value, value - 0.1, value + 0.1].map(Cell::Real);
        numbers.into_iter().chain(figures).chain(words).collect()
    };
    let table = Read { names: names.map(str::to_owned).into(), rows: (1..=plan.trials()).map(row).collect() };
    text(&plan, &table)
}

#[test]
fn a_page_has_a_chart_for_each_axis_and_a_map_for_each_pair() {
    let page = page("noise = [0, 5, 10]\nblur = [0, 1]\nradius = [8]", |number| number as f64);
    assert_eq!(page.matches("data-chart=\"error_px_l1_mean-noise\"").count(), 1);
    assert_eq!(page.matches("data-chart=\"error_px_l1_mean-blur\"").count(), 1);
    assert_eq!(page.matches("data-chart=\"error_px_l1_mean-noise-blur\"").count(), 1);
    assert!(!page.contains("over radius"), "an axis of one value shows nothing");
    assert!(page.contains("Best and worst trials") && page.contains("class=\"mark\""), "{page}");
    assert!(page.contains("&lt;b&gt;hough") && !page.contains("<b>hough"), "nothing foreign is markup");
    assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
}

#[test]
fn equal_cells_are_not_marked_and_an_axis_may_have_words() {
    let page = page("border = [false, true]\nnoise = [0, 5]", |_| 1.0);
    assert!(!page.contains("class=\"mark\"") && page.contains("0 of 4 cells differ"), "{page}");
    assert!(page.contains(">false</text>") && page.contains(">true</text>"), "{page}");
}

#[test]
fn a_sweep_without_axes_and_one_without_figures_have_pages_too() {
    assert!(page("", |_| 1.0).contains("Mean error"));
    let plan = Plan::of_text(Path::new("plan.toml"), "[run]\nframes = 100\n".into()).unwrap();
    let empty = Read { names: Vec::new(), rows: Vec::new() };
    assert!(text(&plan, &empty).contains("1 of 1 trials are missing"));
}
