//! Sweeps that run to their end, and sweeps that stop and continue.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use testkit::program::{Program, command_after, is_alive, poll};

use crate::room::{LONGER, PLAN, figures, sweep, sweeping, table, trial, trials, with_plan};

#[test]
fn a_sweep_writes_its_table_and_running_it_again_changes_nothing() {
    let room = with_plan(PLAN);
    let ended = sweep(&room, &["plan.toml", "--out", "out"]).expect(0);
    assert!(ended.said().contains("12 of 12 trials are in out: 12 were run"), "{ended:?}");
    let rows = table(&room, "out");
    assert_eq!(rows.len(), 12);
    for (place, row) in rows.iter().enumerate() {
        assert_eq!((row["trial"].clone(), row["state"].as_str()), ((place + 1).to_string(), "\"done\""));
        for name in [
            "noise",
            "blur",
            "seed",
            "error_px_l1_mean",
            "error_px_l1_mean_lower",
            "missed_share_upper",
            "host",
            "latency_us_p50",
        ] {
            assert!(row.contains_key(name), "no {name} in {row:#?}");
        }
    }
    let error = |noise: f64| -> f64 {
        let is = |row: &BTreeMap<String, String>, name: &str, value: f64| row[name].parse() == Ok(value);
        let of = rows.iter().filter(|row| is(row, "noise", noise) && is(row, "blur", 0.0));
        of.map(|row| row["error_px_l1_mean"].parse::<f64>().unwrap()).sum()
    };
    assert!(error(20.0) > error(0.0), "noise makes errors larger");
    let files = |folder: PathBuf| -> BTreeSet<String> {
        fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(files(trial(&room, "out", 1)), ["report.json", "run.toml"].map(String::from).into());
    let ended = sweep(&room, &["plan.toml", "--out", "out"]).expect(0);
    assert!(ended.said().contains("0 were run, 12 were there already"), "{ended:?}");
    // No lock and no unfinished trial is left.
    let hidden = trial(&room, "out", 1);
    assert!(files(hidden.parent().unwrap().to_owned()).iter().all(|name| !name.starts_with('.')));
}

#[test]
fn any_number_of_jobs_gives_the_same_figures_to_the_last_digit() {
    let room = with_plan(PLAN);
    for (folder, jobs) in [("one", "1"), ("four", "4")] {
        sweep(&room, &["plan.toml", "--out", folder, "--jobs", jobs]).expect(0);
    }
    assert_eq!(figures(&room, "one"), figures(&room, "four"));
}

#[test]
fn ctrl_c_ends_a_sweep_whose_pipeline_does_not_answer() {
    let room = with_plan(
        &(PLAN.to_owned() + "[pipeline]\nname = \"exec:sh -c 'echo $$ > begun; exec sleep 300'\"\ntimeout = \"5m\"\n"),
    );
    let mut program = Program::start(sweeping(&room, &["plan.toml", "--out", "out", "--jobs", "1"]));
    let id =
        poll(|| fs::read_to_string(room.path("begun")).ok().filter(|id| id.ends_with('\n'))).expect("a first frame");
    program.signal("INT");
    program.end().expect(4).says("stopped: run the same command again to continue");
    let id = id.trim().parse().expect("an id");
    poll(|| (!is_alive(id)).then_some(())).expect("the pipeline ends too");
    assert!(trials(&room, "out").is_empty());
}

#[test]
fn a_pipeline_that_always_fails_stops_the_sweep_after_ten_failures_with_the_reason() {
    let plan = PLAN.replace("[axes]", "[axes]\nspeed = [100, 200]") + "[pipeline]\nname = \"exec:sh -c 'exit 3'\"\n";
    let room = with_plan(&plan);
    let text = sweep(&room, &["plan.toml", "--out", "out", "--jobs", "1"]).expect(4).said();
    assert!(text.contains("10 trials failed in a row, the last because"), "{text}");
    assert!(trials(&room, "out").is_empty());
    assert_eq!(fs::read_dir(room.path("out/failed")).unwrap().count(), 10);
    let merged = sweep(&room, &["merge", "out"]).expect(4).said();
    assert!(merged.contains("10 of them failed") && merged.contains("14 trials are missing"), "{merged}");
    let row = &table(&room, "out")[0];
    assert!(row["state"] == "\"failed\"" && row["reason"].contains("answered none"), "{row:#?}");
}

#[test]
fn a_full_disk_stops_the_sweep_and_the_same_command_continues_when_there_is_room() {
    let room = with_plan(PLAN);
    // No report fits into 2 KiB (4 KiB if the shell counts in units of 1,024 bytes).
    let mut full = command_after("ulimit -f 4", "server");
    full.args(["sweep", "plan.toml", "--out", "out"]).current_dir(room.folder());
    let text = Program::start(full).end().expect(4).said();
    assert!(
        text.contains("results cannot be written") && text.contains("make room, and run the same command again"),
        "{text}"
    );
    assert!(trials(&room, "out").is_empty(), "there are only whole trials");
    sweep(&room, &["plan.toml", "--out", "out"]).expect(0);
    assert_eq!(table(&room, "out").len(), 12);
}

#[test]
fn ctrl_c_keeps_finished_trials_and_the_same_command_continues() {
    let room = with_plan(LONGER);
    let mut program = Program::start(sweeping(&room, &["plan.toml", "--out", "out", "--jobs", "1"]));
    poll(|| (!trials(&room, "out").is_empty()).then_some(())).expect("a trial");
    program.signal("INT");
    let text = program.end().expect(4).said();
    assert!(text.contains("stopped: run the same command again to continue"), "{text}");
    let kept = trials(&room, "out");
    assert!(!kept.is_empty() && kept.len() < 60, "{}", kept.len());
    let text = sweep(&room, &["plan.toml", "--out", "out"]).expect(0).said();
    assert!(text.contains(&format!("{} were there already", kept.len())), "{text}");
    assert!(kept.is_subset(&trials(&room, "out")));
}

#[test]
fn a_trial_whose_files_are_damaged_or_missing_runs_again() {
    let room =
        with_plan("[run]\nframes = 5\nsize = \"64x48\"\nradius = 8\n[axes]\nnoise = [0, 2, 5, 10, 20, 30, 40]\n");
    sweep(&room, &["plan.toml", "--out", "out"]).expect(0);
    let before = figures(&room, "out");
    let places: Vec<_> = (1..=6).map(|number| trial(&room, "out", number)).collect();
    for (place, damaged) in places.iter().zip(["", "{", "[]", "{\"sessions\": []}"]) {
        fs::write(place.join("report.json"), damaged).unwrap();
    }
    fs::remove_file(places[4].join("run.toml")).unwrap();
    fs::remove_file(places[5].join("report.json")).unwrap();
    let text = sweep(&room, &["merge", "out"]).expect(4).said();
    assert!(text.contains("6 trials are missing, such as 1, 2, 3, 4, 5:"), "{text}");
    let text = sweep(&room, &["plan.toml", "--out", "out"]).expect(0).said();
    assert!(text.contains("7 of 7 trials are in out: 6 were run, 1 were there already"), "{text}");
    assert_eq!(figures(&room, "out"), before);
    let text = sweep(&room, &["plan.toml", "--out", "out"]).expect(0).said();
    assert!(text.contains("0 were run, 7 were there already"), "{text}");
}
