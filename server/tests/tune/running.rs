//! Searches that run to their end, and searches that are killed and continue.

use std::fs;

use testkit::program::{Program, command_after, poll};

use crate::room::{OF_PROGRAM, PLAN, SEARCH_LIMIT, samples, server, table, tune, with_plan};

#[test]
fn a_program_is_tuned_and_the_gain_is_said_with_its_interval() {
    let room = with_plan(OF_PROGRAM);
    let text = tune(&room, "out", &[]).expect(0).said();
    assert!(text.contains("seeds that no trial saw"), "{text}");
    assert!(text.contains("better than the default: error_px.l1.mean changes by -0."), "{text}");
    assert!(text.contains("kind") && text.contains("dead: it changes nothing"), "{text}");
    // Settings with which the program fails are counted and not chosen.
    assert!(text.contains("of them failed") && text.contains("answered none"), "{text}");
    let best: toml::Table = toml::from_str(&room.read("out/best.toml")).expect("TOML");
    let bias = best["parameters"]["bias"].as_float().expect("a number");
    assert!(bias.abs() < 0.15, "{bias}");
    let rows = table(&room, "out");
    let failed: Vec<_> = rows.iter().filter(|row| row["state"] == "\"failed\"").collect();
    assert!(!failed.is_empty());
    for row in failed {
        assert!(row["bias"].parse::<f64>().unwrap() > 0.8 && row.contains_key("reason"), "{row:?}");
        assert!(!row.contains_key("objective"), "{row:?}");
    }
    for name in ["trial", "rung", "frames", "bias", "kind", "objective", "lower", "upper", "state"] {
        assert!(rows[0].contains_key(name), "no {name} in {:?}", rows[0]);
    }
    assert_eq!(rows[0]["bias"], "0.7", "the first trial is the default");
}

#[test]
fn none_better_than_the_default_is_an_answer() {
    let plan = "minimise = \"error_px.l1.mean\"\ntrials = 12\nseeds = 2\nheld_out = 10\n[run]\nframes = 5\nsize = \"64x48\"\n\
                radius = 8\nnoise = 10\n[pipeline]\nname = \"hough\"\n[parameters]\n\
                min_axis_ratio = { from = 0.2, to = 0.5, default = 0.3 }\n";
    let room = with_plan(plan);
    let text = tune(&room, "out", &[]).expect(0).said();
    assert!(text.lines().any(|line| line.starts_with("no setting is")), "{text}");
    assert!(text.contains("min_axis_ratio") && text.contains("dead: it changes nothing"), "{text}");
    assert!(room.read("out/best.toml").contains("\nmin_axis_ratio = 0.3\n"), "{}", room.read("out/best.toml"));
    assert!(room.read("out/report.html").contains("data-verdict=\"inconclusive\""));
}

#[test]
fn any_number_of_workers_runs_the_same_trials_and_finds_the_same() {
    let room = with_plan(PLAN);
    for (folder, jobs) in [("one", "1"), ("eight", "8")] {
        tune(&room, folder, &["--jobs", jobs]).expect(0);
    }
    assert_eq!(samples(&room, "one"), samples(&room, "eight"));
    assert_eq!(table(&room, "one"), table(&room, "eight"));
    assert_eq!(room.read("one/best.toml"), room.read("eight/best.toml"));
    // Running it again changes nothing.
    let before = fs::read(room.path("one/samples.jsonl")).expect("a file");
    tune(&room, "one", &[]).expect(0);
    assert_eq!(fs::read(room.path("one/samples.jsonl")).expect("a file"), before);
    let page = room.read("one/report.html");
    let text = server(&room, &["report", "one"]).expect(0).said();
    assert!(text.contains("wrote one/tune.parquet, one/report.html"), "{text}");
    assert_eq!(room.read("one/report.html"), page);
}

