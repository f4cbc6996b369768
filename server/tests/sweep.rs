//! `server sweep` with the real program: plans, resumed and killed sweeps, shards, merges, and sweeps that cannot run.
#![cfg(feature = "parquet")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;
use testkit::program::{Ended, Program, command, command_after, poll};
use testkit::python;

/// A plan of 12 trials, each of a few milliseconds.
const PLAN: &str =
    "repeats = 2\n[run]\nframes = 20\nsize = \"96x72\"\nradius = 12\n[axes]\nnoise = [0, 5, 20]\nblur = [0, 1.5]\n";

/// A folder with a plan.
struct Room(TempDir);

impl Room {
    fn new(plan: &str) -> Self {
        let room = Self(tempfile::tempdir().expect("a temporary directory"));
        room.plan(plan);
        room
    }

    fn plan(&self, text: &str) {
        fs::write(self.path("plan.toml"), text).expect("written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command `server sweep` with these arguments, in this folder.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut server = command("server");
        server.arg("sweep").args(arguments).current_dir(self.0.path());
        server
    }

    fn sweep(&self, arguments: &[&str]) -> Ended {
        Program::start(self.command(arguments)).end()
    }

    /// The rows of a folder's table, each with the values that are not null.
    fn table(&self, folder: &str) -> Vec<BTreeMap<String, String>> {
        let file = File::open(self.path(folder).join("sweep.parquet")).expect("a table");
        let reader = SerializedFileReader::new(file).expect("Parquet");
        let rows = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row"));
        let named = |row: parquet::record::Row| {
            let cells = row.get_column_iter().map(|(name, cell)| (name.clone(), cell.to_string()));
            cells.filter(|(_, cell)| cell != "null").collect()
        };
        rows.map(named).collect()
    }

    /// The same table without the columns that differ from machine to machine.
    fn figures(&self, folder: &str) -> Vec<BTreeMap<String, String>> {
        let is_of_time = |name: &str| ["latency", "fps", "host", "version"].iter().any(|start| name.starts_with(start));
        let mut rows = self.table(folder);
        rows.iter_mut().for_each(|row| row.retain(|name, _| !is_of_time(name)));
        rows
    }

    /// The folders of the trials that are done.
    fn trials(&self, folder: &str) -> BTreeSet<String> {
        let groups = fs::read_dir(self.path(folder).join("trials")).into_iter().flatten().flatten();
        let names = groups.flat_map(|group| fs::read_dir(group.path()).expect("a folder").flatten());
        names
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with('.'))
            .collect()
    }

    /// The folder of a trial, by its number.
    fn trial(&self, folder: &str, number: usize) -> PathBuf {
        let row = self.table(folder).into_iter().find(|row| row["trial"] == number.to_string()).expect("the trial");
        let id = row["id"].trim_matches('"').to_owned();
        self.path(folder).join("trials").join(&id[..2]).join(id)
    }
}

fn said(ended: &Ended) -> String {
    ended.stdout.iter().chain(&ended.stderr).map(|line| line.clone() + "\n").collect()
}

#[test]
fn a_sweep_writes_its_table_and_running_it_again_changes_nothing() {
    let room = Room::new(PLAN);
    let ended = room.sweep(&["plan.toml", "--out", "out"]).expect(0);
    assert!(said(&ended).contains("12 of 12 trials are in out: 12 were run"), "{ended:?}");
    let rows = room.table("out");
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
    assert_eq!(files(room.trial("out", 1)), ["report.json", "run.toml"].map(String::from).into());
    let ended = room.sweep(&["plan.toml", "--out", "out"]).expect(0);
    assert!(said(&ended).contains("0 were run, 12 were there already"), "{ended:?}");
    // No lock and no unfinished trial is left.
    let hidden = room.trial("out", 1);
    assert!(files(hidden.parent().unwrap().to_owned()).iter().all(|name| !name.starts_with('.')));
}

