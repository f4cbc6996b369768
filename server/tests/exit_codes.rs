//! The exit code tells a script whether it got what it asked for.

use std::fs;
use std::io::{BufRead, BufReader, Write};

use image::GrayImage;
use testkit::ends::{Server, client, free_address, with};
use testkit::program::{Program, command, command_after};
use testkit::report::{ReportFile, checked, only_session, rows, sessions};
use testkit::room::Room;

#[test]
fn a_client_that_leaves_early_leaves_too_few_frames() {
    let server = Server::start(&["--once", "--frames", "600"]);
    let mut client = server.client(&[]);
    client.stdout.wait_for_count(7);
    client.signal("INT");
    client.end().expect(0);
    server.end().expect(3).says(" of 600 frames: the client left");
}

#[test]
fn a_client_that_leaves_before_the_time_is_over_leaves_too_little_time() {
    let server = Server::start(&["--once", "--duration", "1h"]);
    let mut client = server.client(&[]);
    client.stdout.wait_for_count(7);
    client.signal("INT");
    client.end().expect(0);
    server.end().expect(3).says("not for 1h: the client left");
}

#[test]
fn a_source_with_fewer_frames_than_asked_for_has_too_few() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    GrayImage::new(64, 48).save(folder.path().join("a.png")).expect("written");
    let source = folder.path().to_str().expect("UTF-8");
    let options = ["--source", source, "--once", "--fps", "max"];
    let server = Server::start(&[&options[..], &["--frames", "2"]].concat());
    server.client(&[]).end().expect(0);
    server.end().expect(3).says("1 of 2 frames: the source has no more");
    for (more, words) in [
        (&["--frames", "2", "--duration", "1h"][..], "1 of 2 frames, but not for 1h: the source has no more"),
        (&["--duration", "1h"], "1 frames, but not for 1h: the source has no more"),
    ] {
        let server = Server::start(&[&options[..], more].concat());
        server.client(&[]).end().expect(0);
        server.end().expect(3).says(words);
    }
    let server = Server::start(&options);
    server.client(&[]).end().expect(0);
    server.end().expect(0);
}

#[test]
fn a_run_whose_source_ended_before_the_duration_says_so_in_its_report_and_is_not_kept_as_a_baseline() {
    let room = Room::new();
    GrayImage::new(64, 48).save(room.path("a.png")).expect("written");
    let options = ["--loopback", "--no-graphics", "--link", "memory", "--source", "a.png", "--fps", "max"];
    for (name, more, code, says) in
        [("short", &["--duration", "1h"][..], 3, true), ("whole", &["--frames", "1"], 0, false)]
    {
        Program::start(room.server(&[&options[..], more, &["--out", name]].concat())).end().expect(code);
        let report = checked(&room.read(&format!("{name}/report.json")));
        assert_eq!(only_session(&report)["source"].get("ran_out").is_some(), says, "{name}");
        let compare = ["compare", name, "--baseline", "kept", "--keep", "--json", "compared.json"];
        Program::start(room.server(&compare)).end().expect(0);
        let why = "not kept as a baseline: the source had no more after 1 frames";
        assert_eq!(room.read("compared.json").contains(why), says, "{name}");
        assert_eq!(room.path("kept").join(name).exists(), !says, "{name}");
    }
}

#[test]
fn a_signal_before_the_only_session_is_a_failure() {
    for signal in ["INT", "TERM", "HUP"] {
        let report = ReportFile::new();
        let mut server = Server::start(&["--once", "--frames", "600", "--json", report.name()]);
        server.program.signal(signal);
        server.end().expect(3).says("stopped before there was a session");
        assert!(sessions(&report.read()).is_empty());
    }
}

#[test]
fn a_signal_in_a_session_is_an_intended_end() {
    let mut server = Server::start(&["--once", "--frames", "600"]);
    let client = server.client(&[]);
    client.stdout.wait_for_count(7);
    server.program.signal("TERM");
    server.end().expect(0);
    client.end().expect(0);
}

#[test]
fn a_client_that_was_stopped_before_it_had_a_server_had_no_session() {
    let mut client = client(&free_address().to_string(), &["--wait", "forever"]);
    client.stderr.wait_for("waiting for a server");
    client.signal("TERM");
    client.end().expect(3).says("stopped before there was a session");
}

#[test]
fn a_hangup_ends_both_programs_as_other_signals_do() {
    let report = ReportFile::new();
    let mut server = Server::start(&["--json", report.name()]);
    let mut first = server.client(&[]);
    first.stdout.wait_for_count(7);
    first.signal("HUP");
    let first = first.end().expect(0);
    assert!(first.stdout.iter().any(|line| line.contains("frames received")), "a summary: {:#?}", first.stdout);
    let second = server.client(&[]);
    second.stdout.wait_for_count(7);
    server.program.signal("HUP");
    let server = server.end().expect(0);
    assert!(server.stdout.iter().any(|line| line.contains(": stopped")), "a summary: {:#?}", server.stdout);
    second.end().expect(0).says("the server stops");
    assert_eq!(sessions(&report.read()).len(), 2);
}

#[test]
fn a_hangup_that_was_ignored_at_the_start_stays_ignored() {
    // As `nohup` does.
    let ignoring = |name| command_after("trap '' HUP", name);
    let server = Program::start(with(ignoring("server"), &["--no-graphics", "--once", "--frames", "120"]));
    let mut server = Server::listening(server);
    let mut client = ignoring("client");
    client.args([&server.address, "--no-graphics"]);
    let mut client = Program::start(client);
    client.stdout.wait_for_count(7);
    client.signal("HUP");
    server.program.signal("HUP");
    assert_eq!(rows(&client.end().expect(0).stdout).len(), 120);
    server.end().expect(0).says("finished");
}

