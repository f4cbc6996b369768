//! What happens to output files that fail, vanish or are not files, while the run continues.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use image::GrayImage;
use serde_json::Value;
use tempfile::TempDir;
use testkit::ends::{Server, free_address, with};
use testkit::program::{Program, command, command_after, command_at};
use testkit::report::{ReportFile, checked, only_session, rows, sessions};
use testkit::room::Room;

/// Limits files to 8 KiB (16 KiB if the shell counts in units of 1,024 bytes), as on a disk that is then full.
const FULL_AT_8K: &str = "ulimit -f 16";

/// The same at 32 KiB (64 KiB), for a report of a few sessions.
const FULL_AT_32K: &str = "ulimit -f 64";

/// A name in a folder of its own.
fn place(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join(name);
    (folder, path)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn pipe(name: &str) -> (TempDir, PathBuf) {
    let (folder, path) = place(name);
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    (folder, path)
}

/// Number of lines in which a program said something like this.
fn said(stderr: &[String], words: &str) -> usize {
    stderr.iter().filter(|line| line.contains(words)).count()
}

fn report(path: &Path) -> Value {
    checked(&fs::read_to_string(path).expect("a report"))
}

#[test]
fn a_report_on_a_full_disk_stays_whole_and_ends_the_run_with_4_after_one_message() {
    let (_folder, path) = place("report.json");
    let options = ["--no-graphics", "--frames", "2", "--fps", "max", "--json", text(&path)];
    let mut server = Server::listening(Program::start(with(command_after(FULL_AT_32K, "server"), &options)));
    // A session takes about 7 KB.
    for _ in 0..10 {
        server.client(&[]).end().expect(0);
    }
    server.program.stderr.wait_for("cannot write the report");
    assert!((1..10).contains(&sessions(&report(&path)).len()), "the last good one is there");
    // The server still serves.
    server.client(&[]).end().expect(0);
    server.program.signal("TERM");
    let ended = server.end().expect(4);
    assert_eq!(said(&ended.stderr, "cannot write the report"), 1, "{:#?}", ended.stderr);
    assert!((1..10).contains(&sessions(&report(&path)).len()));
    let beside = fs::read_dir(path.parent().expect("a folder")).expect("the folder").count();
    assert_eq!(beside, 1, "nothing is left beside it");
}

#[test]
fn rows_on_a_full_disk_stay_whole_and_end_the_run_with_4_after_one_message() {
    let (_folder, path) = place("frames.csv");
    let options = ["--no-graphics", "--once", "--frames", "300", "--fps", "max", "--csv", text(&path)];
    let server = Server::listening(Program::start(with(command_after(FULL_AT_8K, "server"), &options)));
    server.client(&[]).end().expect(0);
    let ended = server.end().expect(4);
    assert_eq!(said(&ended.stderr, text(&path)), 1, "{:#?}", ended.stderr);
    assert_eq!(rows(&ended.stdout).len(), 300, "the other outputs have everything");
    let written = fs::read_to_string(&path).expect("rows");
    assert!(written.lines().count() > 1 && written.ends_with('\n'));
    let columns = |row: &str| row.split(',').count();
    assert!(written.lines().all(|row| Some(columns(row)) == written.lines().next().map(columns)), "whole rows alone");
}

#[test]
fn rows_that_are_deleted_are_reported_and_end_the_run_with_4() {
    let (_folder, path) = place("frames.csv");
    let mut server = Server::start(&["--csv", text(&path)]);
    let client = server.client(&[]);
    server.program.stdout.wait_for_count(5);
    fs::remove_file(&path).expect("deleted");
    server.program.stderr.wait_for("it was deleted meanwhile");
    server.program.signal("TERM");
    client.end().expect(0);
    let ended = server.end().expect(4);
    assert_eq!(said(&ended.stderr, text(&path)), 1, "{:#?}", ended.stderr);
}

#[test]
fn a_report_whose_folder_comes_back_is_complete_and_the_run_does_not_fail() {
    for comes_back in [true, false] {
        let (folder, path) = place("report.json");
        let moved = folder.path().with_extension("moved");
        let mut server = Server::start(&["--frames", "2", "--json", text(&path)]);
        fs::rename(folder.path(), &moved).expect("moved");
        server.client(&[]).end().expect(0);
        server.program.stderr.wait_for("cannot write the report");
        if comes_back {
            fs::rename(&moved, folder.path()).expect("moved back");
        }
        server.program.signal("TERM");
        let ended = server.end().expect(if comes_back { 0 } else { 4 });
        assert_eq!(said(&ended.stderr, "cannot write the report"), 1, "{:#?}", ended.stderr);
        if comes_back {
            assert_eq!(sessions(&report(&path)).len(), 1);
        } else {
            fs::rename(&moved, folder.path()).expect("moved back");
        }
    }
}

/// A folder in which nobody else may create files, with a report that others may write. The programs run as another
/// user than root.
#[test]
fn a_report_in_a_folder_where_no_file_can_be_created_is_rewritten_in_place_with_a_warning() {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;

    let (folder, path) = place("report.json");
    fs::write(&path, "x".repeat(10_000)).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("for all");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).expect("for nobody");
    let options = ["--no-graphics", "--once", "--frames", "2", "--json", text(&path)];
    let mut server = with(command("server"), &options);
    // Root is allowed everything. Another user may not be allowed to enter the folder of the program.
    if chown(&path, Some(0), None).is_ok() {
        let copy = folder.path().join("server");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("writable");
        fs::copy(server.get_program(), &copy).expect("a copy of the program");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).expect("for nobody");
        server = with(command_at(&copy), &options);
        server.uid(65_534).gid(65_534);
    }
    let server = Server::listening(Program::start(server));
    server.client(&[]).end().expect(0);
    let ended = server.end().expect(0);
    assert_eq!(said(&ended.stderr, "rewritten in place"), 1, "{:#?}", ended.stderr);
    assert_eq!(only_session(&report(&path))["frames"]["sent"], 2);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("to be deleted");
}

