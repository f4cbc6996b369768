//! Ends that are killed at any moment of their start (`kill -9`).

use std::thread;
use std::time::Duration;

use testkit::ends::{Server, client};
use testkit::program::Program;
use testkit::report::rows;

use crate::LINKS;

/// Moments after the start of the client. Over loopback, opening a link takes 3 to 30 ms after the program has started.
/// The last moments are in the session.
const MOMENTS_MS: [u64; 12] = [0, 2, 4, 6, 8, 10, 15, 20, 30, 50, 100, 300];

#[test]
fn a_client_killed_at_any_moment_leaves_a_server_that_serves_the_next() {
    let server = Server::start(&["--frames", "30", "--max-sessions", "8"]);
    for link in LINKS {
        for moment in MOMENTS_MS {
            let mut client = server.client(&["--link", link]);
            thread::sleep(Duration::from_millis(moment));
            // The session may be over by then.
            if client.is_running() {
                client.signal("KILL");
            }
            client.end();
        }
        // The places of killed clients are free again once the server has noticed: the client waits for one.
        let next = server.client(&["--link", link]).end().expect(0);
        assert_eq!(rows(&next.stdout).len(), 30, "{link}");
    }
}

#[test]
fn a_server_killed_at_any_moment_is_noticed_by_its_client() {
    let killed = |link: &str, moment| -> Program {
        let mut server = Server::start(&["--frames", "600"]);
        let client = client(&server.address, &["--link", link, "--wait", "1s"]);
        thread::sleep(Duration::from_millis(moment));
        server.program.signal("KILL");
        client
    };
    for link in LINKS {
        // They wait side by side.
        let clients: Vec<_> = MOMENTS_MS.iter().map(|moment| (moment, killed(link, *moment))).collect();
        for (moment, client) in clients {
            let ended = client.end();
            assert_eq!(ended.code, Some(3), "{link}, {moment} ms: {ended:#?}");
        }
    }
}
