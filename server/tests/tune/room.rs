//! A folder for searches, and what the tests read from it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;
use testkit::program::{Ended, Program, command};
use testkit::python;

/// A search that starts a program for each seed takes ten seconds on a quiet machine.
const SEARCH_LIMIT: Duration = Duration::from_secs(300);

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

/// A folder with a plan.
pub(crate) struct Room(pub(crate) TempDir);

impl Room {
    pub(crate) fn new(plan: &str) -> Self {
        let room = Self(tempfile::tempdir().expect("a temporary directory"));
        room.write("plan.toml", plan);
        room.write("detect.py", PROGRAM);
        room
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The command `server` with these arguments, in this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut server = command("server");
        server.args(arguments).current_dir(self.0.path());
        server
    }

    pub(crate) fn server(&self, arguments: &[&str]) -> Ended {
        Program::start(self.command(arguments)).end_within(SEARCH_LIMIT)
    }

    /// Searches into this folder.
    pub(crate) fn tune(&self, out: &str, more: &[&str]) -> Ended {
        self.server(&[&["tune", "plan.toml", "--out", out], more].concat())
    }

    /// The rows of a folder's table, each with the values that are not null, without the times.
    pub(crate) fn table(&self, folder: &str) -> Vec<BTreeMap<String, String>> {
        let file = File::open(self.path(folder).join("tune.parquet")).expect("a table");
        let reader = SerializedFileReader::new(file).expect("Parquet");
        let rows = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row"));
        let named = |row: parquet::record::Row| {
            let cells = row.get_column_iter().map(|(name, cell)| (name.clone(), cell.to_string()));
            cells.filter(|(name, cell)| cell != "null" && name != "detect_us").collect()
        };
        rows.map(named).collect()
    }

    /// The lines of the journal, sorted, without the times.
    pub(crate) fn samples(&self, folder: &str) -> Vec<String> {
        let without_time = |line: &str| {
            let mut value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            if let Some(measured) = value["sample"]["measured"].as_object_mut() {
                measured.remove("time_us");
            }
            value.to_string()
        };
        let mut lines: Vec<_> = self.read(&format!("{folder}/samples.jsonl")).lines().map(without_time).collect();
        lines.sort();
        lines
    }
}

pub(crate) fn said(ended: &Ended) -> String {
    ended.stdout.iter().chain(&ended.stderr).map(|line| line.clone() + "\n").collect()
}

/// A Python with numpy.
pub(crate) fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sweep_requirements.txt");
    python::environment(folder, "sweep-venv", &requirements).unwrap_or_else(|error| panic!("{error}"))
}
