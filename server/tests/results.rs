//! What `server compare` and `server calibrate` write: never over what they read, what somebody else wrote, or what
//! stdout goes to.

use std::fs;
use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use testkit::program::{Program, command};
use testkit::room::Room;

/// A command of the server on these arguments, in the room's folder `place`.
fn server(room: &Room, place: &str, arguments: &[&str]) -> Command {
    let mut server = command("server");
    server.current_dir(room.path(place)).args(arguments);
    server
}

/// Answers that are 0.5 px to the right of the truth.
fn pairs() -> String {
    let row = |at: u32| {
        let (x, y) = (f64::from(at * 37 % 640), f64::from(at * 61 % 480));
        format!("{at},{x},{y},{},{}\n", x + 0.5 + 0.01 * f64::from(at % 3), y + 0.01 * f64::from(at % 2))
    };
    format!("frame,x,y,u,v\n{}", (0..60).map(row).collect::<String>())
}

#[test]
fn the_frames_beside_a_report_of_the_present_folder_are_read_and_stay() {
    let room = Room::new();
    room.run("a", &[]).expect(0);
    room.run("b", &[]).expect(0);
    let before = room.read("a/frames.csv");
    for report in ["report.json", "./report.json", "../a/report.json"] {
        let arguments = ["compare", report, "../b", "--json", "frames.csv"];
        Program::start(server(&room, "a", &arguments)).end().expect(2).says("is also read (");
    }
    assert!(room.read("a/frames.csv") == before);
}

#[test]
fn a_file_that_stdout_goes_to_keeps_what_others_write_into_it() {
    let room = Room::new();
    room.run("a", &[]).expect(0);
    room.run("b", &[]).expect(0);
    room.file("pairs.csv", &pairs());
    for arguments in [
        &["compare", "a", "b", "--markdown", "/dev/stdout"][..],
        &["compare", "a", "b", "--json", "/proc/self/fd/1"],
        &["compare", "a", "b", "--json", "log"],
        &["calibrate", "pairs.csv", "--model", "offset", "--json", "/dev/stdout"],
    ] {
        let log = room.file("log", "before\n");
        let open = OpenOptions::new().append(true).open(&log).expect("a file");
        let mut server = server(&room, ".", arguments);
        assert!(
            server.stdout(open.try_clone().expect("a copy")).stderr(Stdio::null()).status().expect("run").success()
        );
        std::io::Write::write_all(&mut &open, b"after\n").expect("written");
        let text = fs::read_to_string(&log).expect("a text");
        assert!(text.starts_with("before\n") && text.ends_with("after\n") && text.len() > 100, "{arguments:?}: {text}");
    }
}

#[test]
fn a_calibration_replaces_only_its_own_files_and_none_that_it_reads() {
    let room = Room::new();
    let (csv, out) = (room.file("pairs.csv", &pairs()), room.name("found"));
    fs::create_dir(&out).expect("a folder");
    let calibrate = |input: &str, more: &[&str]| {
        let arguments = [&["calibrate", input, "--model", "offset", "--out", &out], more].concat();
        Program::start(server(&room, ".", &arguments)).end()
    };
    for name in ["camera.yaml", "correction.toml", "calibration.json", "calibration.html"] {
        let (place, mine) = (format!("found/{name}"), "my own camera: 1\n");
        let path = room.file(&place, mine);
        calibrate(&csv, &[]).expect(2).says("was not written by calibrate: name another folder");
        assert_eq!(room.read(&place), mine);
        room.file(&place, &pairs());
        calibrate(&path, &[]).expect(2).says("is also read (RUN)");
        assert_eq!(room.read(&place), pairs());
        fs::remove_file(&path).expect("removed");
        calibrate(&csv, &["--json", &path]).expect(2).says("--json and --out are both");
    }
    assert_eq!(fs::read_dir(&out).expect("a folder").count(), 0);
    // Its own files of an earlier result are replaced.
    calibrate(&csv, &[]).expect(0);
    calibrate(&csv, &[]).expect(0);
    assert!(room.read("found/correction.toml").contains("offset"));
}
