//! Ends that are stopped (SIGSTOP) and go on later: for less time than the other waits, until the other has left, and for
//! long.

use std::thread;
use std::time::Duration;

use testkit::ends::Server;
use testkit::program::Program;
use testkit::report::{ReportFile, only_session, sessions};

use crate::over_every_link;

#[derive(Clone, Copy, Debug)]
enum Stopped {
    Server,
    Client,
}

impl Stopped {
    const BOTH: [Self; 2] = [Self::Server, Self::Client];

    fn stop(self, server: &mut Server, client: &mut Program, meanwhile: impl FnOnce(&mut Server, &mut Program)) {
        self.of(server, client).signal("STOP");
        meanwhile(server, client);
        self.of(server, client).signal("CONT");
    }

    fn of<'a>(self, server: &'a mut Server, client: &'a mut Program) -> &'a mut Program {
        match self {
            Self::Server => &mut server.program,
            Self::Client => client,
        }
    }
}

/// An end may be silent for 4 s. These 3 s leave a busy machine one more.
#[test]
fn an_end_stopped_for_3_s_goes_on_over_every_link() {
    over_every_link(|link| {
        for stopped in Stopped::BOTH {
            let report = ReportFile::new();
            let options = ["--once", "--frames", "200", "--deadline", "30s", "--json", report.name()];
            let mut server = Server::start(&options);
            let mut client = server.client(&["--link", link]);
            server.program.stdout.wait_for_count(10);
            stopped.stop(&mut server, &mut client, |_, _| thread::sleep(Duration::from_secs(3)));
            client.end().expect(0);
            server.end().expect(0);
            let report = report.read();
            assert_eq!(only_session(&report)["frames"]["circle"], 200, "{link}, {stopped:?}: {report:#}");
        }
    });
}

/// Over TCP and gRPC, the kernel of a stopped client goes on taking bytes, until its buffer is full.
#[test]
fn a_client_that_stays_stopped_is_given_up_over_every_link_with_one_line_that_says_why() {
    over_every_link(|link| {
        let report = ReportFile::new();
        let mut server = Server::start(&["--json", report.name()]);
        let mut client = server.client(&["--link", link]);
        server.program.stdout.wait_for_count(10);
        let gone = "session 1: the client is gone: no message from it for ";
        Stopped::Client.stop(&mut server, &mut client, |server, _| {
            server.program.stderr.wait_for(gone);
        });
        client.end().expect(3).says("the server is gone: ");
        // The next client is served.
        let next = server.client(&["--link", link]);
        next.stdout.wait_for_count(10);
        server.program.signal("INT");
        next.end().expect(0);
        let said = server.end().expect(0).stderr;
        assert_eq!(said.iter().filter(|line| line.contains("gone")).count(), 1, "{link}: {said:#?}");
        // Reading the report checks that every frame is accounted for.
        let report = report.read();
        assert_eq!(sessions(&report)[0]["end"]["kind"], "client_gone", "{link}: {report:#}");
    });
}

#[test]
fn a_server_that_stays_stopped_has_lost_its_client_over_every_link() {
    over_every_link(|link| {
        let mut server = Server::start(&["--once"]);
        let mut client = server.client(&["--link", link]);
        client.stdout.wait_for_count(10);
        Stopped::Server.stop(&mut server, &mut client, |_, client| {
            client.stderr.wait_for("the server is gone: no message from it for ");
        });
        client.end().expect(3);
        server.end().expect(3).says("the client is gone: ");
    });
}

#[test]
#[ignore = "takes 30 s: .ci/long"]
fn an_end_stopped_for_30_s_has_lost_the_other_over_every_link() {
    over_every_link(|link| {
        thread::scope(|scope| {
            for stopped in Stopped::BOTH {
                scope.spawn(move || {
                    let report = ReportFile::new();
                    let mut server = Server::start(&["--once", "--json", report.name()]);
                    let mut client = server.client(&["--link", link]);
                    server.program.stdout.wait_for_count(10);
                    stopped.stop(&mut server, &mut client, |_, _| thread::sleep(Duration::from_secs(30)));
                    client.end().expect(3).says("the server is gone: ");
                    server.end().expect(3).says("the client is gone: ");
                    let report = report.read();
                    assert_eq!(only_session(&report)["end"]["kind"], "client_gone", "{link}, {stopped:?}: {report:#}");
                });
            }
        });
    });
}