#[test]
fn a_report_goes_to_a_null_device_and_a_full_device_is_an_error() {
    let run = |device: &str| {
        let mut server = command("server");
        server.args(["--loopback", "--no-graphics", "--frames", "2", "--json", device]);
        Program::start(server).end()
    };
    run("/dev/null").expect(0);
    run("/dev/full").expect(4).says("/dev/full");
}

#[test]
fn a_report_for_a_stdout_that_is_closed_is_refused_and_one_for_a_null_device_is_not() {
    for (line, code) in [("exec >&-", 2), ("exec >/dev/null", 0)] {
        let mut server = command_after(line, "server");
        server.args(["--loopback", "--no-graphics", "--frames", "2", "--json", "-"]);
        let ended = Program::start(server).end().expect(code);
        assert_eq!(said(&ended.stderr, "cannot write the report to stdout: it is closed"), usize::from(code == 2));
    }
}

#[test]
fn a_report_on_the_descriptor_of_stdout_is_one_document_and_rows_go_to_stderr() {
    let (_folder, path) = place("out.json");
    let mut server = command("server");
    server.args(["--loopback", "--no-graphics", "--frames", "3", "--json", "/dev/stdout"]).stdin(Stdio::null());
    let done = server.stdout(fs::File::create(&path).expect("a file")).output().expect("it runs");
    assert_eq!(done.status.code(), Some(0));
    assert_eq!(only_session(&report(&path))["frames"]["sent"], 3);
}

#[test]
fn a_pipe_gets_one_document_at_the_end() {
    let mut server = Command::new("bash");
    server.args(["-c", "exec \"$0\" --loopback --no-graphics --frames 3 --json >(cat >&2)"]);
    server.arg(command("server").get_program()).env_remove("DISPLAY");
    let done = server.stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(done.status.code(), Some(0));
    let stderr = String::from_utf8(done.stderr).expect("UTF-8");
    let json = &stderr[stderr.find('{').expect("a document")..=stderr.rfind('}').expect("its end")];
    assert_eq!(only_session(&checked(json))["frames"]["sent"], 3);
}

