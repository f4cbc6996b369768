//! `server compare` with the real programs: equal runs, planted defects, baselines, rounds, and runs that cannot be
//! compared.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::program::{Ended, Program, command};
#[cfg(unix)]
use testkit::program::{is_alive, poll};
use testkit::room::Room;

/// `server compare` on these runs of the folder, with the JSON that it wrote.
fn compared(room: &Room, runs: &[&str], options: &[&str], code: i32) -> (Value, Ended) {
    let json = room.name("compared.json");
    let names: Vec<_> = runs.iter().map(|run| room.name(run)).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let ended = compare(&[&names[..], &["--json", &json], options].concat()).expect(code);
    (serde_json::from_str(&room.read("compared.json")).expect("JSON"), ended)
}

/// Changes the report of a run.
fn change(room: &Room, name: &str, with: impl FnOnce(&mut Value)) {
    let path = room.path(name).join("report.json");
    let mut report = serde_json::from_str(&fs::read_to_string(&path).expect("a report")).expect("JSON");
    with(&mut report);
    fs::write(path, report.to_string()).expect("written");
}

/// Makes all errors of a run this many times as large: in its text, which is read where there is no Parquet file.
fn scale_errors(room: &Room, name: &str, times: f64) {
    let _ = fs::remove_file(room.path(name).join("frames.parquet"));
    let path = room.path(name).join("frames.csv");
    let text = fs::read_to_string(&path).expect("rows");
    let header: Vec<_> = text.lines().next().expect("a header").split(',').collect();
    let changed = |line: &str| {
        let cells = line.split(',').zip(&header).map(|(cell, column)| match (cell.parse::<f64>(), *column) {
            (Ok(value), "dx" | "dy" | "l1") => (times * value).to_string(),
            _ => cell.to_owned(),
        });
        cells.collect::<Vec<_>>().join(",")
    };
    let rows: Vec<_> = text.lines().map(changed).collect();
    fs::write(path, rows.join("\n") + "\n").expect("written");
}

fn compare(arguments: &[&str]) -> Ended {
    Program::start(command_of(arguments)).end()
}

fn command_of(arguments: &[&str]) -> Command {
    let mut server = command("server");
    server.arg("compare").args(arguments);
    server
}

fn figure<'a>(found: &'a Value, path: &str) -> &'a Value {
    let figures = found["comparisons"][0]["figures"].as_array().expect("figures");
    figures.iter().find(|figure| figure["path"] == path).unwrap_or_else(|| panic!("no {path} in {figures:#?}"))
}

#[test]
fn one_build_twice_shows_no_difference_and_each_paired_difference_is_exactly_0() {
    let room = Room::new();
    for name in ["a", "b"] {
        room.run(name, &[]).expect(0);
    }
    let (found, ended) =
        compared(&room, &["a", "b"], &["--gate", "worse == 0", "--gate", "error_px.l1.mean.ratio <= 1"], 0);
    let comparison = &found["comparisons"][0];
    assert_eq!(
        (&comparison["paired_frames"], &comparison["worse"], &comparison["better"]),
        (&json!(60), &json!(0), &json!(0))
    );
    let figures = comparison["figures"].as_array().expect("figures");
    assert!(figures.len() >= 9, "{figures:#?}");
    for figure in figures {
        assert_eq!(
            (&figure["difference"], &figure["verdict"]),
            (&json!(0.0), &json!("no_difference_shown")),
            "{figure}"
        );
    }
    let text = ended.stdout.join("\n");
    assert!(
        text.contains("60 frames paired by seed and id") && text.contains("B against A: no difference shown"),
        "{text}"
    );
    assert!(text.contains("listed, not judged") && text.contains("latency_us.p50"), "{text}");
}

