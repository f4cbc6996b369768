//! Ends that are stopped for longer than the other waits (SIGSTOP), and then go on.

use std::thread;
use std::time::Duration;

use serde_json::Value;
use testkit::ends::Server;
use testkit::program::Ended;
use testkit::report::{ReportFile, only_session};

/// What happened at both ends.
struct Seen {
    server: Ended,
    client: Ended,
    session: Value,
}

#[derive(Clone, Copy)]
enum Stopped {
    Server,
    Client,
}

/// Runs a session of 15 s, in which one end is stopped for some time.
fn run(link: &str, stopped: Stopped, time: Duration) -> Seen {
    let report = ReportFile::new();
    let mut server = Server::start(&["--once", "--frames", "900", "--json", report.name()]);
    let mut client = server.client(&["--link", link]);
    server.program.stdout.wait_for_count(10);
    let program = match stopped {
        Stopped::Server => &mut server.program,
        Stopped::Client => &mut client,
    };
    program.signal("STOP");
    thread::sleep(time);
    program.signal("CONT");
    let (client, server) = (client.end(), server.end());
    Seen { server, client, session: only_session(&report.read()).clone() }
}

/// Both ends end with 3, say that the other is gone, and the report says so too.
#[track_caller]
fn both_gave_up(seen: Seen) {
    seen.server.expect(3).says("the client is gone");
    seen.client.expect(3).says("the server is gone");
    assert_eq!(seen.session["end"]["kind"], "client_gone", "{:#}", seen.session);
}

fn over_every_link(of: impl Fn(&str) + Sync) {
    thread::scope(|scope| {
        for link in ["webrtc", "tcp", "grpc"] {
            let of = &of;
            scope.spawn(move || of(link));
        }
    });
}

#[test]
fn a_server_stopped_for_6_s_has_lost_its_client_over_every_link() {
    over_every_link(|link| both_gave_up(run(link, Stopped::Server, Duration::from_secs(6))));
}

/// Over TCP and gRPC, the kernel of a client that is stopped takes bytes until its buffer is full. So the server waits
/// longer for it, and it depends on the buffer whether 6 s are too long.
#[test]
fn a_client_stopped_for_6_s_is_given_up_over_webrtc_and_every_frame_is_accounted_for_over_the_others() {
    over_every_link(|link| {
        let seen = run(link, Stopped::Client, Duration::from_secs(6));
        if link == "webrtc" || seen.server.code == Some(3) {
            return both_gave_up(seen);
        }
        seen.server.expect(0);
        seen.client.expect(0);
        assert_eq!(seen.session["frames"]["sent"], 900, "{:#}", seen.session);
    });
}

#[test]
#[ignore = "takes 30 s: .ci/long"]
fn an_end_stopped_for_30_s_has_lost_the_other_over_every_link() {
    for stopped in [Stopped::Server, Stopped::Client] {
        over_every_link(|link| both_gave_up(run(link, stopped, Duration::from_secs(30))));
    }
}
