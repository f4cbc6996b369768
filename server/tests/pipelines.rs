//! The client's pipeline follows the session's task, and a session whose task has no pipeline ends cleanly.

use serde_json::{Value, json};
use testkit::ends::{Server, with};
use testkit::program::{Ended, Program, command};
use testkit::report::rows;

/// The only session in the report that a server wrote to stdout.
fn session(server: &Ended) -> Value {
    let text = server.stdout.join("\n");
    let mut report: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"));
    report["sessions"][0].take()
}

#[track_caller]
fn assert_acknowledged(session: &Value, frames: u64) {
    assert_eq!(session["ack"]["codes"], json!({ "0": frames }));
    assert_eq!((&session["frames"]["sent"], &session["frames"]["answered"]), (&frames.into(), &frames.into()));
    for count in ["circle", "no_circle", "missed", "empty", "false_positive"] {
        assert_eq!(session["frames"][count], Value::Null, "{count}");
    }
    assert_eq!(session["error_px"], Value::Null);
}

#[test]
fn auto_acknowledges_if_the_task_asks_for_nothing_else() {
    let server = Server::start(&["--task", "ack", "--once", "--frames", "100", "--fps", "max", "--json", "-"]);
    let client = server.client(&[]).end().expect(0);
    assert_acknowledged(&session(&server.end().expect(0)), 100);
    let summary = client.stdout.last().expect("a summary");
    assert!(summary.starts_with("100 frames received: 100 ack, 0 dropped; answer p50"), "{summary}");
    let rows = rows(&client.stdout);
    assert!(rows.len() == 100 && rows.iter().all(|row| row.contains("ack code 0")), "{rows:#?}");
}

#[test]
fn a_loopback_run_has_a_pipeline_for_its_task() {
    let options = ["--task", "ack", "--loopback", "--frames", "30", "--fps", "max", "--json", "-", "--no-graphics"];
    let server = Program::start(with(command("server"), &options)).end().expect(0);
    assert_acknowledged(&session(&server), 30);
}

#[test]
fn a_pipeline_that_cannot_do_the_task_ends_with_2_and_the_server_serves_the_next() {
    let mut server = Server::start(&["--task", "ack", "--frames", "20", "--fps", "max"]);
    let refused = server.client(&["--pipeline", "hough"]).end().expect(2).says("the server's task is \"ack\"");
    let advice = refused.stderr.iter().find(|line| line.contains("--pipeline hough cannot do"));
    assert!(advice.is_some_and(|line| line.contains("--pipeline ack or auto does")), "{:#?}", refused.stderr);
    server.program.stderr.wait_for("--pipeline hough cannot do");
    assert!(server.program.is_running());
    server.client(&["--pipeline", "ack"]).end().expect(0);
    server.program.signal("INT");
    server.end().expect(0);
}

#[test]
fn frames_with_a_ball_are_not_merely_acknowledged() {
    let server = Server::start(&["--frames", "20"]);
    server.client(&["--pipeline", "ack"]).end().expect(2).says("--pipeline hough or auto does");
    server.client(&["--detector", "hough-classic"]).end().expect(0);
}