#[test]
fn errors_that_are_5_percent_larger_are_worse_and_fail_a_gate() {
    let room = Room::new();
    room.run("a", &["--frames", "300"]).expect(0);
    room.run("b", &["--frames", "300"]).expect(0);
    scale_errors(&room, "b", 1.05);
    let (found, ended) = compared(&room, &["a", "b"], &["--gate", "worse == 0"], 1);
    assert_eq!(figure(&found, "error_px.l1.mean")["verdict"], "worse");
    let ratio = figure(&found, "error_px.l1.mean")["ratio"]["value"].as_f64().expect("a ratio");
    assert!((ratio - 1.05).abs() < 1e-9, "{ratio}");
    assert_eq!(figure(&found, "frames.missed")["verdict"], "no_difference_shown");
    assert_eq!(found["gates"][0]["verdict"], "fail");
    assert!(ended.stdout.join("\n").contains("FAIL: worse is"), "{:#?}", ended.stdout);
    // Without a gate nothing fails. In the opposite order the second run is better.
    let (found, _) = compared(&room, &["b", "a"], &[], 0);
    assert_eq!(figure(&found, "error_px.l1.mean")["verdict"], "better");
    let (found, _) = compared(&room, &["a", "b"], &["--gate", "error_px.l1.mean.ratio <= 1.06"], 0);
    assert_eq!(found["gates"][0]["verdict"], "pass");
    compared(&room, &["a", "b"], &["--gate", "error_px.l1.mean.ratio <= 1.04"], 1);
}

#[test]
fn several_runs_are_compared_with_the_first_and_runs_without_frames_by_their_reports() {
    let room = Room::new();
    room.run("a", &[]).expect(0);
    room.run("c", &["--seed", "8"]).expect(0);
    fs::copy(room.path("a").join("report.json"), room.path("alone.json")).expect("copied");
    let (found, ended) = compared(&room, &["a", "alone.json", "c"], &["--markdown", &room.name("summary.md")], 0);
    let why = |at: usize| found["comparisons"][at]["unpaired_because"].as_str().expect("a reason");
    assert!(why(0).contains("has no frames, only a report"), "{}", why(0));
    assert_eq!(why(1), "the seeds differ: 7 and 8");
    assert_eq!(found["comparisons"][1]["options"][0]["name"], "seed");
    assert!(ended.stdout.join("\n").contains("C against A: frames are not paired"), "{:#?}", ended.stdout);
    let markdown = room.read("summary.md");
    assert!(markdown.starts_with("### Plumb: B against A: **no difference shown**"), "{markdown}");
    assert!(markdown.contains("| error\\_px.l1.mean |") && markdown.contains("\n| --- |"), "{markdown}");
}

#[test]
fn figures_are_grouped_by_radius_in_the_stated_bins() {
    let room = Room::new();
    for name in ["a", "b"] {
        room.run(name, &["--radius", "6..20"]).expect(0);
    }
    let (found, ended) = compared(&room, &["a", "b"], &["--by", "radius,noise"], 0);
    let subsets = found["subsets"].as_array().expect("subsets");
    let bins: Vec<_> = subsets
        .iter()
        .filter(|subset| subset["by"] == "radius" && subset["path"] == "error_px.l1.mean")
        .map(|subset| subset["bin"].as_str().expect("a bin"))
        .collect();
    assert_eq!(bins, ["6 to 8 px", "8 to 12 px", "12 to 16 px", "16 to 24 px"]);
    let frames: u64 = subsets
        .iter()
        .filter(|subset| subset["by"] == "radius" && subset["path"] == "frames.lost")
        .map(|subset| subset["runs"][0]["frames"].as_u64().expect("a count"))
        .sum();
    assert_eq!(frames, 60);
    assert!(ended.stdout.join("\n").contains("10 to 20 gray levels"), "{:#?}", ended.stdout);
    // One run alone has subsets, too.
    let (alone, _) = compared(&room, &["a"], &["--by", "radius"], 0);
    assert_eq!(alone["subsets"][0]["bin"], "6 to 8 px");
}

