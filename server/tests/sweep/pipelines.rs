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
