//! Pipelines of a sweep: a client, and a Python function.

use std::process::Command;

use testkit::program::{Program, command, is_alive, poll};
use testkit::room::Room;

use crate::room::{figures, sweep, sweeping, table, with_plan};
use crate::table::python;

#[test]
fn a_client_can_be_the_pipeline() {
    let client = command("client").get_program().to_string_lossy().into_owned();
    let axes = "[run]\nframes = 10\nsize = \"96x72\"\nradius = 12\nfps = \"max\"\n[axes]\nnoise = [0, 5]\n";
    let room = with_plan(&format!("{axes}[pipeline]\nclient = \"'{client}' --no-graphics --link tcp\"\n"));
    let text = sweep(&room, &["plan.toml", "--out", "out"]).expect(0).said();
    assert!(text.contains("2 were run"), "{text}");
    let over_a_link = figures(&room, "out");
    room.write("plan.toml", axes);
    sweep(&room, &["plan.toml", "--out", "own"]).expect(0);
    let own = figures(&room, "own");
    for (one, other) in over_a_link.iter().zip(&own) {
        assert_eq!(one["error_px_l1_mean"], other["error_px_l1_mean"]);
    }
}

#[test]
fn what_a_client_has_started_ends_with_its_trial_and_with_a_sweep_that_is_stopped() {
    let client = command("client").get_program().to_string_lossy().into_owned();
    let started = |room: &Room| {
        let left = room.read("left");
        left.lines().map(|id| id.parse().expect("an id")).collect::<Vec<u32>>()
    };
    let end = |ids: Vec<u32>| {
        for id in ids {
            poll(|| (!is_alive(id)).then_some(())).unwrap_or_else(|| panic!("{id} goes on"));
        }
    };
    let plan = |command: &str| {
        format!(
            "[run]\nframes = 10\nsize = \"96x72\"\nradius = 12\n[axes]\nnoise = [0, 5]\n[pipeline]\nclient = '''sleep 1000 \
             & echo $! >> left; {command}'''\n"
        )
    };
    let room = with_plan(&plan(&format!("'{client}' --no-graphics --link tcp; sleep 1000")));
    sweep(&room, &["plan.toml", "--out", "out"]).expect(0);
    assert_eq!(started(&room).len(), 2);
    end(started(&room));

    let room = with_plan(&plan("sleep 1000"));
    let mut program = Program::start(sweeping(&room, &["plan.toml", "--out", "out"]));
    poll(|| std::fs::read_to_string(room.path("left")).ok().filter(|id| id.ends_with('\n'))).expect("a client");
    program.signal("TERM");
    program.end().expect(4).says("stopped: run the same command again to continue");
    end(started(&room));
}

#[test]
fn a_python_function_is_swept_and_duckdb_and_pandas_read_the_table() {
    let python = python();
    let room = with_plan(&format!(
        "[run]\nframes = 10\nsize = \"96x72\"\nradius = 12\n[axes]\nnoise = [0, 5]\nblur = [0, 1, 2]\n[pipeline]\nname = \
         \"mine.py:find\"\npython = \"{}\"\ntimeout = \"20s\"\n",
        python.display()
    ));
    let code = "import numpy as np\n\ndef find(frame):\n    print('for people')\n    rows, columns = np.nonzero(frame > 110)\n    \
                return (columns.mean(), rows.mean()) if len(rows) else None\n";
    room.write("mine.py", code);
    sweep(&room, &["plan.toml", "--out", "out"]).expect(0);
    assert!(table(&room, "out").iter().all(|row| row["error_px_l1_mean"].parse::<f64>().unwrap() < 1.0));
    Program::start(room.server(&["report", "out"])).end().expect(0);
    assert!(room.read("out/report.html").contains("over noise (down) and blur (across)"));

    let ask = |code: &str| -> String {
        let mut program = Command::new(&python);
        program.args(["-c", code]).current_dir(room.folder());
        Program::start(program).end().expect(0).stdout.join("\n")
    };
    let by_duckdb = ask(
        "import duckdb; print(duckdb.sql(\"select count(*), sum(frames_sent) from 'out/sweep.parquet'\").fetchall()[0])",
    );
    assert_eq!(by_duckdb, "(6, 60)");
    let by_pandas =
        ask("import pandas; print(pandas.read_parquet('out/sweep.parquet').groupby('noise').trial.count().tolist())");
    assert_eq!(by_pandas, "[3, 3]");

    room.write("plan.toml", &room.read("plan.toml").replace("mine.py:find", "mine.py:seek"));
    let text = sweep(&room, &["plan.toml", "--out", "other"]).expect(4).said();
    assert!(text.contains("mine.py has no function seek"), "{text}");
}