#[test]
fn any_number_of_jobs_gives_the_same_figures_to_the_last_digit() {
    let room = Room::new(PLAN);
    for (folder, jobs) in [("one", "1"), ("four", "4")] {
        room.sweep(&["plan.toml", "--out", folder, "--jobs", jobs]).expect(0);
    }
    assert_eq!(room.figures("one"), room.figures("four"));
}

#[test]
fn plan_lists_trials_with_an_estimate_and_prints_commands_that_give_the_same_figures() {
    let room = Room::new(PLAN);
    let text = said(&room.sweep(&["plan", "plan.toml"]).expect(0));
    assert!(text.contains("12 trials: 6 cells, 2 repeats") && text.contains("noise     0, 5, 20"), "{text}");
    assert!(text.contains("ms per frame, 20 frames per trial"), "{text}");
    let has_id = |line: &&str| line.split_whitespace().last().is_some_and(|word| word.len() == 20);
    assert_eq!(text.lines().filter(has_id).count(), 12, "{text}");
    let wrong = said(&room.sweep(&["plan", "plan.toml", "--command", "13"]).expect(2));
    assert!(wrong.contains("there is no trial 13: the plan has 12"), "{wrong}");

    room.sweep(&["plan.toml", "--out", "out"]).expect(0);
    let line = said(&room.sweep(&["plan", "plan.toml", "--command", "6"]).expect(0));
    assert!(line.starts_with("server --no-graphics --loopback --blur=1.5 --frames=20 --noise=20"), "{line}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).env("PATH", path_with_programs()).env("PLUMB_LINK", "memory").current_dir(room.0.path());
    Program::start(shell).end().expect(0);
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(room.path("report.json")).unwrap()).unwrap();
    let mean = report["sessions"][0]["error_px"]["l1"]["mean"].as_f64().unwrap();
    let row = &room.table("out")[5];
    assert_eq!(mean.to_bits(), row["error_px_l1_mean"].parse::<f64>().unwrap().to_bits());
}

#[test]
fn trials_run_one_at_a_time_if_latency_counts() {
    let room = Room::new(&format!("latency = true\n{PLAN}"));
    let text = said(&room.sweep(&["plan", "plan.toml"]).expect(0));
    assert!(text.contains("trials run one at a time, because the plan says latency = true"), "{text}");
    let text = said(&room.sweep(&["plan.toml", "--out", "out", "--jobs", "4"]).expect(0));
    assert!(text.contains("--jobs has no effect"), "{text}");
}

#[test]
fn frames_are_kept_if_the_plan_asks_for_it() {
    let room = Room::new("frames = true\n[run]\nframes = 5\nsize = \"64x48\"\nradius = 8\n[axes]\nnoise = [0, 5]\n");
    room.sweep(&["plan.toml", "--out", "out"]).expect(0);
    let trial = room.trial("out", 2);
    assert_eq!(fs::read_to_string(trial.join("frames.csv")).unwrap().lines().count(), 6);
    for name in ["run.toml", "report.json", "report.html", "frames.parquet"] {
        assert!(trial.join(name).is_file(), "{name}");
    }
    assert_eq!(room.table("out")[1]["frames_sent"], "5");
}

#[test]
fn shards_in_one_or_several_folders_merge_to_the_same_table_as_one_machine() {
    let room = Room::new(PLAN);
    room.sweep(&["plan.toml", "--out", "whole"]).expect(0);
    for shard in ["1/3", "2/3", "3/3"] {
        room.sweep(&["plan.toml", "--out", "shared", "--shard", shard]).expect(0);
    }
    // Two more shards, each in its own folder. An engine's variable chooses the shard.
    for (index, folder) in [("0", "a"), ("1", "b")] {
        let mut shard = room.command(&["plan.toml", "--out", folder, "--shards", "2"]);
        shard.env("JOB_COMPLETION_INDEX", index);
        Program::start(shard).end().expect(0);
    }
    let missing = said(&room.sweep(&["merge", "a"]).expect(4));
    assert!(missing.contains("6 trials are missing, such as 2, 4, 6, 8, 10"), "{missing}");
    room.sweep(&["merge", "shared"]).expect(0);
    room.sweep(&["merge", "a", "b", "shared", "--out", "all"]).expect(0);
    for folder in ["shared", "all"] {
        assert_eq!(room.figures(folder), room.figures("whole"), "{folder}");
    }
}

