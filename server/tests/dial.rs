//! Sessions in which the server calls (`--dial`) and the client listens (`--listen`), over each link.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use testkit::ends::{ListeningClient, Server, address, calling, free_address};
use testkit::program::{Ended, Program, command};
use testkit::python::Packages;
use testkit::report::{ReportFile, only_session, rows};
use testkit::repository;

/// The links that a server may ask a client for.
const LINKS: [&str; 3] = ["webrtc", "tcp", "grpc"];

/// Time limit of an end, as in `signals.rs`: the promised second, and another one for a busy machine.
const SOON: Duration = Duration::from_secs(2);

#[track_caller]
fn soon(ended: &Ended) {
    assert!(ended.elapsed < SOON, "took {:?}", ended.elapsed);
}

/// Runs a whole session in which the server calls. Returns its report and the client.
#[track_caller]
fn called(server: &[&str], client: &[&str]) -> Value {
    let report = ReportFile::new();
    let client = ListeningClient::start(client);
    let server = client.called(&[&["--seed", "7", "--json", report.name()], server].concat());
    server.end().expect(0);
    client.program.stderr.wait_for("session 1: the server said bye: finished");
    client.stop().expect(0);
    only_session(&report.read()).clone()
}

#[test]
fn a_server_that_calls_has_the_errors_of_one_that_listens_to_the_last_digit() {
    let report = ReportFile::new();
    let server = Server::start(&["--once", "--fps", "max", "--seed", "7", "--frames", "60", "--json", report.name()]);
    server.client(&[]).end().expect(0);
    server.end().expect(0);
    let listened = only_session(&report.read()).clone();
    assert_eq!(listened["client"]["dialled"], false);
    for link in LINKS {
        let session = called(&["--link", link, "--frames", "60", "--fps", "max"], &[]);
        assert_eq!(session["frames"]["circle"], 60, "{link}: {:#}", session["frames"]);
        assert_eq!(session["error_px"], listened["error_px"], "{link}");
        let client = &session["client"];
        assert_eq!((&client["link"], &client["dialled"]), (&link.into(), &true.into()), "{client:#}");
    }
}

#[test]
fn a_server_that_calls_asks_for_webrtc_unless_told_otherwise() {
    assert_eq!(called(&["--frames", "5"], &[])["client"]["link"], "webrtc");
}

#[test]
fn live_delivery_and_pictures_work_the_other_way_round_too() {
    let live = called(&["--frames", "60", "--fps", "60", "--delivery", "live"], &[]);
    assert!(live["frames"]["answered"].as_u64() > Some(0), "{:#}", live["frames"]);
    for link in LINKS {
        let options = ["--link", link, "--frames", "20", "--task", "image", "--size", "640x480"];
        let session = called(&options, &[]);
        assert_eq!((&session["frames"]["answered"], &session["frames"]["invalid"]), (&20.into(), &0.into()));
    }
}

#[test]
fn the_example_in_python_is_called_and_finds_every_circle() {
    let mut example = Command::new(Packages::Aiortc.test_python(env!("CARGO_TARGET_TMPDIR")));
    example.arg(repository::path("examples/tcp_client.py")).args(["--listen", "127.0.0.1", "0"]);
    let example = Program::start(example);
    let line = example.stdout.wait_for("listening on ");
    let report = ReportFile::new();
    let options = ["--link", "tcp", "--frames", "60", "--json", report.name()];
    calling(address(&line).expect("an address"), &options).end().expect(0);
    example.end().expect(0);
    assert_eq!(only_session(&report.read())["frames"]["circle"], 60);
}

#[test]
fn a_server_started_first_waits_for_its_client() {
    let address = free_address().to_string();
    let server = calling(&address, &["--frames", "10"]);
    server.stderr.wait_for("waiting for a client at");
    let mut client = command("client");
    client.args(["--listen", &address, "--once", "--no-graphics"]);
    assert_eq!(rows(&Program::start(client).end().expect(0).stdout).len(), 10);
    server.end().expect(0);
}

