//! Shards: killed ones, merges, and the engines that start them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use testkit::program::{Program, command};

use crate::room::{LONGER, PLAN, figures, path_with_programs, sweep, sweeping, table, trial, trials, with_plan};
use crate::table::python;

#[test]
fn shards_in_one_or_several_folders_merge_to_the_same_table_as_one_machine() {
    let room = with_plan(PLAN);
    sweep(&room, &["plan.toml", "--out", "whole"]).expect(0);
    for shard in ["1/3", "2/3", "3/3"] {
        sweep(&room, &["plan.toml", "--out", "shared", "--shard", shard]).expect(0);
    }
    // Two more shards, each in its own folder. An engine's variable chooses the shard.
    for (index, folder) in [("0", "a"), ("1", "b")] {
        let mut shard = sweeping(&room, &["plan.toml", "--out", folder, "--shards", "2"]);
        shard.env("JOB_COMPLETION_INDEX", index);
        Program::start(shard).end().expect(0);
    }
    let missing = sweep(&room, &["merge", "a"]).expect(4).said();
    assert!(missing.contains("6 trials are missing, such as 2, 4, 6, 8, 10"), "{missing}");
    sweep(&room, &["merge", "shared"]).expect(0);
    sweep(&room, &["merge", "a", "b", "shared", "--out", "all"]).expect(0);
    for folder in ["shared", "all"] {
        assert_eq!(figures(&room, folder), figures(&room, "whole"), "{folder}");
    }
}

#[test]
fn different_versions_are_named_and_merged_only_with_mixed() {
    let room = with_plan(PLAN);
    sweep(&room, &["plan.toml", "--out", "out"]).expect(0);
    let run = trial(&room, "out", 3).join("run.toml");
    let text = fs::read_to_string(&run).unwrap();
    let version = format!("# version: {}", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    fs::write(&run, text.replace(&version, "# version: 9.9.9")).unwrap();
    let wrong = sweep(&room, &["merge", "out"]).expect(2).said();
    assert!(wrong.contains("9.9.9 (trial 3 in out)") && wrong.contains("--mixed"), "{wrong}");
    sweep(&room, &["merge", "out", "--mixed"]).expect(0);
    assert_eq!(table(&room, "out")[2]["version"], "\"9.9.9\"");
}

#[test]
fn shards_killed_at_random_lose_no_trial_and_run_none_twice() {
    let room = with_plan(LONGER);
    sweep(&room, &["plan.toml", "--out", "whole"]).expect(0);
    // One shard has two processes: an engine starts a second one if it believes the first to be dead.
    let shards = ["1/2", "2/2", "2/2"];
    let mut state = 7_u64;
    for _ in 0..6 {
        let start = |shard: &&str| {
            Program::start(sweeping(&room, &["plan.toml", "--out", "out", "--jobs", "2", "--shard", shard]))
        };
        let mut running: Vec<_> = shards.iter().map(start).collect();
        for program in &mut running {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            thread::sleep(Duration::from_millis(state >> 57));
            program.signal("KILL");
        }
        running.into_iter().for_each(|program| drop(program.end()));
    }
    let before = trials(&room, "out");
    let running: Vec<_> = shards
        .iter()
        .map(|shard| Program::start(sweeping(&room, &["plan.toml", "--out", "out", "--shard", shard])))
        .collect();
    let ended: Vec<_> = running.into_iter().map(|program| program.end().expect(0)).collect();
    let run: usize = ended.iter().map(|ended| were_run(&ended.said())).sum();
    assert_eq!(run + before.len(), 60, "each of the others was run exactly once");
    sweep(&room, &["merge", "out"]).expect(0);
    assert_eq!(figures(&room, "out"), figures(&room, "whole"));
}

fn were_run(text: &str) -> usize {
    let (before, _) = text.split_once(" were run").expect("a count");
    before.rsplit(' ').next().expect("a word").parse().expect("a number")
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
    let (completions, room) = (read[0].as_u64().expect("a number"), with_plan(PLAN));
    let here = |argument: &serde_json::Value| {
        let text = argument.as_str().expect("a text");
        text.replace("/plan/", "").replace("/results/", "")
    };
    let arguments: Vec<_> = read[1..].iter().map(here).collect();
    for index in 0..completions {
        let mut server = command("server");
        server.args(&arguments).current_dir(room.folder()).env("JOB_COMPLETION_INDEX", index.to_string());
        Program::start(server).end().expect(0);
    }
    sweep(&room, &["merge", "sweep"]).expect(0);
    assert_eq!(table(&room, "sweep").len(), 12);
}

#[test]
fn gnu_parallel_runs_all_shards_and_merges_them() {
    let room = with_plan(PLAN);
    let mut script = Command::new(example("sweep.parallel.sh"));
    script.args(["plan.toml", "out"]).current_dir(room.folder()).env("PATH", path_with_programs()).env("SHARDS", "3");
    let text = Program::start(script).end().said();
    assert!(text.contains("12 trials: wrote out/sweep.parquet"), "GNU parallel is needed (.ci/install): {text}");
}

#[test]
fn a_slurm_task_runs_the_shard_given_by_its_variables() {
    let room = with_plan(PLAN);
    for id in 10..13 {
        let mut task = Command::new(example("sweep.slurm.sh"));
        task.args(["plan.toml", "out"]).current_dir(room.folder()).env("PATH", path_with_programs());
        task.env("SLURM_ARRAY_TASK_ID", id.to_string())
            .env("SLURM_ARRAY_TASK_MIN", "10")
            .env("SLURM_ARRAY_TASK_COUNT", "3");
        assert!(Program::start(task).end().expect(0).said().contains("4 of 4 trials are in out"));
    }
    sweep(&room, &["merge", "out"]).expect(0);
    assert_eq!(table(&room, "out").len(), 12);
}

/// A file of the folder `examples`.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}
