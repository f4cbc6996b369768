//! Plans: listings, commands, options of the plan, `--find`, and usage errors.

use std::fs;
use std::process::Command;

use testkit::program::Program;

use crate::room::{PLAN, path_with_programs, sweep, table, trial, with_plan};

#[test]
fn plan_lists_trials_with_an_estimate_and_prints_commands_that_give_the_same_figures() {
    let room = with_plan(PLAN);
    let text = sweep(&room, &["plan", "plan.toml"]).expect(0).said();
    assert!(text.contains("12 trials: 6 cells, 2 repeats") && text.contains("noise     0, 5, 20"), "{text}");
    assert!(text.contains("ms per frame, 20 frames per trial"), "{text}");
    let has_id = |line: &&str| line.split_whitespace().last().is_some_and(|word| word.len() == 20);
    assert_eq!(text.lines().filter(has_id).count(), 12, "{text}");
    let wrong = sweep(&room, &["plan", "plan.toml", "--command", "13"]).expect(2).said();
    assert!(wrong.contains("there is no trial 13: the plan has 12"), "{wrong}");

    sweep(&room, &["plan.toml", "--out", "out"]).expect(0);
    let line = sweep(&room, &["plan", "plan.toml", "--command", "6"]).expect(0).said();
    assert!(line.starts_with("server --no-graphics --loopback --blur=1.5 --frames=20 --noise=20"), "{line}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).env("PATH", path_with_programs()).env("PLUMB_LINK", "memory").current_dir(room.folder());
    Program::start(shell).end().expect(0);
    let report: serde_json::Value = serde_json::from_str(&room.read("report.json")).unwrap();
    let mean = report["sessions"][0]["error_px"]["l1"]["mean"].as_f64().unwrap();
    let row = &table(&room, "out")[5];
    assert_eq!(mean.to_bits(), row["error_px_l1_mean"].parse::<f64>().unwrap().to_bits());
}

#[test]
fn trials_run_one_at_a_time_if_latency_counts() {
    let room = with_plan(&format!("latency = true\n{PLAN}"));
    let text = sweep(&room, &["plan", "plan.toml"]).expect(0).said();
    assert!(text.contains("trials run one at a time, because the plan says latency = true"), "{text}");
    let text = sweep(&room, &["plan.toml", "--out", "out", "--jobs", "4"]).expect(0).said();
    assert!(text.contains("--jobs has no effect"), "{text}");
}

#[test]
fn frames_are_kept_if_the_plan_asks_for_it() {
    let room = with_plan("frames = true\n[run]\nframes = 5\nsize = \"64x48\"\nradius = 8\n[axes]\nnoise = [0, 5]\n");
    sweep(&room, &["plan.toml", "--out", "out"]).expect(0);
    let trial = trial(&room, "out", 2);
    assert_eq!(fs::read_to_string(trial.join("frames.csv")).unwrap().lines().count(), 6);
    for name in ["run.toml", "report.json", "report.html", "frames.parquet"] {
        assert!(trial.join(name).is_file(), "{name}");
    }
    assert_eq!(table(&room, "out")[1]["frames_sent"], "5");
}

#[test]
fn folders_of_another_plan_and_of_anything_else_are_refused() {
    let room = with_plan(PLAN);
    sweep(&room, &["plan.toml", "--out", "out", "--shard", "1/12"]).expect(0);
    room.write("plan.toml", &PLAN.replace("[0, 5, 20]", "[0, 5, 21]"));
    let wrong = sweep(&room, &["plan.toml", "--out", "out"]).expect(2).said();
    assert!(wrong.contains("out has the trials of another plan"), "{wrong}");
    sweep(&room, &["plan.toml", "--out", "other", "--shard", "1/12"]).expect(0);
    let wrong = sweep(&room, &["merge", "out", "other"]).expect(2).said();
    assert!(wrong.contains("other has the trials of another plan than out"), "{wrong}");
    fs::create_dir(room.path("full")).unwrap();
    room.write("full/note", "");
    let wrong = sweep(&room, &["plan.toml", "--out", "full"]).expect(2).said();
    assert!(wrong.contains("full is not empty (it has note)"), "{wrong}");
    let wrong = sweep(&room, &["merge", "full"]).expect(2).said();
    assert!(wrong.contains("full is not the folder of a sweep"), "{wrong}");
}

#[test]
fn a_folder_whose_plan_never_ends_is_refused() {
    let room = with_plan(PLAN);
    fs::create_dir(room.path("out")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", room.path("out/plan.toml")).unwrap();
    let wrong = sweep(&room, &["plan.toml", "--out", "out"]).expect(2).said();
    assert!(wrong.contains("no sweep wrote out/plan.toml (it is not a file: delete it)"), "{wrong}");
    let wrong = sweep(&room, &["merge", "out"]).expect(2).said();
    assert!(wrong.contains("its plan.toml cannot be read (it is not a file: delete it)"), "{wrong}");
    let wrong = Program::start(room.server(&["report", "out"])).end().expect(2).said();
    assert!(wrong.contains("out is not the folder of a run"), "{wrong}");
}

#[test]
fn a_pipe_in_place_of_a_file_of_the_folder_is_refused_and_not_waited_for() {
    let room = with_plan("[run]\nframes = 5\nsize = \"64x48\"\nradius = 8\n[axes]\nnoise = [0, 40]\n");
    let pipe = |name: &str| {
        fs::create_dir_all(room.path("out")).unwrap();
        assert!(Command::new("mkfifo").arg(room.path("out").join(name)).status().unwrap().success());
    };
    pipe("plan.toml");
    let wrong = sweep(&room, &["plan.toml", "--out", "out"]).expect(2).said();
    assert!(wrong.contains("no sweep wrote out/plan.toml (it is not a file: delete it)"), "{wrong}");
    let wrong = sweep(&room, &["merge", "out"]).expect(2).said();
    assert!(wrong.contains("its plan.toml cannot be read (it is not a file: delete it)"), "{wrong}");
    Program::start(room.server(&["report", "out"])).end().expect(2).says("out is not the folder of a run");
    pipe("find.samples.jsonl");
    let find = ["plan.toml", "--out", "out", "--find", "missed <= 10%", "--along", "noise"];
    let wrong = sweep(&room, &find).expect(4).said();
    assert!(wrong.contains("out/find.samples.jsonl: it is not a file: delete it"), "{wrong}");
}

#[test]
fn a_plan_may_begin_with_a_byte_order_mark() {
    let room = with_plan("\u{feff}[run]\nframes = 5\nsize = \"64x48\"\nradius = 8\n[axes]\nnoise = [0, 5]\n");
    let text = sweep(&room, &["plan.toml", "--out", "out"]).expect(0).said();
    assert!(text.contains("2 were run"), "{text}");
    let text = sweep(&room, &["plan.toml", "--out", "out"]).expect(0).said();
    assert!(text.contains("2 were there already"), "{text}");
    Program::start(room.server(&["report", "out"])).end().expect(0);
}

#[test]
fn find_goes_along_an_option_of_whole_numbers_and_beside_an_axis_of_seeds() {
    let room = with_plan(
        "[run]\nframes = 2\nsize = \"64x48\"\nradius = 8\nnoise = 10\n[axes]\njpeg = [1, 96]\nseed = [1, 5]\n",
    );
    let find = ["plan.toml", "--out", "out", "--find", "missed <= 50%", "--along", "jpeg"];
    sweep(&room, &find).expect(0);
    let found: serde_json::Value = serde_json::from_str(&room.read("out/find.json")).unwrap();
    let at: Vec<_> = found.as_array().unwrap().iter().map(|line| line["at"].to_string()).collect();
    assert_eq!(at, ["[[\"seed\",\"1\"]]", "[[\"seed\",\"5\"]]"], "{found}");
    let find = ["plan.toml", "--out", "out", "--find", "missed <= 1%", "--along", "seed"];
    sweep(&room, &find).expect(2).says("--along seed: a search chooses its seeds itself");
}

#[test]
fn wrong_usage_gets_a_message_that_says_what_to_write() {
    let room = with_plan(PLAN);
    let wrong: [(&[&str], &str); 14] = [
        (&[], "server sweep PLAN.toml --out DIR"),
        (&["plan.toml"], "--out is missing"),
        (&["plan.toml", "other.toml", "--out", "out"], "one plan at a time"),
        (&["nothing.toml", "--out", "out"], "nothing.toml"),
        (&["merge"], "server sweep merge DIR..."),
        (&["plan.toml", "--out", "out", "--mixed"], "--mixed is for server sweep merge"),
        (&["plan.toml", "--out", "out", "--command", "1"], "write the word plan"),
        (&["plan.toml", "--out", "out", "--shard", "3/2"], "such as 1/8"),
        (&["plan.toml", "--out", "out", "--shards", "2"], "--shard 1/2"),
        (&["plan.toml", "--out", "out", "--jobs", "0"], "\"0\" is not a whole number from 1 to 1024"),
        (&["plan.toml", "--out", "out", "--jobs", "1025"], "\"1025\" is not a whole number from 1 to 1024"),
        (&["plan.toml", "--out", "out", "--shards", "0"], "\"0\" is not a whole number from 1 to 1000000"),
        (&["plan", "plan.toml", "--command", "0"], "\"0\" is not a whole number from 1 to 10000000"),
        (&["plan.toml", "--out", "out", "--find", "frames.missed <= 1%"], "--find and --along go together"),
    ];
    for (arguments, right) in wrong {
        let wrong = sweep(&room, arguments).expect(2).said();
        assert!(wrong.contains(right), "{arguments:?}: {wrong}");
    }
    assert!(!room.path("out").exists(), "nothing was made");
}

#[test]
fn find_gives_the_value_at_which_a_condition_ceases_to_hold() {
    let room = with_plan(
        "[run]\nframes = 20\nsize = \"96x72\"\nradius = 12\n[axes]\nnoise = [1, 40]\ncontrast = [100, 140]\n",
    );
    let text = sweep(&room, &["plan.toml", "--out", "out", "--find", "error_px.l1.mean <= 0.05px", "--along", "noise"])
        .expect(0)
        .said();
    assert_eq!(text.matches("holds up to noise").count(), 2, "{text}");
    let found: serde_json::Value = serde_json::from_str(&room.read("out/find.json")).unwrap();
    let place = |at: usize| found[at]["place"][0].as_f64().unwrap();
    assert!(place(0) < place(1), "with more contrast, the detector tolerates more noise: {found}");
    let wrong =
        sweep(&room, &["plan.toml", "--out", "out", "--find", "missed <= 1%", "--along", "blur"]).expect(2).said();
    assert!(wrong.contains("--along blur is not an axis of the plan, which has noise, contrast"), "{wrong}");
    let wrong =
        sweep(&room, &["plan.toml", "--out", "out", "--find", "missed == 0", "--along", "noise"]).expect(2).said();
    assert!(wrong.contains("compare with <= or >="), "{wrong}");
}

#[test]
fn a_search_that_is_killed_goes_on_and_finds_the_same_place() {
    let room = with_plan("[run]\nframes = 20\nsize = \"96x72\"\nradius = 12\n[axes]\nnoise = [1, 40]\n");
    let search = |out: &str| {
        let condition = ["--find", "error_px.l1.mean <= 0.05px", "--along", "noise"];
        sweep(&room, &[&["plan.toml", "--out", out], &condition[..]].concat()).expect(0);
    };
    let samples = |out: &str| fs::read_to_string(room.path(out).join("find.samples.jsonl")).unwrap_or_default();
    search("whole");
    let whole = samples("whole");
    let half: String = whole.lines().take(whole.lines().count() / 2).map(|line| line.to_owned() + "\n").collect();
    let cut_short = half.clone() + &whole[half.len()..][..20];
    fs::create_dir(room.path("killed")).unwrap();
    room.write("killed/find.samples.jsonl", &cut_short);
    search("killed");
    let found = |out: &str| fs::read_to_string(room.path(out).join("find.json")).unwrap();
    assert_eq!(found("killed"), found("whole"));
    assert_eq!(samples("killed"), whole, "the samples that were there are not taken again");
}