#[test]
fn different_versions_are_named_and_merged_only_with_mixed() {
    let room = Room::new(PLAN);
    room.sweep(&["plan.toml", "--out", "out"]).expect(0);
    let run = room.trial("out", 3).join("run.toml");
    let text = fs::read_to_string(&run).unwrap();
    let version = format!("# version: {}", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    fs::write(&run, text.replace(&version, "# version: 9.9.9")).unwrap();
    let wrong = said(&room.sweep(&["merge", "out"]).expect(2));
    assert!(wrong.contains("9.9.9 (trial 3 in out)") && wrong.contains("--mixed"), "{wrong}");
    room.sweep(&["merge", "out", "--mixed"]).expect(0);
    assert_eq!(room.table("out")[2]["version"], "\"9.9.9\"");
}

#[test]
fn folders_of_another_plan_and_of_anything_else_are_refused() {
    let room = Room::new(PLAN);
    room.sweep(&["plan.toml", "--out", "out", "--shard", "1/12"]).expect(0);
    room.plan(&PLAN.replace("[0, 5, 20]", "[0, 5, 21]"));
    let wrong = said(&room.sweep(&["plan.toml", "--out", "out"]).expect(2));
    assert!(wrong.contains("out has the trials of another plan"), "{wrong}");
    room.sweep(&["plan.toml", "--out", "other", "--shard", "1/12"]).expect(0);
    let wrong = said(&room.sweep(&["merge", "out", "other"]).expect(2));
    assert!(wrong.contains("other has the trials of another plan than out"), "{wrong}");
    fs::create_dir(room.path("full")).unwrap();
    fs::write(room.path("full/note"), "").unwrap();
    let wrong = said(&room.sweep(&["plan.toml", "--out", "full"]).expect(2));
    assert!(wrong.contains("full is not empty (it has note)"), "{wrong}");
    let wrong = said(&room.sweep(&["merge", "full"]).expect(2));
    assert!(wrong.contains("full is not the folder of a sweep"), "{wrong}");
}

#[test]
fn wrong_usage_gets_a_message_that_says_what_to_write() {
    let room = Room::new(PLAN);
    let wrong: [(&[&str], &str); 10] = [
        (&[], "server sweep PLAN.toml --out DIR"),
        (&["plan.toml"], "--out is missing"),
        (&["plan.toml", "other.toml", "--out", "out"], "one plan at a time"),
        (&["nothing.toml", "--out", "out"], "nothing.toml"),
        (&["merge"], "server sweep merge DIR..."),
        (&["plan.toml", "--out", "out", "--mixed"], "--mixed is for server sweep merge"),
        (&["plan.toml", "--out", "out", "--command", "1"], "write the word plan"),
        (&["plan.toml", "--out", "out", "--shard", "3/2"], "such as 1/8"),
        (&["plan.toml", "--out", "out", "--shards", "2"], "--shard 1/2"),
        (&["plan.toml", "--out", "out", "--find", "frames.missed <= 1%"], "--find and --along go together"),
    ];
    for (arguments, right) in wrong {
        let wrong = said(&room.sweep(arguments).expect(2));
        assert!(wrong.contains(right), "{arguments:?}: {wrong}");
    }
    assert!(!room.path("out").exists(), "nothing was made");
}

#[test]
fn a_pipeline_that_always_fails_stops_the_sweep_after_ten_failures_with_the_reason() {
    let plan = PLAN.replace("[axes]", "[axes]\nspeed = [100, 200]") + "[pipeline]\nname = \"exec:sh -c 'exit 3'\"\n";
    let room = Room::new(&plan);
    let text = said(&room.sweep(&["plan.toml", "--out", "out", "--jobs", "1"]).expect(4));
    assert!(text.contains("10 trials failed in a row, the last because"), "{text}");
    assert!(room.trials("out").is_empty());
    assert_eq!(fs::read_dir(room.path("out/failed")).unwrap().count(), 10);
    let merged = said(&room.sweep(&["merge", "out"]).expect(4));
    assert!(merged.contains("10 of them failed") && merged.contains("14 trials are missing"), "{merged}");
    let row = &room.table("out")[0];
    assert!(row["state"] == "\"failed\"" && row["reason"].contains("answered none"), "{row:#?}");
}

#[test]
fn a_full_disk_stops_the_sweep_and_the_same_command_continues_when_there_is_room() {
    let room = Room::new(PLAN);
    // No report fits into 2 KiB (4 KiB if the shell counts in units of 1,024 bytes).
    let mut full = command_after("trap '' XFSZ; ulimit -f 4", "server");
    full.args(["sweep", "plan.toml", "--out", "out"]).current_dir(room.0.path());
    let text = said(&Program::start(full).end().expect(4));
    assert!(
        text.contains("results cannot be written") && text.contains("make room, and run the same command again"),
        "{text}"
    );
    assert!(room.trials("out").is_empty(), "there are only whole trials");
    room.sweep(&["plan.toml", "--out", "out"]).expect(0);
    assert_eq!(room.table("out").len(), 12);
}

/// A plan of 60 trials, each of about ten milliseconds.
const LONGER: &str = "repeats = 3\n[run]\nframes = 60\nsize = \"160x120\"\nradius = 12\n[axes]\nnoise = [0, 2, 5, 10]\nblur = [0, 0.5, 1, 1.5, 2]\n";

#[test]
fn ctrl_c_keeps_finished_trials_and_the_same_command_continues() {
    let room = Room::new(LONGER);
    let mut program = Program::start(room.command(&["plan.toml", "--out", "out", "--jobs", "1"]));
    poll(|| (!room.trials("out").is_empty()).then_some(())).expect("a trial");
    program.signal("INT");
    let text = said(&program.end().expect(0));
    assert!(text.contains("stopped: run the same command again to continue"), "{text}");
    let kept = room.trials("out");
    assert!(!kept.is_empty() && kept.len() < 60, "{}", kept.len());
    let text = said(&room.sweep(&["plan.toml", "--out", "out"]).expect(0));
    assert!(text.contains(&format!("{} were there already", kept.len())), "{text}");
    assert!(kept.is_subset(&room.trials("out")));
}

#[test]
fn shards_killed_at_random_lose_no_trial_and_run_none_twice() {
    let room = Room::new(LONGER);
    room.sweep(&["plan.toml", "--out", "whole"]).expect(0);
    // One shard has two processes: an engine starts a second one if it believes the first to be dead.
    let shards = ["1/2", "2/2", "2/2"];
    let mut state = 7_u64;
    for _ in 0..6 {
        let start = |shard: &&str| {
            Program::start(room.command(&["plan.toml", "--out", "out", "--jobs", "2", "--shard", shard]))
        };
        let mut running: Vec<_> = shards.iter().map(start).collect();
        for program in &mut running {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            thread::sleep(Duration::from_millis(state >> 57));
            program.signal("KILL");
        }
        running.into_iter().for_each(|program| drop(program.end()));
    }
    let before = room.trials("out");
    let running: Vec<_> = shards
        .iter()
        .map(|shard| Program::start(room.command(&["plan.toml", "--out", "out", "--shard", shard])))
        .collect();
    let ended: Vec<_> = running.into_iter().map(|program| program.end().expect(0)).collect();
    let run: usize = ended.iter().map(|ended| were_run(&said(ended))).sum();
    assert_eq!(run + before.len(), 60, "each of the others was run exactly once");
    room.sweep(&["merge", "out"]).expect(0);
    assert_eq!(room.figures("out"), room.figures("whole"));
}

fn were_run(text: &str) -> usize {
    let (before, _) = text.split_once(" were run").expect("a count");
    before.rsplit(' ').next().expect("a word").parse().expect("a number")
}

#[test]
fn a_client_can_be_the_pipeline() {
    let client = command("client").get_program().to_string_lossy().into_owned();
    let axes = "[run]\nframes = 10\nsize = \"96x72\"\nradius = 12\nfps = \"max\"\n[axes]\nnoise = [0, 5]\n";
    let room = Room::new(&format!("{axes}[pipeline]\nclient = \"'{client}' --no-graphics --link tcp\"\n"));
    let text = said(&room.sweep(&["plan.toml", "--out", "out"]).expect(0));
    assert!(text.contains("2 were run"), "{text}");
    let over_a_link = room.figures("out");
    room.plan(axes);
    room.sweep(&["plan.toml", "--out", "own"]).expect(0);
    let own = room.figures("own");
    for (one, other) in over_a_link.iter().zip(&own) {
        assert_eq!(one["error_px_l1_mean"], other["error_px_l1_mean"]);
    }
}

fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sweep_requirements.txt");
    python::environment(folder, "sweep-venv", &requirements).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_python_function_is_swept_and_duckdb_and_pandas_read_the_table() {
    let python = python();
    let room = Room::new(&format!(
        "[run]\nframes = 10\nsize = \"96x72\"\nradius = 12\n[axes]\nnoise = [0, 5]\nblur = [0, 1, 2]\n[pipeline]\nname = \
         \"mine.py:find\"\npython = \"{}\"\ntimeout = \"20s\"\n",
        python.display()
    ));
    let code = "import numpy as np\n\ndef find(frame):\n    print('for people')\n    rows, columns = np.nonzero(frame > 110)\n    \
                return (columns.mean(), rows.mean()) if len(rows) else None\n";
    fs::write(room.path("mine.py"), code).unwrap();
    room.sweep(&["plan.toml", "--out", "out"]).expect(0);
    assert!(room.table("out").iter().all(|row| row["error_px_l1_mean"].parse::<f64>().unwrap() < 1.0));
    let mut report = command("server");
    report.args(["report", "out"]).current_dir(room.0.path());
    Program::start(report).end().expect(0);
    assert!(fs::read_to_string(room.path("out/report.html")).unwrap().contains("over noise (down) and blur (across)"));

    let ask = |code: &str| -> String {
        let mut program = Command::new(&python);
        program.args(["-c", code]).current_dir(room.0.path());
        Program::start(program).end().expect(0).stdout.join("\n")
    };
    let by_duckdb = ask(
        "import duckdb; print(duckdb.sql(\"select count(*), sum(frames_sent) from 'out/sweep.parquet'\").fetchall()[0])",
    );
    assert_eq!(by_duckdb, "(6, 60)");
    let by_pandas =
        ask("import pandas; print(pandas.read_parquet('out/sweep.parquet').groupby('noise').trial.count().tolist())");
    assert_eq!(by_pandas, "[3, 3]");

    room.plan(&fs::read_to_string(room.path("plan.toml")).unwrap().replace("mine.py:find", "mine.py:seek"));
    let text = said(&room.sweep(&["plan.toml", "--out", "other"]).expect(4));
    assert!(text.contains("mine.py has no function seek"), "{text}");
}

/// A file of the folder `examples`.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

/// `PATH`, with the folder of the programs first.
fn path_with_programs() -> std::ffi::OsString {
    let server = PathBuf::from(command("server").get_program());
    let folder = server.parent().expect("a folder").to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&others))).expect("a path")
}