/// Answers 20 frames of each trial: the interpreter is kept, so `count` goes on. Each wrong answer costs its frame.
const ANSWERS: &str = r#"import os
import sys

import numpy as np

count = 0
WRONG = [
    lambda: (float("nan"), 3),
    lambda: (np.float32("inf"), 3.0),
    lambda: (1e7, 3),
    lambda: (10**400, 3),
    lambda: (1 + 2j, 3),
    lambda: (np.complex128(1), 3),
    lambda: {"x": 3},
    lambda: {"x": 3, "y": 4, "cov": [1, 2]},
    lambda: {"x": 3, "y": 4, "axes": [2, 9], "angle": 0.5},
    lambda: {"x": 3, "y": 4, "angle": 0.5},
    lambda: ([1, 2], 3),
    lambda: sys.exit("no"),
]


def find(frame):
    global count
    count += 1
    place = (count - 1) % 20
    return WRONG[place]() if place < len(WRONG) else (np.array([48.0]), np.float32(36))


def find_and_end(frame):
    global count
    count += 1
    if count == 20:
        os._exit(3)
    return 48, 36
"#;

fn with_function(name: &str) -> Room {
    let room = with_plan(&format!(
        "repeats = 3\n[run]\nframes = 20\nsize = \"96x72\"\nradius = 12\n[pipeline]\nname = \"mine.py:{name}\"\npython = \
         \"{}\"\ntimeout = \"20s\"\n",
        python().display()
    ));
    room.write("mine.py", ANSWERS);
    room
}

#[test]
fn an_answer_that_is_none_costs_its_frame_and_no_other_in_any_trial() {
    let room = with_function("find");
    sweep(&room, &["plan.toml", "--out", "out", "--jobs", "1"]).expect(0);
    let dropped: Vec<_> = table(&room, "out").iter().map(|row| row["frames_dropped"].clone()).collect();
    assert_eq!(dropped, ["12"; 3]);
}

#[test]
fn an_interpreter_that_crashed_is_not_used_for_the_next_trial() {
    let room = with_function("find_and_end");
    sweep(&room, &["plan.toml", "--out", "out", "--jobs", "1"]).expect(0);
    let dropped: Vec<_> = table(&room, "out").iter().map(|row| row["frames_dropped"].clone()).collect();
    assert_eq!(dropped, ["1"; 3]);
}

#[test]
fn a_trial_whose_server_refuses_its_run_is_noted_with_the_servers_reason() {
    let run =
        "[run]\nframes = 5\ntask = \"image\"\nsize = \"1920x1080\"\nwindow = 4096\n[pipeline]\nclient = \"true\"\n";
    let room = with_plan(run);
    let text = sweep(&room, &["plan.toml", "--out", "out"]).expect(4).said();
    assert!(text.contains("the server ended with exit code 2 (--task image keeps a window of frames"), "{text}");
    assert!(table(&room, "out")[0]["reason"].contains("write --window"));
}

#[test]
fn a_folder_for_temporary_files_that_is_missing_is_named() {
    let room = with_plan("[run]\nframes = 5\nsize = \"64x48\"\nradius = 8\n[pipeline]\nname = \"mine.py:find\"\n");
    room.write("mine.py", ANSWERS);
    let mut program = sweeping(&room, &["plan.toml", "--out", "out"]);
    program.env("TMPDIR", room.path("nowhere"));
    Program::start(program).end().expect(4);
    let reason = &table(&room, "out")[0]["reason"];
    assert!(reason.contains("cannot be written into the folder for temporary files, "), "{reason}");
    assert!(reason.contains("nowhere: ") && !reason.contains("make room"), "{reason}");
}

#[test]
fn a_trial_whose_client_leaves_early_has_failed_although_the_run_has_a_gate() {
    let client = command("client").get_program().to_string_lossy().into_owned();
    let leaves = format!(
        "'{client}' --no-graphics --link tcp > rows & until [ $(wc -l < rows) -ge 7 ]; do sleep 0.05; done; kill $!; wait \
         $!"
    );
    let run = "[run]\nframes = 600\nfps = 60\nsize = \"96x72\"\nradius = 12\ngate = \"frames.lost == 0\"\n";
    let room = with_plan(&format!("{run}[pipeline]\nclient = \"\"\"{leaves}\"\"\"\n"));
    sweep(&room, &["plan.toml", "--out", "out"]).expect(4);
    let row = &table(&room, "out")[0];
    assert!(row["state"] == "\"failed\"" && row["reason"].contains(" of 600 frames"), "{row:#?}");
}