#[test]
fn a_baseline_is_the_newest_run_that_passed_and_a_failing_run_never_becomes_one() {
    let room = Room::new();
    let kept = room.name("kept");
    let baseline = |run: &str, more: &[&str], code: i32| {
        compared(&room, &[run], &[&["--baseline", &kept, "--gate", "worse == 0"], more].concat(), code)
    };
    room.run("first", &[]).expect(0);
    // Without a baseline the gates have no data, unless the run is to become the first baseline.
    let (found, _) = baseline("first", &[], 1);
    assert_eq!(found["gates"][0]["verdict"], "no_data");
    baseline("first", &["--keep"], 0);
    assert!(Path::new(&kept).join("first/frames.csv").is_file());
    // A run whose own gate fails is compared, and not kept.
    room.run("failed", &["--gate", "frames.sent == 7"]).expect(1);
    let (found, _) = baseline("failed", &["--keep"], 0);
    assert!(found["notes"].to_string().contains("not kept as a baseline: its gate frames.sent == 7"), "{found:#}");
    // A run that is worse than its baseline is not kept either.
    room.run("worse", &[]).expect(0);
    scale_errors(&room, "worse", 1.5);
    baseline("worse", &["--keep"], 1);
    assert_eq!(fs::read_dir(&kept).expect("a folder").count(), 1);
    room.run("second", &[]).expect(0);
    let (found, _) = baseline("second", &["--keep"], 0);
    assert!(found["runs"][0]["name"].as_str().expect("a name").ends_with("kept/first"), "{found:#}");
    assert_eq!(fs::read_dir(&kept).expect("a folder").count(), 2);
}

#[test]
fn a_baseline_of_another_seed_size_camera_or_protocol_is_refused_by_the_fields_name() {
    let room = Room::new();
    room.run("kept/a", &[]).expect(0);
    for (options, words) in [
        (&["--seed", "8"][..], "seed is 7 there and 8 here"),
        (&["--blur", "1"], "blur is 0.0 there and 1.0 here"),
        (&["--encoding", "lz4"], "encoding is \"raw\" there and \"lz4\" here"),
        (&["--window", "4"], "window is 8 there and 4 here"),
    ] {
        let name = format!("run-{}", options[0]);
        room.run(&name, options).expect(0);
        compare(&[&room.name(&name), "--baseline", &room.name("kept")]).expect(2).says(words);
    }
    change(&room, "kept/a", |report| report["run"]["config"]["size"] = "320x240".into());
    room.run("b", &[]).expect(0);
    compare(&[&room.name("b"), "--baseline", &room.name("kept")]).expect(2).says("size is \"320x240\" there");
}

