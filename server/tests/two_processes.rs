//! A server and a client in two processes run a session to a good end.

use std::io::Write;
use std::net::TcpListener;

use testkit::ends::{Server, client, free_address, with};
use testkit::program::{Program, command};
use testkit::report::{ReportFile, only_session, rows, sessions};

/// Four times the worst error of the detector's own tests on clean discs, in px.
const GOOD_ERROR_PX: f64 = 0.05;

#[test]
fn every_frame_is_answered_and_scored() {
    let report = ReportFile::new();
    let server = Server::start(&["--once", "--frames", "40", "--json", report.name()]);
    let client = server.client(&[]).end().expect(0).says("the server said bye: finished");
    let server = server.end().expect(0);
    assert_eq!(rows(&server.stdout).len(), 40, "{:#?}", server.stdout);
    assert_eq!(rows(&client.stdout).len(), 40, "{:#?}", client.stdout);
    assert!(client.stdout.last().is_some_and(|line| line.starts_with("40 frames received: 40 circle")));
    let report = report.read();
    let session = only_session(&report);
    assert_eq!(session["frames"]["circle"], 40);
    let worst_px = session["error_px"]["l1"]["max"].as_f64().expect("an error");
    assert!(worst_px < GOOD_ERROR_PX, "off by {worst_px} px");
}

#[test]
fn a_client_started_first_waits_for_its_server() {
    let address = free_address().to_string();
    let client = client(&address, &[]);
    client.stderr.wait_for("waiting for a server");
    let server = Server::start(&["--once", "--frames", "10", "--listen", &address]);
    assert_eq!(rows(&client.end().expect(0).stdout).len(), 10);
    server.end().expect(0);
}

#[test]
fn a_client_stops_waiting_when_its_time_is_over() {
    let address = free_address().to_string();
    client(&address, &["--wait", "200ms"]).end().expect(3).says("no server at");
}

#[test]
fn the_same_seed_gives_the_same_errors_to_the_last_digit() {
    let errors = |seed: &str| {
        let report = ReportFile::new();
        let server =
            Server::start(&["--once", "--frames", "60", "--fps", "max", "--seed", seed, "--json", report.name()]);
        server.client(&["--workers", "2"]).end().expect(0);
        server.end().expect(0);
        only_session(&report.read())["error_px"].to_string()
    };
    let first = errors("7");
    assert_eq!(errors("7"), first);
    assert_ne!(errors("8"), first);
}

#[test]
fn every_encoding_gives_the_same_errors_to_the_last_digit() {
    let run = |encoding: &str| {
        let report = ReportFile::new();
        let options = ["--once", "--frames", "60", "--fps", "max", "--seed", "7", "--encoding", encoding];
        let server = Server::start(&[&options[..], &["--json", report.name()]].concat());
        server.client(&[]).end().expect(0);
        server.end().expect(0);
        let report = report.read();
        assert_eq!(report["run"]["config"]["encoding"], encoding);
        let session = only_session(&report);
        let bytes = |name: &str| session["bytes"][name].as_u64().expect("a count");
        assert_eq!(bytes("frames_raw"), 60 * 640 * 480);
        (session["error_px"].to_string(), bytes("frames_wire"), bytes("frames_raw"))
    };
    let (errors, wire, raw) = run("raw");
    assert!((raw..raw + raw / 100).contains(&wire), "{wire} bytes of {raw}");
    let (lz4_errors, wire, raw) = run("lz4");
    assert_eq!(lz4_errors, errors);
    assert!(wire < raw / 100, "{wire} bytes of {raw}");
    // Any encoding will do: the choice depends on the machine.
    assert_eq!(run("auto").0, errors);
}

#[test]
fn the_latest_policy_drops_frames_and_says_so() {
    let report = ReportFile::new();
    let options = ["--once", "--frames", "300", "--fps", "max", "--size", "1280x960", "--json", report.name()];
    let server = Server::start(&options);
    let client = server.client(&["--policy", "latest", "--workers", "1"]).end().expect(0);
    server.end().expect(0);
    assert_eq!(rows(&client.stdout).len(), 300);
    let report = report.read();
    let frames = &only_session(&report)["frames"];
    let count = |name: &str| frames[name].as_u64().expect("a count");
    assert_eq!(count("circle") + count("dropped"), 300, "{frames}");
    assert!(count("dropped") > 0, "eight unanswered frames and one worker leave some to drop: {frames}");
    assert_eq!(client.stdout.iter().filter(|line| line.ends_with(" dropped")).count() as u64, count("dropped"));
}

