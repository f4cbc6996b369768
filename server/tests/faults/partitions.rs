//! A network that is cut, between two namespaces. Nothing tells either end.

use std::thread;
use std::time::Duration;

use serde_json::Value;
use testkit::ends::{Server, with};
use testkit::namespaces::{self, Pair};
use testkit::program::{Ended, Program, command};
use testkit::report::{ReportFile, only_session};

use crate::over_every_link;

/// Frames of a session: 15 s.
const FRAMES: u64 = 900;

/// What happened at both ends.
struct Seen {
    server: Ended,
    client: Ended,
    session: Value,
}

/// Runs a session whose network is cut for some time, or for good.
fn run(link: &str, time: Option<Duration>) -> Seen {
    let pair = Pair::new(["10.99.10.1/24", "10.99.10.2/24"]);
    let report = ReportFile::new();
    let frames = FRAMES.to_string();
    let options = ["--no-graphics", "--no-announce", "--listen", "10.99.10.1:9200", "--once", "--frames", &frames];
    let server = with(command("server"), &[&options[..], &["--json", report.name()]].concat());
    let server = Server::listening(Program::start(pair.inside(0, &server)));
    let mut client = command("client");
    client.args([&server.address, "--no-graphics", "--link", link]);
    let client = Program::start(pair.inside(1, &client));
    server.program.stdout.wait_for_count(10);
    pair.cut();
    if let Some(time) = time {
        thread::sleep(time);
        pair.mend();
    }
    let (client, server) = (client.end(), server.end());
    // Every frame is accounted for: reading the report checks it.
    Seen { server, client, session: only_session(&report.read()).clone() }
}

#[track_caller]
fn both_gave_up(link: &str, seen: Seen) {
    assert_eq!(seen.session["end"]["kind"], "client_gone", "{link}: {:#}", seen.session);
    seen.server.expect(3).says("the client is gone");
    seen.client.expect(3).says("the server is gone");
}

#[track_caller]
fn both_went_on(link: &str, seen: Seen) {
    assert_eq!(seen.session["frames"]["sent"], FRAMES, "{link}: {:#}", seen.session);
    seen.server.expect(0);
    seen.client.expect(0);
}

#[test]
fn a_session_outlives_a_partition_of_a_second_and_a_half_over_every_link() {
    if !namespaces::available() {
        return;
    }
    over_every_link(|link| both_went_on(link, run(link, Some(Duration::from_millis(1_500)))));
}

/// The silence that ends a session is 4 s. After 3 s, it depends on when the peer's kernel or SCTP sends again.
#[test]
fn after_a_partition_of_3_s_both_ends_go_on_or_both_give_up() {
    if !namespaces::available() {
        return;
    }
    over_every_link(|link| {
        let seen = run(link, Some(Duration::from_secs(3)));
        match seen.server.code {
            Some(0) => both_went_on(link, seen),
            _ => both_gave_up(link, seen),
        }
    });
}

#[test]
fn both_ends_give_up_in_a_partition_that_lasts_over_every_link() {
    if !namespaces::available() {
        return;
    }
    over_every_link(|link| both_gave_up(link, run(link, None)));
}