#[test]
fn a_search_that_is_killed_again_and_again_finds_the_same_to_the_last_byte() {
    let room = with_plan(PLAN);
    tune(&room, "whole", &[]).expect(0);
    let all = samples(&room, "whole").len();
    let lines = || fs::read_to_string(room.path("out/samples.jsonl")).map_or(0, |text| text.lines().count());
    // In the design, in CMA-ES, among the finalists and on the held-out seeds.
    for part in [1, 3, 5, 7, 8] {
        let mut program = Program::start(room.server(&["tune", "plan.toml", "--out", "out", "--jobs", "2"]));
        poll(|| (lines() >= all * part / 10).then_some(())).expect("more blocks");
        program.signal("KILL");
        drop(program.end());
        let wrong = server(&room, &["report", "out"]).expect(4).said();
        assert!(wrong.contains("the search in out is not finished"), "{wrong}");
        assert!(!room.path("out/best.toml").exists());
    }
    // A kill in the middle of a line.
    let text = room.read("out/samples.jsonl");
    room.write("out/samples.jsonl", &text[..text.len() - 9]);
    tune(&room, "out", &[]).expect(0);
    assert_eq!(samples(&room, "out"), samples(&room, "whole"));
    assert_eq!(table(&room, "out"), table(&room, "whole"));
    assert_eq!(room.read("out/best.toml"), room.read("whole/best.toml"));
}

#[test]
fn ctrl_c_stops_a_search_and_the_same_command_continues() {
    let room = with_plan(PLAN);
    let mut program = Program::start(room.server(&["tune", "plan.toml", "--out", "out", "--jobs", "1"]));
    poll(|| room.path("out/samples.jsonl").exists().then_some(())).expect("a journal");
    program.signal("INT");
    let text = program.end().expect(4).said();
    assert!(text.contains("stopped: run the same command again to continue"), "{text}");
    tune(&room, "out", &[]).expect(0);
}

#[test]
fn a_full_disk_stops_a_search_and_the_same_command_continues_when_there_is_room() {
    let room = with_plan(PLAN);
    // The plan fits into 2 KiB (4 KiB if the shell counts in units of 1,024 bytes), the results of all blocks do not.
    let mut full = command_after("ulimit -f 4", "server");
    full.args(["tune", "plan.toml", "--out", "out"]).current_dir(room.folder());
    let text = Program::start(full).end_within(SEARCH_LIMIT).expect(4).said();
    assert!(text.contains("samples.jsonl: ") && text.contains("make room, and run the same command again"), "{text}");
    let kept = room.read("out/samples.jsonl");
    assert!(kept.ends_with('\n') && kept.lines().count() > 1, "the part of a line that had room is taken back: {kept}");
    for name in ["out", "whole"] {
        tune(&room, name, &[]).expect(0);
    }
    assert!(room.read("out/samples.jsonl").starts_with(&kept));
    assert_eq!(samples(&room, "out"), samples(&room, "whole"));
    assert_eq!(room.read("out/best.toml"), room.read("whole/best.toml"));
}

#[test]
fn processes_that_share_a_folder_run_each_block_once_and_all_find_the_same() {
    let room = with_plan(PLAN);
    tune(&room, "whole", &[]).expect(0);
    let all = samples(&room, "whole");
    let begin = || Program::start(room.server(&["tune", "plan.toml", "--out", "out", "--jobs", "1"]));
    let mut killed = begin();
    poll(|| room.path("out/samples.jsonl").exists().then_some(())).expect("a journal");
    let others = [begin(), begin()];
    poll(|| room.path("out/samples-3.jsonl").exists().then_some(())).expect("three journals");
    let lines = |name: &str| fs::read_to_string(room.path(name)).map_or(0, |text| text.lines().count());
    // Whoever is first runs a block, and no process runs all.
    poll(|| (lines("out/samples-2.jsonl") + lines("out/samples-3.jsonl") > 6).then_some(())).expect("shared blocks");
    killed.signal("KILL");
    drop(killed.end());
    let said = others.map(|other| other.end_within(SEARCH_LIMIT).expect(0).said());
    assert!(said.iter().any(|text| text.contains("this one helps them")), "{said:?}");
    let verdict = |text: &str| text.lines().find(|line| line.contains("the default")).map(str::to_owned);
    assert_eq!(verdict(&said[0]), verdict(&said[1]));
    assert_eq!(samples(&room, "out"), all, "each block once");
    assert_eq!(table(&room, "out"), table(&room, "whole"));
    assert_eq!(room.read("out/best.toml"), room.read("whole/best.toml"));
}