#[test]
fn a_socket_gets_one_document_at_the_end() {
    let (_folder, path) = place("socket");
    let listener = UnixListener::bind(&path).expect("a socket");
    let mut server = command("server");
    server.args(["--loopback", "--no-graphics", "--frames", "3", "--json", text(&path)]);
    let server = Program::start(server);
    let mut heard = String::new();
    listener.accept().expect("the server").0.read_to_string(&mut heard).expect("a document");
    server.end().expect(0);
    assert_eq!(only_session(&checked(&heard))["frames"]["sent"], 3);
}

#[test]
fn the_server_waits_for_a_reader_of_a_pipe_and_says_so() {
    for option in ["--json", "--csv"] {
        let (_folder, path) = pipe("unread");
        let options = ["--no-graphics", "--once", "--frames", "3", option, text(&path)];
        let server = Program::start(with(command("server"), &options));
        server.stderr.wait_for("waiting for somebody to read the pipe");
        let mut reader = BufReader::new(fs::File::open(&path).expect("a reader"));
        let server = Server::listening(server);
        server.client(&[]).end().expect(0);
        let mut first = String::new();
        reader.read_line(&mut first).expect("a line");
        assert!(first.starts_with(if option == "--json" { "{" } else { "session,frame," }), "{first}");
        reader.read_to_string(&mut first).expect("the rest");
        let ended = server.end().expect(0);
        assert_eq!(said(&ended.stderr, "waiting for somebody"), 1, "{:#?}", ended.stderr);
    }
}

#[test]
fn ctrl_c_ends_the_wait_for_a_reader() {
    let (_folder, path) = pipe("unread");
    let mut server = Program::start(with(command("server"), &["--no-graphics", "--csv", text(&path)]));
    server.stderr.wait_for("waiting for somebody to read the pipe");
    server.signal("INT");
    server.end().expect(0);
}

#[test]
fn the_server_waits_for_a_writer_of_a_runs_file_and_says_so() {
    let (_folder, path) = pipe("ru\u{1b}[2Jn.toml");
    let options = ["--no-graphics", "--loopback", "--run", text(&path)];
    let server = Program::start(with(command("server"), &options));
    server.stderr.wait_for("waiting for somebody to write");
    fs::write(&path, "frames = 3").expect("read");
    let ended = server.end().expect(0);
    assert_eq!(rows(&ended.stdout).len(), 3);
    assert_eq!(said(&ended.stderr, "\\u{1b}[2Jn.toml"), 1, "its name does not move the cursor: {:?}", ended.stderr);
}