#[test]
fn a_server_waits_for_its_client_no_longer_than_it_is_told() {
    for once in [&["--once"][..], &[]] {
        let server = Server::start(&[once, &["--wait", "300ms"]].concat());
        server.end().expect(3).says("no client said hello within 300ms (--wait)");
    }
}

#[test]
fn a_visitor_that_never_opens_its_link_does_not_count_as_a_client() {
    let server = Server::start(&["--once", "--wait", "2s"]);
    let mut visitor = server.connect();
    visitor.write_all(b"{\"type\":\"hello\",\"plumb\":1,\"role\":\"sink\"}\n").expect("sent");
    let mut offer = String::new();
    BufReader::new(&visitor).read_line(&mut offer).expect("an offer");
    server.end().expect(3).says("no client said hello within 2s (--wait)");
}

#[test]
fn a_session_that_has_begun_may_last_longer_than_the_wait_for_it() {
    let server = Server::start(&["--once", "--wait", "5s", "--duration", "6s", "--fps", "30"]);
    server.client(&[]).end().expect(0);
    server.end().expect(0).says("finished");
}

#[test]
fn a_source_that_fails_while_the_server_serves_on_is_reported_at_the_end() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let image = |name: &str, side| GrayImage::new(side, side).save(folder.path().join(name)).expect("written");
    (0..10).for_each(|place| image(&format!("{place}.png"), 64));
    let mut server = Server::start(&["--source", folder.path().to_str().expect("UTF-8"), "--fps", "2"]);
    // The files are checked at the start and read as the session plays. By then, the last one has been replaced.
    image("9.png", 3);
    server.client(&[]).end();
    server.program.stderr.wait_for("the source failed");
    server.program.signal("TERM");
    server.end().expect(4).says("the source failed in 1 session(s)");
}

#[test]
fn a_source_that_is_gone_when_the_only_client_comes_ends_the_run_with_4() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let images = folder.path().join("images");
    fs::create_dir(&images).expect("made");
    GrayImage::new(64, 48).save(images.join("a.png")).expect("written");
    let server = Server::start(&["--source", images.to_str().expect("UTF-8"), "--once"]);
    fs::remove_dir_all(&images).expect("deleted");
    server.client(&["--wait", "0s"]).end().expect(3);
    server.end().expect(4).says("the source failed");
}

#[test]
fn a_stopped_loopback_run_counts_as_stopped_and_not_as_left() {
    for turn in 0..8 {
        let report = ReportFile::new();
        let mut server = command("server");
        server.args(["--loopback", "--no-graphics", "--json", report.name()]);
        if turn % 2 == 0 {
            server.args(["--link", "memory"]);
        }
        let mut server = Program::start(server);
        server.stdout.wait_for_count(5);
        server.signal("INT");
        server.end().expect(0);
        assert_eq!(only_session(&report.read())["end"]["kind"], "stopped", "turn {turn}");
    }
}

#[test]
fn a_failed_file_takes_precedence_over_a_lost_client() {
    let server = Server::start(&["--once", "--frames", "600", "--json", "/dev/full"]);
    let client = server.client(&[]);
    server.program.stdout.wait_for_count(7);
    drop(client);
    server.program.stderr.wait_for("the client is gone");
    server.end().expect(4).says(" of 600 frames: the client is gone");
}

#[test]
fn a_failed_file_takes_precedence_over_a_failed_gate_and_a_gate_over_a_lost_client() {
    let options = ["--once", "--frames", "600", "--gate", "frames.lost == 0"];
    for (more, code) in [(&["--json", "/dev/full"][..], 4), (&[], 1)] {
        let server = Server::start(&[&options, more].concat());
        let client = server.client(&[]);
        server.program.stdout.wait_for_count(7);
        drop(client);
        server.end().expect(code).says("the gate frames.lost == 0 has no data");
    }
}

#[test]
#[cfg(unix)]
fn with_too_few_descriptors_both_programs_say_so_and_neither_panics() {
    // With the smallest limits a program does not even start; the largest is enough for a session.
    for limit in 4..24 {
        for (name, options) in [("server", ["--listen", "127.0.0.1:0"]), ("client", ["127.0.0.1:9", "--workers=1"])] {
            let mut program = command_after(&format!("ulimit -n {limit}"), name);
            program.args(options).args(["--no-graphics", "--wait", "0s"]);
            let ended = Program::start(program).end();
            let said = ended.stderr.join("\n");
            assert!(!said.contains("panicked"), "{name}, {limit}: {said}");
            // The loader failed before the program started, because descriptors of the test runner were open too.
            if said.contains("error while loading shared libraries") {
                continue;
            }
            assert!(ended.code == Some(3) && limit > 8 || ended.code == Some(4), "{name}, {limit}: {ended:#?}");
            assert!(ended.code == Some(3) || said.contains("(ulimit -n)"), "{name}, {limit}: {said}");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_loopback_with_too_few_descriptors_ends_by_itself() {
    // All limits are enough to listen. The smallest are too few for the client's link, the largest enough for both
    // ends. The programs run at the same time, because each may try for 10 s.
    let start = |limit| {
        let mut program = command_after(&format!("ulimit -n {limit}"), "server");
        program.args(["--loopback", "--no-graphics", "--no-announce", "--frames", "3", "--once"]);
        (limit, Program::start(program))
    };
    let programs: Vec<_> = (26..44).step_by(3).map(start).collect();
    for (limit, program) in programs {
        let ended = program.end();
        let said = ended.stderr.join("\n");
        assert!(ended.code == Some(0) || said.contains("(ulimit -n)"), "{limit}: {ended:#?}");
        assert!([Some(0), Some(3), Some(4)].contains(&ended.code) && !said.contains("panicked"), "{limit}: {ended:#?}");
    }
}
