//! Plans, their trials, and plans that are refused.

use std::path::Path;

use super::Plan;
use crate::sweep::error::SweepError;

/// The plan with this text.
fn plan(text: &str) -> Result<Plan, SweepError> {
    Plan::of_text(Path::new("plan.toml"), text.into())
}

fn refused(text: &str) -> String {
    match plan(text).and_then(|plan| plan.check()) {
        Ok(()) => panic!("taken: {text}"),
        Err(wrong) => {
            assert!(wrong.is_usage());
            wrong.to_string()
        }
    }
}

const RUN: &str = "[run]\nframes = 10\nsize = \"64x48\"\nradius = 8\n";

#[test]
fn every_combination_is_a_trial_and_repeats_have_other_seeds() {
    let plan = plan(&format!("repeats = 2\n{RUN}seed = 7\n[axes]\nnoise = [0, 5]\nblur = [0, 1, 2]\n")).unwrap();
    assert_eq!((plan.cells(), plan.trials()), (6, 12));
    let trials: Vec<_> = (1..=12).map(|number| plan.trial(number).unwrap()).collect();
    let seen = |trial: &super::Trial| (trial.spec.camera.noise, trial.spec.camera.blur, trial.seed(), trial.repeat);
    assert_eq!(seen(&trials[0]), (0.0, 0.0, 7, 0));
    assert_eq!(seen(&trials[1]), (0.0, 1.0, 7, 0), "the last axis varies fastest");
    assert_eq!(seen(&trials[3]), (5.0, 0.0, 7, 0));
    assert_eq!(seen(&trials[11]), (5.0, 2.0, 8, 1));
    let ids: std::collections::BTreeSet<_> = trials.iter().map(super::Trial::id).collect();
    assert_eq!(ids.len(), 12);
}

#[test]
fn a_trials_name_depends_only_on_the_options_that_the_plan_gives() {
    let one = plan(&format!("{RUN}[axes]\nnoise = [0, 5]\n")).unwrap();
    let trial = one.trial(2).unwrap();
    // docs/sweep.md promises this text and this name.
    assert_eq!(
        trial.text,
        "plumb trial 1\nframes = 10\nnoise = 5.0\nradius = \"8\"\nseed = 1\nsize = \"64x48\"\npipeline = \"auto\"\n"
    );
    assert_eq!(trial.id(), "5e2f599448c98dde28b8");
    let other = plan(&format!("# a comment\nlatency = true\n{RUN}[axes]\nnoise = [5.0, 7]\n[budget]\ntime = \"1h\"\n"))
        .unwrap();
    assert_eq!(other.trial(1).unwrap().id(), trial.id(), "a trial of another plan may be the same trial");
    assert_ne!(one.hash().unwrap(), other.hash().unwrap());
    let budgeted = plan(&format!("{RUN}[axes]\nnoise = [0, 5]\n[budget]\ntime = \"1h\"\n")).unwrap();
    assert_eq!(one.hash().unwrap(), budgeted.hash().unwrap(), "limits are not part of a plan's name");
}

