//! Several clients: some at the same time, and some that keep the others out.

use std::io::{BufRead, BufReader, Read};
use std::net::{Shutdown, UdpSocket};

use testkit::ends::Server;
use testkit::processes::Holdings;
use testkit::program::{LIMIT, Program, command, poll};
use testkit::report::{ReportFile, only_session, sessions};

#[test]
fn two_clients_at_a_time_are_scored_on_the_same_frames() {
    let report = ReportFile::new();
    let mut server = Server::start(&["--frames", "60", "--json", report.name()]);
    let clients = [server.client(&["--workers", "1"]), server.client(&["--workers", "2"])];
    for client in clients {
        client.end().expect(0);
    }
    poll(|| (sessions(&report.try_read()?).len() == 2).then_some(())).expect("two reports");
    server.program.signal("INT");
    server.end().expect(0);
    let report = report.read();
    let [one, other] = sessions(&report) else { panic!("not two sessions: {report:#}") };
    assert_eq!((&one["frames"]["circle"], &other["frames"]["circle"]), (&60.into(), &60.into()));
    assert_eq!(one["error_px"], other["error_px"]);
    assert_ne!(one["client"]["address"], other["client"]["address"]);
}

#[test]
fn a_client_that_leaves_does_not_disturb_the_other() {
    let report = ReportFile::new();
    let mut server = Server::start(&["--frames", "60", "--json", report.name()]);
    let staying = server.client(&[]);
    let mut leaving = server.client(&[]);
    leaving.stdout.wait_for_count(5);
    leaving.signal("INT");
    leaving.end().expect(0);
    staying.end().expect(0);
    server.program.stderr.wait_for(": finished");
    server.program.signal("INT");
    server.end().expect(0);
    let report = report.read();
    let finished = sessions(&report).iter().find(|session| session["end"]["kind"] == "finished");
    assert_eq!(finished.expect("a whole session")["frames"]["circle"], 60);
}

#[test]
fn once_refuses_a_second_client_and_says_why() {
    let report = ReportFile::new();
    let server = Server::start(&["--once", "--json", report.name()]);
    let mut first = server.client(&[]);
    first.stdout.wait_for_count(2);
    server.client(&["--wait", "0s"]).end().expect(3).says("one client (--once)");
    // The first client is still served.
    first.stdout.wait_for_count(first.stdout.so_far().len() + 10);
    first.signal("INT");
    first.end().expect(0);
    server.end().expect(0);
    assert_eq!(only_session(&report.read())["end"]["kind"], "client_left");
}

#[test]
fn one_of_many_clients_is_served_and_each_other_ends_with_the_servers_reason() {
    let server = Server::start(&["--once", "--frames", "30"]);
    // Their links open at about the same time. Most are open when the first client has said hello.
    let clients: Vec<_> = (0..6).map(|_| server.client(&["--wait", "0s"])).collect();
    let (served, others): (Vec<_>, Vec<_>) =
        clients.into_iter().map(Program::end).partition(|client| client.code == Some(0));
    assert_eq!(served.len(), 1, "{served:#?}");
    for other in others {
        other.expect(3).says("this server serves one client (--once), which is here already");
    }
    server.end().expect(0);
}

#[test]
fn visitors_that_are_not_clients_do_not_use_up_the_only_session() {
    let server = Server::start(&["--once", "--frames", "5"]);
    drop(server.connect());
    let mut health = command("server");
    health.args(["health", &server.address]);
    Program::start(health).end().expect(0);
    // Stays connected and silent: it gets an offer and never answers it.
    let silent = server.connect();
    let mut offer = String::new();
    BufReader::new(&silent).read_line(&mut offer).expect("an offer");
    assert!(offer.contains(r#""type":"offer""#), "{offer}");
    server.client(&[]).end().expect(0);
    server.end().expect(0);
    drop(silent);
}

#[test]
fn a_client_killed_while_it_connects_leaves_room_for_the_next() {
    let server = Server::start(&["--once", "--frames", "5"]);
    let mut half = server.connect();
    std::io::Write::write_all(&mut half, b"{\"type\":\"hello\",\"plumb\":1,\"role\":\"sink\"}\n").expect("sent");
    let mut offer = String::new();
    BufReader::new(&half).read_line(&mut offer).expect("an offer");
    half.shutdown(Shutdown::Both).expect("still open");
    server.program.stderr.wait_for("closed the signaling connection");
    server.client(&[]).end().expect(0);
    server.end().expect(0);
}

#[test]
fn a_client_without_a_free_udp_port_gets_the_reason() {
    let free = UdpSocket::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address").port();
    let server = Server::start(&["--udp-port", &free.to_string()]);
    let first = server.client(&[]);
    first.stdout.wait_for_count(3);
    server.client(&["--wait", "0s"]).end().expect(3).says("no free UDP port");
    // A waiting client gets the place once it is free.
    let mut second = server.client(&[]);
    second.stderr.wait_for("no free UDP port");
    drop(first);
    second.stdout.wait_for_count(3);
    second.signal("INT");
    second.end().expect(0);
}

#[test]
fn many_clients_one_after_the_other_leave_nothing_behind() {
    let mut server = Server::start(&["--frames", "3", "--fps", "max"]);
    let descriptors = |id: u32| Holdings::of(id).expect("Linux").descriptors;
    server.client(&[]).end().expect(0);
    let settled = poll(|| Some(descriptors(server.program.id()))).expect("a count");
    for _ in 0..8 {
        server.client(&[]).end().expect(0);
    }
    // A session's sockets close in the background.
    let back = poll(|| (descriptors(server.program.id()) <= settled).then_some(()));
    assert!(back.is_some(), "{} descriptors, {settled} after the first client", descriptors(server.program.id()));
    assert!(server.program.is_running());
}

#[test]
fn a_bare_connection_can_be_read_to_its_end() {
    let server = Server::start(&["--once", "--frames", "3"]);
    let mut bare = server.connect();
    std::io::Write::write_all(&mut bare, b"{\"type\":\"ping\"}\n").expect("sent");
    let mut said = String::new();
    bare.set_read_timeout(Some(LIMIT)).expect("a limit");
    bare.read_to_string(&mut said).expect("closed by the server");
    let pong: serde_json::Value = serde_json::from_str(&said).expect("one line of JSON");
    assert_eq!(pong["type"], "pong");
    assert!(pong["name"].is_string() && pong["id"].is_string(), "{pong}");
}

#[test]
fn a_stuck_client_costs_the_others_nothing() {
    let report = ReportFile::new();
    let mut server = Server::start(&["--frames", "90", "--fps", "30", "--json", report.name()]);
    let mut stuck = server.client(&[]);
    stuck.stdout.wait_for_count(3);
    // More clients than most test machines have cores, so one of them shares the stuck client's thread.
    let others: Vec<_> = (0..3).map(|_| server.client(&["--workers", "1"])).collect();
    others.iter().for_each(|other| other.stdout.wait_for_count(3));
    stuck.signal("STOP");
    for other in others {
        other.end().expect(0);
    }
    stuck.signal("KILL");
    poll(|| (sessions(&report.try_read()?).len() == 4).then_some(())).expect("four reports");
    server.program.signal("INT");
    server.end().expect(0);
    let report = report.read();
    let whole: Vec<_> = sessions(&report).iter().filter(|session| session["end"]["kind"] == "finished").collect();
    assert_eq!(whole.len(), 3, "{report:#}");
    for session in whole {
        assert_eq!((&session["frames"]["circle"], &session["frames"]["lost"]), (&90.into(), &0.into()), "{session:#}");
    }
}
