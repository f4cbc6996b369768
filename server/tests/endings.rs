//! Every way a session ends: the server's report agrees with what the client prints and exits with.

use std::time::Duration;

use serde_json::Value;
use testkit::ends::{Server, client};
use testkit::program::{Ended, Program};
use testkit::relay::{Both, Impairments, Rate, Relay};
use testkit::report::{ReportFile, only_session};

/// A line of 2 Mbit/s, with a buffer of one second, as many routers have.
const SLOW: Rate = Rate { bits_per_s: 2_000_000, queue_bytes: 250_000 };

/// What is done to a session in which frames flow.
type Done = fn(&mut Server, &mut Program);

/// Options of both programs, what happens, the kind and reason in the report, the exit codes of server and client, and
/// the client's message.
type Case =
    (&'static [&'static str], &'static [&'static str], Done, &'static str, &'static str, i32, i32, &'static str);

/// How both ends saw the ending.
struct Seen {
    server: Ended,
    client: Ended,
    end: Value,
}

fn run(server: &[&str], client: &[&str], done: Done) -> Seen {
    let report = ReportFile::new();
    let mut server = Server::start(&[&["--once", "--json", report.name()], server].concat());
    let mut client = server.client(client);
    done(&mut server, &mut client);
    let client = client.end();
    Seen { server: server.end(), client, end: only_session(&report.read())["end"].clone() }
}

fn flows(server: &Server) {
    server.program.stdout.wait_for_count(5);
}

#[test]
fn both_ends_agree_on_how_a_session_ended() {
    let finishes: Done = |_, _| ();
    let stops_server: Done = |server, _| {
        flows(server);
        server.program.signal("INT");
    };
    let stops_client: Done = |server, client| {
        flows(server);
        client.signal("INT");
    };
    let cases: [Case; 3] = [
        (&["--frames", "10"], &[], finishes, "finished", "", 0, 0, "the server said bye: finished"),
        (&[], &[], stops_server, "stopped", "", 0, 0, "the server said bye: the server stops"),
        (&[], &[], stops_client, "client_left", "the client stops", 0, 0, "connected"),
    ];
    for (server, client, done, kind, reason, server_code, client_code, words) in cases {
        let seen = run(server, client, done);
        assert_eq!(seen.end["kind"], kind, "{:#?}", seen.end);
        assert!(seen.end["reason"].as_str().unwrap_or_default().contains(reason), "{}", seen.end);
        seen.client.expect(client_code).says(words);
        seen.server.expect(server_code);
    }
}

#[test]
fn both_ends_agree_that_a_client_cannot_do_the_task_and_the_wait_goes_on() {
    let seen = run(&["--task", "ack"], &["--pipeline", "hough"], |server, client| {
        client.stderr.wait_for("--pipeline ack or auto does");
        server.program.stdout.wait_for("the client left");
        server.program.signal("INT");
    });
    assert_eq!(seen.end["kind"], "client_left", "{}", seen.end);
    assert!(seen.end["reason"].as_str().is_some_and(|reason| reason.contains("task")), "{}", seen.end);
    seen.client.expect(2);
    // Stopped before there was a session.
    seen.server.expect(3);
}

#[test]
fn both_ends_agree_if_the_other_is_killed() {
    let seen = run(&[], &[], |server, client| {
        flows(server);
        client.signal("KILL");
    });
    assert_eq!(seen.end["kind"], "client_gone");
    let said = seen.end["reason"].as_str().expect("a reason").to_owned();
    assert!(said.starts_with("no message from it for ") || said.contains("closed"), "{said}");
    seen.server.expect(3);
}

/// Both ends over a line of 2 Mbit/s, on which a frame of 307,200 bytes takes 1.2 s.
fn slow(options: &[&str], done: Done) -> Seen {
    let report = ReportFile::new();
    let mut server = Server::start(&[&["--once", "--json", report.name()], options].concat());
    let slow = Impairments { rate: Some(SLOW), ..Impairments::default() };
    let relay = Relay::start(&server.address, 5, Both { to_client: slow, to_server: slow });
    let mut client = client(&relay.address.to_string(), &[]);
    done(&mut server, &mut client);
    let client = client.end();
    Seen { server: server.end(), client, end: only_session(&report.read())["end"].clone() }
}

#[test]
fn both_ends_agree_on_the_end_over_a_line_that_is_too_slow_for_the_frames() {
    // Reliable and raw: a megabyte is queued before the bye.
    let seen = slow(&["--frames", "12", "--deadline", "500ms"], |_, _| ());
    assert_eq!(seen.end["kind"], "finished", "{}; {:#?}; {:#?}", seen.end, seen.client, seen.server);
    seen.client.expect(0).says("the server said bye: finished");
    seen.server.expect(0);
}

#[test]
fn both_ends_agree_on_a_stop_over_a_line_that_is_too_slow_for_the_frames() {
    let seen = slow(&[], |server, client| {
        client.stderr.wait_for("connected");
        // By then, the first frames are lost and the lane is full.
        server.program.stdout.wait_for("  lost  ");
        server.program.signal("INT");
    });
    assert_eq!(seen.end["kind"], "stopped", "{}", seen.end);
    seen.client.expect(0).says("the server said bye: the server stops");
    assert!(seen.server.expect(0).elapsed < Duration::from_secs(5), "a stop must not wait for a slow line");

    let seen = slow(&[], |server, client| {
        server.program.stdout.wait_for("  lost  ");
        client.signal("INT");
    });
    assert_eq!(seen.end["kind"], "client_left", "{}", seen.end);
    seen.client.expect(0);
}

#[test]
fn a_client_with_slow_frames_counts_as_present_while_its_link_acknowledges() {
    // Three megabytes per frame take 12 s. In this time, the client has nothing to send, and the server's pings are
    // queued behind the frame.
    let seen = slow(&["--frames", "1", "--size", "1920x1080", "--deadline", "40s"], |_, _| ());
    assert_eq!(seen.end["kind"], "finished", "{}", seen.end);
    seen.client.expect(0);
}
