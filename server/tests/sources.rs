//! A folder of images as a source: frames without truth, up to the last image.

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::ends::Server;
use testkit::program::{Program, command};
use testkit::report::{ReportFile, only_session, rows};

/// A folder of gray images of 160x120, each with a bright disc.
fn folder(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (place, name) in names.iter().enumerate() {
        image(60.0 + place as f64).save(folder.path().join(name)).expect("written");
    }
    folder
}

fn image(x: f64) -> GrayImage {
    let is_inside = |column: u32, row: u32| (f64::from(column) - x).hypot(f64::from(row) - 60.0) <= 16.0;
    GrayImage::from_fn(160, 120, |column, row| Luma([if is_inside(column, row) { 180 } else { 40 }]))
}

fn name(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn images_are_acknowledged_one_by_one_and_the_session_ends_with_them() {
    let folder = folder(&["f1.png", "f2.png", "f10.png"]);
    let report = ReportFile::new();
    let server = Server::start(&["--source", name(folder.path()), "--once", "--fps", "max", "--json", report.name()]);
    server.client(&[]).end().expect(0);
    server.end().expect(0).says("finished");
    let report = report.read();
    let session = only_session(&report);
    assert_eq!((&session["task"], &session["ack"]["codes"]), (&json!("ack"), &json!({"0": 3})));
    assert_eq!(session["error_px"], Value::Null);
    assert_eq!(report["run"]["config"]["size"], "160x120");
    let unused = report["run"]["config"]["unused_options"].as_array().expect("names");
    assert!(["radius", "speed", "noise", "jpeg"].iter().all(|option| unused.contains(&json!(option))), "{unused:?}");
    assert!(["fps", "size", "seed", "window"].iter().all(|option| !unused.contains(&json!(option))), "{unused:?}");
}

#[test]
fn a_printed_run_of_a_folder_leaves_the_balls_options_out_and_is_read_back() {
    let (folder, file) = (folder(&["f1.png"]), tempfile::NamedTempFile::new().expect("a file"));
    let print = |options: &[&str]| {
        let mut server = command("server");
        server.args(options).arg("--print-run");
        Program::start(server).end().expect(0).stdout
    };
    let printed = print(&["--source", name(folder.path()), "--seed", "7"]);
    for option in ["radius", "speed", "border", "contrast", "noise", "invert"] {
        assert!(!printed.iter().any(|line| line.starts_with(option)), "{printed:#?}");
    }
    fs::write(file.path(), printed.join("\n")).expect("written");
    assert_eq!(print(&["--run", name(file.path())]), printed);
}

#[test]
fn circles_without_truth_are_counted_and_no_error_is_made_up() {
    let folder = folder(&["a.png", "b.png"]);
    let report = ReportFile::new();
    let options = ["--task", "circle", "--once", "--fps", "max", "--json", report.name()];
    let server = Server::start(&[&["--source", name(folder.path())], &options[..]].concat());
    server.client(&[]).end().expect(0);
    let server = server.end().expect(0);
    assert!(rows(&server.stdout).iter().all(|row| row.contains("unknown")), "{:#?}", server.stdout);
    assert!(!server.stdout.iter().any(|line| line.contains("  error  ")), "{:#?}", server.stdout);
    let report = report.read();
    let session = only_session(&report);
    assert_eq!((&session["frames"]["circle"], &session["error_px"]), (&json!(2), &Value::Null));
}

#[test]
fn a_broken_image_is_named_and_passed_over() {
    let folder = folder(&["a.png", "c.png"]);
    fs::write(folder.path().join("b.png"), "no image").expect("written");
    let csv = folder.path().join("frames.csv");
    let options = ["--once", "--fps", "max", "--csv", name(&csv)];
    let server = Server::start(&[&["--source", name(folder.path())], &options[..]].concat());
    server.client(&[]).end().expect(0);
    server.end().expect(0).says("b.png");
    let rows = fs::read_to_string(&csv).expect("rows");
    let indices: Vec<&str> = rows.lines().skip(1).filter_map(|row| row.split(',').nth(2)).collect();
    assert_eq!(indices, ["0", "2"], "the broken one keeps its index");
}

#[test]
fn a_source_that_breaks_in_the_middle_ends_the_run_with_4_and_its_reason() {
    let folder = folder(&["a.png", "b.png", "c.png", "d.png", "e.png", "f.png", "g.png", "h.png", "i.png", "j.png"]);
    let source = name(folder.path());
    let server = Server::start(&["--source", source, "--once", "--fps", "2"]);
    // The files are checked at the start and read as the session plays. By then, the last one has been replaced.
    GrayImage::new(3, 3).save(folder.path().join("j.png")).expect("written");
    server.client(&[]).end();
    server.end().expect(4).says("j.png is 3x3");
}

#[test]
fn a_source_that_cannot_be_shown_is_refused_before_the_server_listens() {
    let folder = folder(&["a.png"]);
    let source = name(folder.path());
    let refused = |options: &[&str], words: &str| {
        let mut server = testkit::program::command("server");
        server.args(["--no-graphics", "--source", source]).args(options);
        testkit::program::Program::start(server).end().expect(2).says(words);
    };
    refused(&["--noise", "3"], "--noise does not apply");
    refused(&["--radius", "10..40"], "--radius does not apply");
    refused(&["--size", "640x480"], "the size of the images, which is 160x120");
    GrayImage::new(3, 3).save(folder.path().join("b.png")).expect("written");
    refused(&[], "b.png is 3x3");
}

#[test]
fn the_file_of_a_run_finds_its_source_and_truth_from_another_working_folder() {
    let folder = folder(&["f1.png", "f2.png"]);
    fs::write(folder.path().join("truth.csv"), "frame,x,y,radius\n0,60,60,16\n1,61,60,16\n").expect("written");
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    for source in [".", "f*.png"] {
        let out = elsewhere.path().join(if source == "." { "folder" } else { "pattern" });
        let options =
            ["--loopback", "--no-graphics", "--fps", "max", "--source", source, "--truth", "truth.csv", "--out"];
        let mut server = command("server");
        server.current_dir(folder.path()).args(options).arg(&out);
        Program::start(server).end().expect(0);
        let (again, mut server) = (out.with_extension("again"), command("server"));
        server.current_dir(elsewhere.path()).args(["--no-graphics", "--run"]).arg(out.join("run.toml"));
        server.arg("--out").arg(&again);
        Program::start(server).end().expect(0);
        let frames = |run: &Path| fs::read_to_string(run.join("frames.csv")).expect("frames").lines().count();
        assert_eq!((frames(&out), frames(&again)), (3, 3), "{source}");
    }
}

#[test]
fn a_run_whose_file_could_not_name_its_source_is_refused() {
    use std::os::unix::ffi::OsStrExt;

    let room = tempfile::tempdir().expect("a temporary directory");
    let here = room.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir_all(here.join("images")).expect("made");
    image(60.0).save(here.join("images/a.png")).expect("written");
    let run = |options: &[&str]| {
        let mut server = command("server");
        server.args(["--loopback", "--no-graphics", "--link", "memory", "--fps", "max", "--frames", "1"]).args(options);
        server.current_dir(&here);
        Program::start(server).end()
    };
    for source in ["images", "images/*.png"] {
        let ended = run(&["--source", source, "--out", "out"]).expect(2);
        ended.says("is not UTF-8 text: start in a folder whose name is UTF-8 text");
        assert!(!here.join("out").exists());
        run(&["--source", source]).expect(0);
    }
    run(&["--source", "ball", "--out", "out"]).expect(0);
}