#[test]
fn the_manifest_for_kubernetes_is_valid_and_its_arguments_run_with_its_environment() {
    let (python, manifest) = (python(), example("sweep.k8s.yaml"));
    let mut validate = Command::new(python.with_file_name("kubernetes-validate"));
    validate.arg("--strict").arg(&manifest);
    Program::start(validate).end().expect(0);
    let mut ask = Command::new(&python);
    let code = "import json, sys, yaml; job = yaml.safe_load(open(sys.argv[1]))['spec']; \
                print(json.dumps([job['completions'], *job['template']['spec']['containers'][0]['args']]))";
    ask.args(["-c", code]).arg(&manifest);
    let read: Vec<serde_json::Value> =
        serde_json::from_str(&Program::start(ask).end().expect(0).stdout.join("")).expect("a list");
    let (completions, room) = (read[0].as_u64().expect("a number"), Room::new(PLAN));
    let here = |argument: &serde_json::Value| {
        let text = argument.as_str().expect("a text");
        text.replace("/plan/", "").replace("/results/", "")
    };
    let arguments: Vec<_> = read[1..].iter().map(here).collect();
    for index in 0..completions {
        let mut server = command("server");
        server.args(&arguments).current_dir(room.0.path()).env("JOB_COMPLETION_INDEX", index.to_string());
        Program::start(server).end().expect(0);
    }
    room.sweep(&["merge", "sweep"]).expect(0);
    assert_eq!(room.table("sweep").len(), 12);
}

