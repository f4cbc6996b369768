//! Live delivery and packet sizes, in real processes.

use testkit::ends::Server;
use testkit::report::{ReportFile, only_session};

#[test]
fn in_live_delivery_every_frame_is_accounted_for() {
    let report = ReportFile::new();
    let options = ["--once", "--frames", "60", "--delivery", "live", "--size", "320x240", "--json", report.name()];
    let server = Server::start(&options);
    server.client(&[]).end().expect(0).says("the server said bye: finished");
    server.end().expect(0);
    // Conservation is checked when the report is read.
    let report = report.read();
    assert_eq!(report["run"]["config"]["delivery"], "live");
    assert_eq!(report["run"]["config"]["lifetime_us"], 33_333);
    let frames = &only_session(&report)["frames"];
    assert_eq!((&frames["sent"], &frames["duplicate"], &frames["invalid"]), (&60.into(), &0.into(), &0.into()));
    assert!(frames["circle"].as_u64().is_some_and(|circle| circle > 0), "{frames}");
}

#[test]
fn in_live_delivery_a_pipeline_that_drops_frames_still_answers_each() {
    let report = ReportFile::new();
    let options = ["--once", "--frames", "200", "--fps", "max", "--delivery", "live", "--json", report.name()];
    let server = Server::start(&options);
    server.client(&["--policy", "latest", "--workers", "1"]).end().expect(0);
    server.end().expect(0);
    assert_eq!(only_session(&report.read())["frames"]["sent"], 200);
}

#[test]
fn packets_have_the_smaller_size_of_both_ends() {
    for (server_mtu, client_mtu, agreed) in [("1400", "16000", "1400"), ("9000", "1300", "1300"), ("", "", "16000")] {
        let of = |mtu: &'static str| if mtu.is_empty() { vec![] } else { vec!["--sctp-mtu", mtu] };
        let server = Server::start(&[&["--once", "--frames", "5", "-vv"][..], &of(server_mtu)].concat());
        server.client(&of(client_mtu)).end().expect(0);
        let server = server.end().expect(0);
        let wanted = format!("packets of up to {agreed} bytes");
        assert!(server.stderr.iter().any(|line| line.contains(&wanted)), "no {wanted} in {:#?}", server.stderr);
    }
}