#[test]
fn an_axis_has_equal_steps_equal_ratios_or_values_at_random() {
    let values = |axis: &str| {
        let plan = plan(&format!("[run]\nframes = 10\n[axes]\n{axis}\n")).unwrap();
        plan.axes[0].values.iter().map(|value| value.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(values("noise = { from = 0, to = 10, steps = 5 }"), ["0", "2.5", "5", "7.5", "10"]);
    let log: Vec<f64> = values("noise = { from = 1, to = 100, steps = 3, log = true }")
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    assert!(log[0] == 1.0 && (log[1] - 10.0).abs() < 1e-12 && log[2] == 100.0, "{log:?}");
    assert_eq!(
        values("balls = { from = 1, to = 4, steps = 3 }"),
        ["1", "3", "4"],
        "whole numbers where only those are accepted"
    );
    let random = values("noise = { random = [2, 3], count = 50 }");
    assert!(random.iter().all(|text| (2.0..3.0).contains(&text.parse::<f64>().unwrap())));
    assert_eq!(random, values("noise = { random = [2, 3], count = 50 }"), "the same on every machine");
    assert_eq!(values("border = [false, true]"), ["false", "true"]);
    assert_eq!(values("size = [\"64x48\", \"320x240\"]"), ["64x48", "320x240"]);
}

#[test]
fn numbers_are_read_in_every_form_of_toml() {
    let text = "repeats = 0x10\n[run]\nframes = 0x2\n[axes]\nnoise = { from = 0x0, to = 0x10, steps = 0b11 }\n\
                blur = { random = [0, 0o2], count = 0x10 }\n[pipeline]\nmin_radius = 0x10\nmax_radius = 1_0.0e1\n[budget]\n\
                failures = 0o20\n";
    let plan = plan(text).unwrap();
    assert_eq!((plan.repeats, plan.budget.failures, plan.axes[1].values.len()), (16, 16, 16));
    assert_eq!(plan.axes[0].numbers().unwrap(), [0.0, 8.0, 16.0]);
    assert!(plan.axes[1].numbers().unwrap().iter().all(|blur| (0.0..2.0).contains(blur)));
    assert_eq!((plan.pipeline.radii.min, plan.pipeline.radii.max), (Some(16.0), Some(100.0)));
    for (wrong, words) in [
        ("repeats = 0\n[run]\nframes = 2\n", "repeats is a whole number from 1"),
        ("repeats = -0x1\n[run]\nframes = 2\n", "line 1"),
        ("repeats = 1.0\n[run]\nframes = 2\n", "repeats is a whole number from 1"),
        ("[run]\nframes = 2\n[budget]\nfailures = 0\n", "[budget] failures is a whole number from 1"),
        ("[run]\nframes = 2\n[pipeline]\nmin_radius = nan\n", "[pipeline] min_radius: write a radius in px"),
    ] {
        assert!(refused(wrong).contains(words), "{wrong}: {}", refused(wrong));
    }
}

#[test]
fn the_time_limit_of_a_program_has_the_range_of_the_clients_option() {
    let of = |timeout: &str| format!("{RUN}[pipeline]\nname = \"exec:cat\"\ntimeout = \"{timeout}\"\n");
    assert!(plan(&of("1h")).is_ok() && plan(&of("1ms")).is_ok());
    for wrong in ["18446744073709551615s", "1h 1s", "0s", "soon"] {
        let said = refused(&of(wrong));
        assert!(said.contains("[pipeline] timeout: ") && said.contains("is not a duration from 1ms to 1h"), "{said}");
    }
}

#[test]
fn pipelines_may_be_an_axis() {
    let plan = plan(&format!("{RUN}[axes]\npipeline = [\"hough\", \"hough-classic\"]\n")).unwrap();
    plan.check().unwrap();
    assert_eq!(plan.trial(2).unwrap().pipeline, "hough-classic");
    assert!(plan.trial(2).unwrap().text.ends_with("pipeline = \"hough-classic\"\n"));
}

#[test]
fn latency_matters_with_latency_true_with_a_gate_on_time_and_with_a_client() {
    let counts = |text: &str| plan(text).unwrap().latency_counts();
    assert_eq!(counts(RUN), None);
    assert_eq!(counts(&format!("latency = true\n{RUN}")), Some("the plan says latency = true"));
    assert!(counts(&format!("{RUN}gate = \"latency_us.p99 <= 5ms\"\n")).is_some());
    assert!(counts(&format!("{RUN}gate = \"frames.missed == 0\"\n")).is_none());
    assert!(counts(&format!("{RUN}[pipeline]\nclient = \"client --no-graphics\"\n")).is_some());
}

#[test]
fn the_error_for_an_unknown_option_names_a_similar_one() {
    let wrong = refused("[run]\nframes = 10\nnois = 3\n");
    assert_eq!(wrong, "plan.toml: [run] \"nois\" is not an option: did you mean noise?");
    let wrong = refused("[run]\nframes = 10\n[axes]\nradus = [3, 4]\n");
    assert_eq!(wrong, "plan.toml: [axes] \"radus\" is not an option: did you mean radius?");
    assert!(refused("[run]\nframes = 10\n[axes]\nlisten = [\"a\"]\n").contains("\"listen\" is not an option"));
    assert!(refused("frame = 10\n").contains("\"frame\" is not a key of a plan"));
    assert!(
        refused("[run]\nframes = 10\n[pipeline]\nnam = \"hough\"\n").contains("nam is not known: write name, client")
    );
    assert!(refused("[run]\nframes = 10\n[budget]\ntme = \"1h\"\n").contains("write time or failures"));
}

#[test]
fn the_error_for_an_empty_axis_or_a_wrong_value_names_the_axis() {
    let of = |axis: &str| refused(&format!("[run]\nframes = 10\n[axes]\n{axis}\n"));
    assert!(of("noise = []").contains("[axes] noise: it has no values: list one or more"));
    assert!(of("noise = 5").contains("write a list such as noise = [0, 5]"));
    assert!(of("noise = [0, -1]").contains("[axes] noise: \"-1\" is not "), "{}", of("noise = [0, -1]"));
    assert!(of("noise = [5, 5.0]").contains("5.0 is given twice"));
    assert!(of("noise = { from = 0, to = 10 }").contains("steps is a whole number from 1"));
    assert!(of("noise = { from = 9, to = 1, steps = 3 }").contains("9 is above 1"));
    assert!(of("noise = { from = 0, to = 1, steps = 3, log = true }").contains("ends above 0"));
    assert!(of("noise = { random = [1], count = 3 }").contains("random takes two ends"));
    assert!(of("noise = { from = 0, to = 1, step = 3 }").contains("\"step\" is not known"));
    assert!(of("noise = [[1]]").contains("of type array"));
    assert!(of("meta = [\"a=1\"]").contains("meta cannot be an axis"));
}

#[test]
fn two_axes_for_one_option_are_refused() {
    let of = |text: &str| refused(&format!("[run]\nframes = 10\n{text}"));
    assert!(
        of("[axes]\nshot_noise = [0]\nshot-noise = [1]\n")
            .contains("[axes] shot_noise is given twice, as shot_noise and as shot-noise")
    );
    assert!(of("noise = 3\n[axes]\nnoise = [0]\n").contains("noise is in [run] and in [axes]"));
    assert!(of("[axes]\nnoise = [0]\nnoise = [1]\n").contains("duplicate key"));
    assert!(of("[axes]\npipeline = [\"hough\"]\n[pipeline]\nname = \"hough\"\n").contains("leave one of them out"));
    assert!(
        refused("repeats = 2\n[run]\nframes = 10\n[axes]\nseed = [1, 2]\n").contains("repeats increments the seed")
    );
}

#[test]
fn a_plan_of_a_thousand_million_trials_is_refused_at_once() {
    let steps = |count: u64| format!("{{ from = 0, to = 10, steps = {count} }}");
    let text = format!("[run]\nframes = 10\n[axes]\nnoise = {}\nblur = {}\n", steps(100_000), steps(10_000));
    assert!(refused(&text).contains("1000000000 trials are more than 10000000: use fewer values"));
    let text = "repeats = 1000000000\n[run]\nframes = 10\n";
    assert!(refused(text).contains("1000000000 trials are more than"));
}

#[test]
fn runs_without_an_end_and_options_of_a_link_are_refused() {
    assert!(refused("[run]\nnoise = 3\n").contains("[run] frames is missing"));
    assert!(refused("[run]\nframes = 10\nduration = \"3s\"\n").contains("write frames instead"));
    assert!(refused("[run]\nframes = 10\n[axes]\nwindow = [1, 8]\n").contains("has no effect without a link"));
    assert!(refused("[run]\nframes = 10\nencoding = \"jpeg:80\"\n").contains("encoding has no effect without a link"));
    let client = "[pipeline]\nclient = \"client\"\n";
    assert!(plan(&format!("[run]\nframes = 10\n[axes]\nwindow = [1, 8]\n{client}")).is_ok());
    assert!(refused(&format!("[run]\nframes = 10\n{client}name = \"hough\"\n")).contains("write nothing else here"));
}

#[test]
fn the_error_for_a_combination_that_cannot_run_names_its_trial() {
    let wrong = refused("[run]\nframes = 10\nsize = \"64x48\"\n[axes]\nradius = [8, 300]\n");
    assert!(wrong.starts_with("plan.toml: trial 2 (radius 300, seed 1): radius 300 px does not fit"), "{wrong}");
    let wrong = refused(&format!("{RUN}gate = \"frames.mised == 0\"\n"));
    assert!(wrong.contains("gate: ") && wrong.contains("frames.missed"), "{wrong}");
    assert!(refused(&format!("{RUN}[pipeline]\nname = \"huogh\"\n")).contains("no pipeline is called \"huogh\""));
    assert!(refused(&format!("{RUN}[pipeline]\nname = \"nothing.py:find\"\n")).contains("there is no file nothing.py"));
    assert!(refused(&format!("{RUN}[pipeline]\nname = \"ack\"\n")).contains("ack"));
    let wrong = refused(&format!("{RUN}warmup = 10\n"));
    assert!(wrong.contains("trial 1 (seed 1): --warmup 10 leaves nothing of --frames 10"), "{wrong}");
}

#[test]
fn trials_with_another_value_or_another_repeat_have_other_names() {
    let plan = plan("[run]\nframes = 5\n[axes]\nnoise = [1, 40]\nblur = [0, 1]\n").unwrap();
    let mut names = std::collections::BTreeSet::new();
    for (cell, x, repeat) in [(1, 1.0, 0), (1, 40.0, 0), (1, 20.5, 0), (1, 1.0, 1), (4, 1.0, 0)] {
        assert!(names.insert(plan.trial_at(cell, "noise", x, repeat).unwrap().id()), "{cell} {x} {repeat}");
    }
    let listed = plan.trial(1).unwrap();
    assert_eq!(plan.trial_at(1, "noise", 1.0, 0).unwrap().id(), listed.id(), "the trial of the plan itself");
}

#[test]
fn the_seeds_of_a_search_begin_at_that_of_its_cell() {
    let plan = plan("[run]\nframes = 5\n[axes]\nnoise = [1, 40]\nseed = [7, 20]\n").unwrap();
    let seed = |cell, repeat| plan.trial_at(cell, "noise", 3.0, repeat).unwrap().seed();
    assert_eq!((seed(1, 0), seed(1, 2), seed(2, 0), seed(2, 1)), (7, 9, 20, 21));
    assert_eq!(plan.trial_at(1, "noise", 1.0, 0).unwrap().id(), plan.trial(1).unwrap().id());
}

#[test]
fn an_option_that_takes_only_whole_numbers_is_told_from_one_that_takes_all() {
    let plan = plan("[run]\nframes = 5\n[axes]\njpeg = [1, 96]\nnoise = [0, 40]\nblur = [0.3, 1]\n").unwrap();
    assert_eq!(["jpeg", "noise", "blur"].map(|axis| plan.takes_only_wholes(axis, 1.0)), [true, false, false]);
    assert!(!plan.takes_only_wholes("blur", 0.3));
}