#[test]
fn colour_and_odd_sizes_are_measured_too() {
    for (size, pixel, radius) in [("321x239", "bgr8", "20"), ("64x48", "gray8", "9.5"), ("47x301", "bgr8", "10")] {
        let report = ReportFile::new();
        let server = Server::start(&[
            "--once",
            "--frames",
            "20",
            "--size",
            size,
            "--pixel",
            pixel,
            "--radius",
            radius,
            "--speed",
            "90",
            "--json",
            report.name(),
        ]);
        server.client(&[]).end().expect(0);
        server.end().expect(0);
        let report = report.read();
        let session = only_session(&report);
        assert_eq!(session["frames"]["circle"], 20, "{size} {pixel}: {session:#}");
        let worst_px = session["error_px"]["l1"]["max"].as_f64().expect("an error");
        assert!(worst_px < GOOD_ERROR_PX, "{size} {pixel}: off by {worst_px} px");
    }
}

#[test]
fn a_server_goes_on_to_the_next_client() {
    let report = ReportFile::new();
    let mut server = Server::start(&["--frames", "10", "--json", report.name()]);
    for _ in 0..3 {
        server.client(&[]).end().expect(0);
    }
    server.program.stderr.wait_for("session 3: finished");
    server.program.signal("INT");
    server.end().expect(0);
    let report = report.read();
    let finished = sessions(&report).iter().filter(|session| session["frames"]["circle"] == 10);
    assert_eq!(finished.count(), 3);
}

#[test]
fn a_duration_ends_a_session() {
    let report = ReportFile::new();
    let server = Server::start(&["--once", "--duration", "300ms", "--json", report.name()]);
    server.client(&[]).end().expect(0);
    server.end().expect(0);
    let report = report.read();
    let session = only_session(&report);
    assert_eq!(session["end"]["kind"], "finished");
    // 60 Hz for 0.3 s, including the ticks at both ends. Each tick sent a frame or is reported as skipped.
    let ticks = |name: &str| session["frames"][name].as_u64().expect("a count");
    assert!((18..=19).contains(&(ticks("sent") + ticks("skipped"))), "{session:#}");
}

#[test]
fn a_loopback_run_needs_no_second_program_and_no_port() {
    let mut server = command("server");
    server.args(["--loopback", "--no-graphics", "--frames", "10"]);
    let server = Program::start(server).end().expect(0);
    assert_eq!(rows(&server.stdout).len(), 10);
}

#[test]
fn options_can_come_from_the_environment() {
    let report = ReportFile::new();
    let mut server = command("server");
    server.env("PLUMB_LISTEN", "127.0.0.1:0").env("PLUMB_ONCE", "1").env("PLUMB_NO_GRAPHICS", "true");
    server
        .env("PLUMB_LOOPBACK", "0")
        .env("PLUMB_QUIET", "")
        .env("PLUMB_FRAMES", "5")
        .env("PLUMB_SIZE", "320x240")
        .env("PLUMB_SEED", "3");
    server.env("PLUMB_JSON", report.path());
    let server = Server::listening(Program::start(server));
    let mut client = command("client");
    client.env("PLUMB_SERVER", &server.address).env("PLUMB_NO_GRAPHICS", "1").env("PLUMB_WORKERS", "1");
    Program::start(client).end().expect(0);
    server.end().expect(0);
    let report = report.read();
    assert_eq!((&report["run"]["seed"], &report["run"]["config"]["width"]), (&3.into(), &320.into()));
    assert_eq!(only_session(&report)["frames"]["circle"], 5);
}

#[test]
fn health_tells_whether_a_server_is_there() {
    let server = Server::start(&[]);
    let health = |address: &str| {
        let mut health = command("server");
        health.args(["health", address]);
        Program::start(health).end()
    };
    health(&server.address).expect(0);
    let report = health(&free_address().to_string()).expect(3);
    assert_eq!(report.stderr.len(), 1, "one line: {:#?}", report.stderr);
}

#[test]
fn health_does_not_mistake_another_service_for_a_server() {
    for answer in ["", "HTTP/1.1 200 OK\r\n\r\n", "{\"type\":\"ping\"}\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut health = command("server");
        health.args(["health", &listener.local_addr().expect("its address").to_string()]);
        let health = Program::start(health);
        let (mut visitor, _) = listener.accept().expect("a visitor");
        visitor.write_all(answer.as_bytes()).expect("sent");
        assert_eq!(health.end().expect(3).stderr.len(), 1);
    }
}

#[test]
fn health_is_answered_while_a_client_is_served() {
    let server = Server::start(&["--once"]);
    let client = server.client(&[]);
    client.stdout.wait_for_count(3);
    let mut health = command("server");
    health.env("PLUMB_LISTEN", &server.address).arg("health");
    Program::start(health).end().expect(0);
    drop(client);
}

#[test]
fn a_quiet_server_says_nothing_on_stderr() {
    let mut server = with(command("server"), &["--loopback", "--no-graphics", "--frames", "5", "--quiet"]);
    server.env_remove("DISPLAY");
    let server = Program::start(server).end().expect(0);
    assert_eq!(server.stderr, Vec::<String>::new());
}
