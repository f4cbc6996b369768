//! `best.toml` in the client, in a program and in Python.

use std::process::Command;

use testkit::ends::Server;
use testkit::program::{Program, command};
use testkit::room::Room;

use crate::room::{OF_PROGRAM, PLAN, tune, with_plan};
use crate::table::python;

/// The mean error of a session with this client, on frames that no search saw.
fn error_of(room: &Room, options: &[&str]) -> f64 {
    let server = Server::start(&[
        "--once",
        "--no-announce",
        "--fps",
        "max",
        "--frames",
        "40",
        "--seed",
        "77",
        "--size",
        "64x48",
        "--radius",
        "8",
        "--noise",
        "5",
        "--json",
        &room.name("report.json"),
    ]);
    let mut client = command("client");
    client.args([server.address.as_str(), "--no-graphics"]).args(options).current_dir(room.folder());
    Program::start(client).end().expect(0);
    server.end().expect(0);
    let report: serde_json::Value = serde_json::from_str(&room.read("report.json")).expect("JSON");
    report["sessions"][0]["error_px"]["l1"]["mean"].as_f64().unwrap_or(f64::INFINITY)
}

fn refused(room: &Room, options: &[&str]) -> String {
    let mut client = command("client");
    client.args(["127.0.0.1:9", "--no-graphics", "--wait", "0s"]).args(options).current_dir(room.folder());
    Program::start(client).end().expect(2).said()
}

#[test]
fn the_client_runs_the_program_with_the_setting_that_was_found() {
    let room = with_plan(OF_PROGRAM);
    tune(&room, "out", &[]).expect(0);
    let default = error_of(&room, &["--pipeline", "exec:python3 -SE detect.py 0.7 seeing"]);
    let tuned = error_of(&room, &["--detector-options", "out/best.toml"]);
    assert!(tuned < default - 0.3, "{tuned}, {default}");
}

#[test]
fn the_client_takes_the_parameters_of_our_detectors_from_the_file() {
    let room = with_plan(PLAN);
    let file = |pipeline: &str, parameters: &str| {
        room.write("best.toml", &format!("plumb_tuned = 1\npipeline = \"{pipeline}\"\n[parameters]\n{parameters}\n"));
    };
    let with = |more: &[&str]| error_of(&room, &[&["--detector-options", "best.toml"], more].concat());
    file("hough-classic", "param2 = 20\nmin_radius = 4");
    assert!(with(&[]) < 2.0);
    assert!(with(&["--min-radius", "20"]) > 2.0, "the command line comes first");
    file("hough-classic", "param2 = 5000");
    assert_eq!(with(&[]), f64::INFINITY, "no centre has so many votes");
    file("hough-classic", "min_radius = 20");
    assert!(with(&[]) > 2.0, "no disc is so large");
    file("hough", "min_axis_ratio = 0.9");
    assert!(with(&[]) < 0.1);
}

#[test]
fn files_that_the_client_cannot_use_are_refused_with_the_reason() {
    let room = with_plan(PLAN);
    let file = |text: &str| room.write("best.toml", text);
    let with = |more: &[&str]| refused(&room, &[&["--detector-options", "best.toml"], more].concat());
    let text = with(&[]);
    assert!(text.contains("best.toml\" cannot be read"), "{text}");
    file("noise = 5\n");
    assert!(with(&[]).contains("is not a best.toml (it has no plumb_tuned)"), "{}", with(&[]));
    file("plumb_tuned = 1\npipeline = \"hough-classic\"\n[parameters]\nparam3 = 5\n");
    assert!(
        with(&[]).contains("it has no parameter \"param3\", but min_radius, max_radius, param1, param2"),
        "{}",
        with(&[])
    );
    file("plumb_tuned = 1\npipeline = \"hough-classic\"\n[parameters]\nparam1 = 1\n");
    assert!(with(&[]).contains("param1 is a whole number from 2 to 2040"), "{}", with(&[]));
    assert!(with(&["--pipeline", "hough"]).contains("the settings are for hough-classic, and --pipeline is hough"));
    file("plumb_tuned = 1\npipeline = \"find.py:find\"\n[parameters]\n");
    assert!(with(&[]).contains("the settings are for the Python function find.py:find"), "{}", with(&[]));
}

#[test]
fn a_python_function_is_tuned_and_called_with_what_was_found() {
    let python = python();
    let room = with_plan(&format!(
        "minimise = \"error_px.l1.mean\"\nsubject_to = [\"missed <= 20%\"]\ntrials = 16\nseeds = 2\nheld_out = 8\n[run]\nframes = 5\n\
         size = \"64x48\"\nradius = 8\nnoise = 5\n[pipeline]\nname = \"mine.py:find\"\npython = \"{}\"\ntimeout = \"20s\"\n\
         [parameters]\nshift = {{ from = -1, to = 1 }}\nlevel = {{ from = 90, to = 130, whole = true }}\n",
        python.display()
    ));
    let code = "import numpy as np\n\ndef find(frame, shift=0.6, level=110):\n    rows, columns = np.nonzero(frame > level)\n    \
                return (columns.mean() + shift, rows.mean()) if len(rows) else None\n";
    room.write("mine.py", code);
    let text = tune(&room, "out", &["--jobs", "2"]).expect(0).said();
    assert!(text.contains("better than the default"), "{text}");
    assert!(text.contains("shift as it is, level as it is"), "{text}");
    let call = "import numpy, tomllib, mine\nparameters = tomllib.load(open('out/best.toml', 'rb'))['parameters']\n\
                frame = numpy.zeros((48, 64), numpy.uint8); frame[20:29, 30:41] = 200\nprint(mine.find(frame, **parameters)[0])";
    let mut program = Command::new(&python);
    program.args(["-c", call]).current_dir(room.folder());
    let found: f64 = Program::start(program).end().expect(0).stdout.join("").parse().expect("a number");
    assert!((found - 35.0).abs() < 0.4, "{found}");
}