#[test]
fn two_servers_call_one_client_and_each_gets_all_answers() {
    for policy in ["every", "latest"] {
        let client = ListeningClient::start(&["--workers", "1", "--policy", policy]);
        let reports = [ReportFile::new(), ReportFile::new()];
        let servers = [0, 1].map(|which: usize| {
            let seed = which.to_string();
            let options = ["--link", LINKS[which], "--seed", &seed, "--frames", "150", "--json", reports[which].name()];
            client.called(&options)
        });
        for server in servers {
            server.end().expect(0);
        }
        for (report, link) in reports.iter().zip(LINKS) {
            let session = only_session(&report.read()).clone();
            assert_eq!(
                session["frames"]["answered"].as_u64().zip(session["frames"]["dropped"].as_u64()).map(|(a, d)| a + d),
                Some(150),
                "{policy} {link}: {:#}",
                session["frames"]
            );
            if policy == "every" {
                assert_eq!(session["frames"]["circle"], 150, "{link}: {:#}", session["frames"]);
            }
        }
        let said = client.stop().expect(0).stdout;
        for number in [1, 2] {
            let summary = said.iter().find(|line| line.starts_with(&format!("session {number}: 150 frames received")));
            assert!(summary.is_some(), "no summary of session {number}: {said:#?}");
            let of_session = |row: &&String| row.split_whitespace().last() == Some(&number.to_string());
            let frames = said.iter().filter(|line| line.split_whitespace().count() > 2).filter(of_session).count();
            assert_eq!(frames, 150, "rows of session {number}");
        }
    }
}

#[test]
fn a_client_goes_on_when_a_server_is_killed_and_its_exit_code_shows_it() {
    let client = ListeningClient::start(&[]);
    for link in LINKS {
        let mut killed = client.called(&["--link", link, "--json", "/dev/null"]);
        let before = client.program.stdout.so_far().len();
        client.program.stdout.wait_for_count(before + 5);
        killed.signal("KILL");
        killed.end();
    }
    client.program.stderr.wait_for("session 1: the server is gone");
    client.program.stderr.wait_for("session 2: the server is gone");
    client.program.stderr.wait_for("session 3: the server is gone");
    client.called(&["--frames", "10"]).end().expect(0);
    client.program.stderr.wait_for("session 4: the server said bye: finished");
    client.stop().expect(3);
}

#[test]
fn once_ends_a_client_after_its_first_session_and_refuses_a_second_server_meanwhile() {
    let client = ListeningClient::start(&["--once"]);
    let first = client.called(&["--frames", "60"]);
    client.program.stdout.wait_for_count(3);
    let refused = client.called(&["--wait", "0s"]).end().expect(3);
    refused.says("this client answers one server (--once), which is here already");
    first.end().expect(0);
    client.program.end().expect(0).says("the server said bye: finished");
}

#[test]
fn a_stop_at_either_end_ends_the_session_at_both_within_a_second() {
    for link in LINKS {
        let report = ReportFile::new();
        let client = ListeningClient::start(&[]);
        let mut server = client.called(&["--link", link, "--json", report.name()]);
        client.program.stdout.wait_for_count(3);
        server.signal("INT");
        soon(&server.end().expect(0));
        assert_eq!(only_session(&report.read())["end"]["kind"], "stopped");
        client.program.stderr.wait_for("session 1: the server said bye");
        let server = client.called(&["--link", link, "--json", report.name()]);
        client.program.stdout.wait_for_count(client.program.stdout.so_far().len() + 3);
        soon(&client.stop().expect(0));
        server.end().expect(0);
        assert_eq!(only_session(&report.read())["end"]["kind"], "client_left");
    }
}

#[test]
fn a_stop_before_any_session_ends_both_within_a_second() {
    soon(&ListeningClient::start(&[]).stop().expect(0));
    ListeningClient::start(&["--once"]).stop().expect(3).says("stopped before there was a session");
    let mut server = calling(&free_address().to_string(), &[]);
    server.stderr.wait_for("waiting for a client");
    server.signal("INT");
    soon(&server.end().expect(3).says("stopped before there was a session"));
}

#[test]
fn a_client_that_cannot_do_the_task_says_so_to_the_server_and_serves_the_next() {
    let client = ListeningClient::start(&["--pipeline", "ack"]);
    let refused = client.called(&["--frames", "5"]).end().expect(3);
    refused.says("ack");
    client.called(&["--frames", "5", "--task", "ack"]).end().expect(0);
    client.program.stderr.wait_for("session 2: the server said bye: finished");
    client.stop().expect(2);
}

#[test]
fn options_can_come_from_the_environment_where_dial_overrides_listen() {
    let client = ListeningClient::start(&[]);
    let mut server = command("server");
    server.env("PLUMB_LISTEN", "0.0.0.0:8080").env("PLUMB_DIAL", &client.address).env("PLUMB_NO_GRAPHICS", "1");
    server.args(["--frames", "5"]);
    Program::start(server).end().expect(0);
    client.stop().expect(0);
}
