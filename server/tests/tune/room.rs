//! A folder for searches, and what the tests read from it.

use std::fs;
use std::time::Duration;

use testkit::program::{Ended, Program};
use testkit::room::Room;

use crate::table::{Row, rows};

/// A search that starts a program for each seed takes ten seconds on a quiet machine.
pub(crate) const SEARCH_LIMIT: Duration = Duration::from_secs(300);

/// A plan with four parameters of `hough-classic`, of a few hundred blocks of some milliseconds.
pub(crate) const PLAN: &str = "minimise = \"error_px.l1.mean\"\nsubject_to = [\"missed <= 20%\"]\ntrials = 24\nseeds = 2\n\
    held_out = 12\n[run]\nframes = 5\nsize = \"64x48\"\nradius = 8\n[[mixture]]\nnoise = 5\n[[mixture]]\nnoise = 20\n\
    [pipeline]\nname = \"hough-classic\"\n[parameters]\n\
    param1 = { from = 10, to = 200, log = true, whole = true, default = 190 }\n\
    param2 = { from = 5, to = 30, whole = true, default = 10 }\nmin_radius = { from = 2, to = 7 }\n\
    max_radius = { from = 13, to = 24, default = 24 }\n";

/// A program that finds the bright disc in Python, without a package. It is `bias` px off, and fails with a bias above 0.8.
pub(crate) const PROGRAM: &str = r#"import json, sys
bias, kind = float(sys.argv[1]), sys.argv[2]
if bias > 0.8:
    sys.exit("such a bias is too large")
frames = sys.stdin.buffer
frames.readline()
for line in frames:
    head = json.loads(line)
    data, width = frames.read(head["bytes"]), head["width"]
    bright = [place for place, level in enumerate(data) if level > 110]
    x = sum(place % width for place in bright) / len(bright) + bias
    y = sum(place // width for place in bright) / len(bright)
    answer = {"kind": "none"} if kind == "blind" and head["frame"] % 2 else {"kind": "circle", "x": x, "y": y}
    print(json.dumps({"frame": head["frame"], **answer}), flush=True)
"#;

/// A plan for that program.
pub(crate) const OF_PROGRAM: &str = "minimise = \"error_px.l1.mean\"\ntrials = 16\nseeds = 2\nheld_out = 10\n[run]\nframes = 5\n\
    size = \"64x48\"\nradius = 8\nnoise = 5\n[pipeline]\nname = \"exec:python3 -SE detect.py {bias} {kind}\"\n[parameters]\n\
    bias = { from = -1, to = 1, default = 0.7 }\nkind = { choice = [\"seeing\", \"as before\"], default = \"seeing\" }\n";

/// A folder with a plan and that program.
pub(crate) fn with_plan(plan: &str) -> Room {
    let room = Room::new();
    room.write("plan.toml", plan);
    room.write("detect.py", PROGRAM);
    room
}

/// The command `server` in this folder, to its end.
pub(crate) fn server(room: &Room, arguments: &[&str]) -> Ended {
    Program::start(room.server(arguments)).end_within(SEARCH_LIMIT)
}

/// Searches into this folder.
pub(crate) fn tune(room: &Room, out: &str, more: &[&str]) -> Ended {
    server(room, &[&["tune", "plan.toml", "--out", out], more].concat())
}

/// The rows of a search's table, without the times.
pub(crate) fn table(room: &Room, folder: &str) -> Vec<Row> {
    let mut rows = rows(&room.path(folder).join("tune.parquet"));
    rows.iter_mut().for_each(|row| row.retain(|name, _| name != "detect_us"));
    rows
}

/// The lines of all journals, sorted, without the times.
pub(crate) fn samples(room: &Room, folder: &str) -> Vec<String> {
    let without_time = |line: &str| {
        let mut value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if let Some(measured) = value["sample"]["measured"].as_object_mut() {
            measured.remove("time_us");
        }
        value.to_string()
    };
    let journals = fs::read_dir(room.path(folder)).expect("a folder").map(|entry| entry.expect("an entry").path());
    let texts = journals.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    let text: String = texts.map(|path| fs::read_to_string(path).expect("a journal")).collect();
    let mut lines: Vec<_> = text.lines().map(without_time).collect();
    lines.sort();
    // Each journal begins with the same line.
    lines.dedup_by(|one, other| one == other && one.contains("\"plan\""));
    lines
}