#[test]
fn an_output_that_is_also_read_is_refused_and_left_as_it_is() {
    let room = Room::new();
    let (run, camera) = (room.file("run.toml", "frames = 3\n"), room.file("camera.toml", "noise = 3\n"));
    let token = room.file("token", "a token of sixteen letters\n");
    std::os::unix::fs::symlink("run.toml", room.path("link.toml")).expect("a link");
    let (link, kept) = (room.name("link.toml"), room.name("kept"));
    let mut made = command("server");
    made.args(["--loopback", "--no-graphics", "--no-announce", "--frames", "3", "--record", "--out", &kept]);
    Program::start(made).end().expect(0);
    let [frames, report, recording] = ["frames.csv", "report.json", "run.mcap"].map(|name| format!("{kept}/{name}"));
    let (images, image) = (room.name("images"), room.name("images/2.png"));
    fs::create_dir(&images).expect("a folder");
    for name in ["1.png", "2.png"] {
        GrayImage::new(64, 48).save(room.path("images").join(name)).expect("written");
    }
    std::os::unix::fs::symlink("images/2.png", room.path("image")).expect("a link");
    let (link_to_image, pattern) = (room.name("image"), room.name("images/*.png"));
    for arguments in [
        vec!["--loopback", "--run", &run, "--json", &run],
        vec!["--loopback", "--run", &run, "--csv", &link],
        vec!["--loopback", "--camera", &camera, "--junit", &camera, "--gate", "frames.lost == 0"],
        vec!["--source", "ball", "--token-file", &token, "--json", &token],
        vec!["--source", &recording, "--csv", &recording],
        vec!["--source", &images, "--csv", &image],
        vec!["--source", &images, "--json", &link_to_image],
        vec!["--source", &pattern, "--junit", &image, "--gate", "frames.lost == 0"],
        vec!["calibrate", &kept, "--json", &frames],
        vec!["compare", &kept, &kept, "--markdown", &report],
    ] {
        let files = [&run, &camera, &token, &frames, &report, &recording, &image];
        let before: Vec<_> = files.iter().map(|file| fs::read(file).expect("a file")).collect();
        let mut server = command("server");
        server.args(&arguments);
        let said = Program::start(server).end().expect(2).said();
        let after: Vec<_> = files.iter().map(|file| fs::read(file).expect("a file")).collect();
        assert!(before == after, "{arguments:?}");
        assert!(said.contains("is also read"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_file_that_a_runs_folder_has_itself_is_refused_and_no_folder_is_made() {
    let room = Room::new();
    let out = room.name("out");
    for (option, name) in [("--json", "report.json"), ("--csv", "frames.csv"), ("--csv", "./report.html")] {
        let mut server = command("server");
        server.args(["--loopback", "--no-graphics", "--frames", "3", "--out", &out, option, &format!("{out}/{name}")]);
        let said = Program::start(server).end().expect(2).said();
        let name = name.trim_start_matches("./");
        let wrong = format!("{name} is a file of --out itself, so {option} needs another");
        assert!(said.contains(&wrong), "{said}");
        assert!(!room.path("out").exists());
    }
}

#[test]
fn tables_and_reports_that_come_through_a_pipe_are_waited_for_and_it_is_said() {
    for (word, inputs, wrong) in [("calibrate", 1, "it has no column frame"), ("compare", 2, "is not a report")] {
        let (_folder, path) = pipe("later");
        let mut server = command("server");
        server.arg(word).args(vec![&path; inputs]);
        let server = Program::start(server);
        server.stderr.wait_for("waiting for somebody to write");
        fs::write(&path, "{}").expect("read");
        let said = server.end().expect(2).said();
        assert!(said.contains(wrong), "{word}: {said}");
    }
}

#[test]
fn a_run_that_never_listened_leaves_files_as_they_were() {
    let (folder, csv) = place("frames.csv");
    let json = folder.path().join("report.json");
    [&csv, &json].into_iter().for_each(|path| fs::write(path, "kept").expect("written"));
    let taken = std::net::TcpListener::bind(free_address()).expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let mut server = command("server");
    server.args(["--no-graphics", "--listen", &address, "--csv", text(&csv), "--json", text(&json)]);
    Program::start(server).end().expect(3);
    for path in [&csv, &json] {
        assert_eq!(fs::read_to_string(path).expect("still there"), "kept");
    }
}

#[test]
fn a_report_is_whole_whenever_it_is_read_and_when_the_server_is_killed() {
    let report = ReportFile::new();
    fs::write(report.path(), "x".repeat(100_000)).expect("written");
    let mut server = Server::start(&["--frames", "1", "--fps", "max", "--json", report.name()]);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                report.read();
            }
        });
        (0..8).for_each(|_| drop(server.client(&[]).end().expect(0)));
        server.program.signal("KILL");
        is_over.store(true, Ordering::Relaxed);
        reader.join().expect("a whole report each time");
    });
    let _ = server.end();
    report.read();
}