#[test]
fn gnu_parallel_runs_all_shards_and_merges_them() {
    let room = Room::new(PLAN);
    let mut script = Command::new(example("sweep.parallel.sh"));
    script.args(["plan.toml", "out"]).current_dir(room.0.path()).env("PATH", path_with_programs()).env("SHARDS", "3");
    let text = said(&Program::start(script).end());
    assert!(text.contains("12 trials: wrote out/sweep.parquet"), "GNU parallel is needed (.ci/install): {text}");
}

#[test]
fn a_slurm_task_runs_the_shard_given_by_its_variables() {
    let room = Room::new(PLAN);
    for id in 10..13 {
        let mut task = Command::new(example("sweep.slurm.sh"));
        task.args(["plan.toml", "out"]).current_dir(room.0.path()).env("PATH", path_with_programs());
        task.env("SLURM_ARRAY_TASK_ID", id.to_string())
            .env("SLURM_ARRAY_TASK_MIN", "10")
            .env("SLURM_ARRAY_TASK_COUNT", "3");
        assert!(said(&Program::start(task).end().expect(0)).contains("4 of 4 trials are in out"));
    }
    room.sweep(&["merge", "out"]).expect(0);
    assert_eq!(room.table("out").len(), 12);
}

#[test]
fn find_gives_the_value_at_which_a_condition_ceases_to_hold() {
    let room = Room::new(
        "[run]\nframes = 20\nsize = \"96x72\"\nradius = 12\n[axes]\nnoise = [1, 40]\ncontrast = [100, 140]\n",
    );
    let text = said(
        &room
            .sweep(&["plan.toml", "--out", "out", "--find", "error_px.l1.mean <= 0.05px", "--along", "noise"])
            .expect(0),
    );
    assert_eq!(text.matches("holds up to noise").count(), 2, "{text}");
    let found: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(room.path("out/find.json")).unwrap()).unwrap();
    let place = |at: usize| found[at]["place"][0].as_f64().unwrap();
    assert!(place(0) < place(1), "with more contrast, the detector tolerates more noise: {found}");
    let wrong =
        said(&room.sweep(&["plan.toml", "--out", "out", "--find", "missed <= 1%", "--along", "blur"]).expect(2));
    assert!(wrong.contains("--along blur is not an axis of the plan, which has noise, contrast"), "{wrong}");
    let wrong =
        said(&room.sweep(&["plan.toml", "--out", "out", "--find", "missed == 0", "--along", "noise"]).expect(2));
    assert!(wrong.contains("compare with <= or >="), "{wrong}");
}