#[test]
fn what_cannot_be_compared_is_refused_and_the_error_says_what_is_valid() {
    let room = Room::new();
    room.run("a", &[]).expect(0);
    room.run("ack", &["--task", "ack"]).expect(0);
    let a = room.name("a");
    let (empty, newer) = (room.file("empty.json", ""), room.file("newer.json", r#"{"schema": 2}"#));
    fs::create_dir(room.path("nothing")).expect("made");
    let cases: &[(&[&str], &str)] = &[
        (&[], "nothing to compare: name two runs"),
        (&[&a], "one run is nothing to compare with"),
        (&[&a, &room.name("absent")], "cannot be read (No such file or directory"),
        (&[&a, &room.name("nothing")], "has no report.json"),
        (&[&a, &empty], "is not a report: EOF"),
        (&[&a, &newer], "it has schema 2, and this server reads schema 1"),
        (&[&a, &room.name("ack")], "the tasks differ"),
        (&[&a, &a, "--gate", "error_px.l1.maen.ratio <= 1"], "the nearest are error_px.l1.mean.ratio"),
        (&[&a, &a, "--gate", "worse"], "is not a condition"),
        (&[&a, &a, "--by", "speed"], "write radius, contrast, noise"),
        (&[&a, &a, "--baseline", &room.name("kept")], "name one run"),
        (&[&a, "--keep"], "name a second one"),
        (&[&a, &a, "--client", "true"], "--client goes with --run"),
        (&["--run", &room.name("a/run.toml")], "one --run is nothing to compare with"),
        (&[&a, "--run", &room.name("a/run.toml")], "leave one of them out"),
        (&["--run", &newer, "--run", &newer], "newer.json"),
        (&["--run", &a, "--run", &a, "--rounds", "0"], "\"0\" is not a whole number from 1 to 4294967295"),
    ];
    for (arguments, words) in cases {
        let ended = compare(arguments).expect(2);
        assert!(ended.stderr.join("\n").contains(words), "{arguments:?}: {:#?}", ended.stderr);
    }
    compare(&[&a, &a, "--markdown", "/proc/none/x.md"]).expect(4).says("cannot write the Markdown");
}

#[test]
fn runs_that_can_be_compared_in_part_say_what_is_missing() {
    let room = Room::new();
    for name in ["a", "b", "small"] {
        room.run(name, if name == "small" { &["--frames", "40"] } else { &[] }).expect(0);
    }
    // Fewer frames: those of both are compared.
    let (found, ended) = compared(&room, &["a", "small"], &[], 0);
    assert_eq!(
        (&found["comparisons"][0]["paired_frames"], &found["comparisons"][0]["only_in_a"]),
        (&json!(40), &json!(20))
    );
    assert!(ended.stdout.join("\n").contains("20 frames are only in A, and 0 only in B"), "{:#?}", ended.stdout);
    // A run that broke off, with a torn row.
    change(&room, "b", |report| report["incomplete"] = json!({"reason": "running", "not_written": 0, "unknown": []}));
    fs::remove_file(room.path("b").join("frames.parquet")).ok();
    let rows = fs::read_to_string(room.path("b").join("frames.csv")).expect("rows");
    fs::write(room.path("b").join("frames.csv"), &rows[..rows.len() - 30]).expect("written");
    let (found, ended) = compared(&room, &["a", "b"], &[], 0);
    assert_eq!(found["comparisons"][0]["paired_frames"], 59);
    assert!(ended.stdout.join("\n").contains("it is incomplete (running)"), "{:#?}", ended.stdout);
    // Another size.
    room.run("large", &["--size", "200x150"]).expect(0);
    let (found, _) = compared(&room, &["a", "large"], &[], 0);
    let why = found["comparisons"][0]["unpaired_because"].as_str().expect("a reason");
    assert!(why.contains("size is \"160x120\" and \"200x150\""), "{why}");
}

/// A run's file for rounds.
fn run_file(room: &Room, name: &str, more: &str) -> String {
    let text = format!(
        "loopback = true\nlink = \"memory\"\nfps = \"max\"\nsize = \"160x120\"\nframes = 40\nnoise = 10\n{more}"
    );
    room.file(name, &text)
}

#[test]
fn runs_take_turns_and_their_latencies_are_judged() {
    let room = Room::new();
    let (a, b) = (run_file(&room, "a.toml", ""), run_file(&room, "b.toml", ""));
    let json = room.name("compared.json");
    let ended = compare(&["--run", &a, "--run", &b, "--rounds", "4", "--json", &json]).expect(0);
    let order: Vec<_> = ended.stderr.iter().filter_map(|line| line.split("of 4: ").nth(1)).collect();
    let letters: String = order.iter().map(|name| if name.ends_with("a.toml") { 'A' } else { 'B' }).collect();
    assert_eq!(letters, "ABBAABBA");
    let found: Value = serde_json::from_str(&room.read("compared.json")).expect("JSON");
    let comparison = &found["comparisons"][0];
    assert_eq!((&comparison["rounds"], &comparison["paired_frames"]), (&json!(4), &json!(40)));
    assert_eq!(figure(&found, "error_px.l1.mean")["difference"], 0.0);
    let latency = figure(&found, "latency_us.p50");
    assert_eq!((&latency["samples"], &latency["unit"]), (&json!(4), &json!("us")));
    assert!(!found["listed"].to_string().contains("latency_us.p50\""), "{found:#}");
}

#[test]
fn each_run_may_have_a_client_of_its_own_and_a_round_that_fails_ends_them() {
    let room = Room::new();
    let file = |name: &str| room.file(name, "fps = 100\nsize = \"160x120\"\nframes = 20\nonce = true\n");
    let (a, b) = (file("a.toml"), file("b.toml"));
    let client =
        std::env::current_exe().expect("this test").parent().and_then(Path::parent).expect("a folder").join("client");
    let client = format!("'{}' --no-graphics --pipeline", client.display());
    let json = room.name("compared.json");
    let with = |one: &str, other: &str| {
        let (one, other) = (format!("{client} {one}"), format!("{client} {other}"));
        compare(&["--run", &a, "--run", &b, "--rounds", "5", "--json", &json, "--client", &one, "--client", &other])
    };
    with("hough", "hough-classic").expect(0);
    let found: Value = serde_json::from_str(&room.read("compared.json")).expect("JSON");
    assert_eq!(found["comparisons"][0]["paired_frames"], 20);
    assert!(figure(&found, "latency_us.stages.detect.p50")["a"].as_f64().expect("a time") > 0.0);
    let endless = room.file("endless.toml", "loopback = true\n");
    compare(&["--run", &endless, "--run", &endless]).expect(2).says("has neither frames nor duration");
    let wrong = run_file(&room, "wrong.toml", "source = \"absent.mp4\"\n");
    compare(&["--run", &wrong, "--run", &wrong]).expect(4).says("round 1");
}

#[cfg(unix)]
#[test]
fn what_a_client_has_started_ends_with_its_round() {
    let room = Room::new();
    let file = room.file("a.toml", "fps = 100\nsize = \"160x120\"\nframes = 20\n");
    let client =
        std::env::current_exe().expect("this test").parent().and_then(Path::parent).expect("a folder").join("client");
    let left = room.name("left");
    let command = format!("sleep 1000 & echo $! >> '{left}'; '{}' --no-graphics; sleep 1000", client.display());
    // The end of stderr comes when nobody holds it any more.
    compare(&["--run", &file, "--run", &file, "--rounds", "1", "--client", &command]).expect(0);
    assert_eq!(still_runs(&room.read("left")), Vec::<u32>::new());
}

#[cfg(unix)]
#[test]
fn what_a_client_has_started_ends_with_a_comparison_that_is_stopped() {
    let room = Room::new();
    let file = room.file("a.toml", "frames = 20\n");
    let left = room.path("left");
    let command = format!("sleep 1000 & echo $! > '{}'; sleep 1000", left.display());
    let mut server = command_of(&["--run", &file, "--run", &file, "--client", &command]);
    server.current_dir(room.folder());
    let mut program = Program::start(server);
    poll(|| fs::read_to_string(&left).ok().filter(|id| id.ends_with('\n'))).expect("a client");
    program.signal("TERM");
    program.end().expect(4).says("it was stopped");
    assert_eq!(still_runs(&room.read("left")), Vec::<u32>::new());
}

/// Those of the processes, a line for each, that do not end.
#[cfg(unix)]
fn still_runs(ids: &str) -> Vec<u32> {
    let ids: Vec<u32> = ids.lines().map(|id| id.parse().expect("an id")).collect();
    assert!(!ids.is_empty());
    ids.into_iter().filter(|id| poll(|| (!is_alive(*id)).then_some(())).is_none()).collect()
}

#[test]
fn a_frame_that_is_in_a_table_twice_is_refused() {
    let room = Room::new();
    for name in ["a", "b"] {
        room.run(name, &[]).expect(0);
    }
    fs::remove_file(room.path("b").join("frames.parquet")).ok();
    let rows = fs::read_to_string(room.path("b").join("frames.csv")).expect("rows");
    let tenth = rows.lines().nth(9).expect("a row");
    fs::write(room.path("b").join("frames.csv"), rows.replace(tenth, &format!("{tenth}\n{tenth}"))).expect("written");
    compare(&[&room.name("a"), &room.name("b")]).expect(2).says("frame 8 of session 1 is in it twice");
}

#[test]
fn a_client_that_fails_ends_its_round() {
    let room = Room::new();
    let file = room.file("a.toml", "fps = 100\nsize = \"160x120\"\nframes = 20\n");
    let ended = compare(&["--run", &file, "--run", &file, "--rounds", "1", "--client", "exit 7"]);
    ended.expect(4).says("the client ended with exit status: 7, and the server goes on without it");
}

#[test]
fn a_report_that_never_ends_is_refused_with_the_limit() {
    compare(&["/dev/zero", "/dev/zero"]).expect(2).says("/dev/zero cannot be read (larger than 256 MiB)");
}

#[test]
fn a_run_that_was_stopped_is_not_kept_as_a_baseline() {
    let room = Room::new();
    let options = ["--loopback", "--no-graphics", "--link", "memory", "--frames", "600", "--size", "160x120"];
    let mut run = Program::start(room.server(&[&options[..], &["--gate", "frames.lost == 0", "--out", "a"]].concat()));
    run.stdout.wait_for_count(5);
    run.signal("INT");
    run.end().expect(0);
    let (found, _) = compared(&room, &["a"], &["--baseline", &room.name("kept"), "--keep"], 0);
    assert!(found["notes"].to_string().contains("not kept as a baseline: the run was stopped after"), "{found:#}");
    assert!(!room.path("kept").join("a").exists());
}

#[test]
fn a_result_that_would_replace_what_is_read_or_another_result_is_refused() {
    let room = Room::new();
    room.run("a", &["--gate", "frames.lost == 0"]).expect(0);
    room.run("kept/b", &[]).expect(0);
    let (a, kept, new) = (room.name("a"), room.name("kept"), room.name("new"));
    let read = [
        "a/junit.xml",
        "a/report.html",
        "a/frames.csv",
        "kept/b/report.json",
        "kept/b/run.toml",
        "kept/../kept/b/frames.csv",
    ];
    for file in read {
        let (before, path) = (room.read(file), room.name(file));
        for option in ["--json", "--markdown"] {
            let ended = compare(&[&room.name("a/report.json"), "--baseline", &kept, option, &path]).expect(2);
            ended.says("is also read (");
        }
        assert!(room.read(file) == before, "{file}");
    }
    let ended = compare(&[&a, "--baseline", &kept, "--json", &new, "--markdown", &new]).expect(2);
    ended.says("--json and --markdown are both");
    assert!(!room.path("new").exists());
    compare(&[&a, "--baseline", &kept, "--json", "-", "--markdown", "-"]).expect(0);
}

#[test]
fn options_in_the_environment_change_no_round() {
    let room = Room::new();
    let file = |name: &str, noise: u32| {
        let text = "loopback = true\nlink = \"memory\"\nfps = \"max\"\nsize = \"160x120\"\nframes = 40\n";
        room.file(name, &format!("{text}noise = {noise}\n"))
    };
    let (a, b, json) = (file("a.toml", 2), file("b.toml", 12), room.name("compared.json"));
    let mut server = command_of(&["--run", &a, "--run", &b, "--rounds", "1", "--json", &json]);
    server.env("PLUMB_NOISE", "5").env("PLUMB_CSV", room.path("rows.csv"));
    Program::start(server).end().expect(0);
    let found: Value = serde_json::from_str(&room.read("compared.json")).expect("JSON");
    assert_eq!(found["comparisons"][0]["options"], json!([{"name": "noise", "a": 2.0, "b": 12.0}]));
    assert!(!room.path("rows.csv").exists());
}

#[cfg(unix)]
#[test]
fn a_client_that_leaves_early_fails_its_round_although_the_run_has_a_gate() {
    let room = Room::new();
    let file = room.file("a.toml", "fps = 60\nsize = \"160x120\"\nframes = 600\ngate = \"frames.lost == 0\"\n");
    let client = command("client").get_program().to_string_lossy().into_owned();
    let rows = room.name("rows");
    let leaves = format!(
        "'{client}' --no-graphics --link tcp > '{rows}' & until [ $(wc -l < '{rows}') -ge 7 ]; do sleep 0.05; done; kill \
         $!; wait $!"
    );
    let ended =
        compare(&["--run", &file, "--run", &file, "--rounds", "1", "--client", &leaves, "--gate", "worse == 0"]);
    ended.expect(4).says(" of 600 frames, and rounds are compared whole");
}
