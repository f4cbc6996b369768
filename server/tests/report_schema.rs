//! Every report keeps the documented schema, and the schema notices one that does not.

use std::fs::File;
use std::path::Path;

use serde_json::Value;
use testkit::ends::Server;
use testkit::program::poll;
use testkit::report::{ReportFile, only_session, sessions};

/// The schema that the repository documents.
fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_reader(file).expect("the schema is JSON")
}

#[track_caller]
fn keeps_the_schema(report: &Value) {
    let schema = schema();
    jsonschema::meta::validate(&schema).expect("a sound schema");
    let validator = jsonschema::validator_for(&schema).expect("a sound schema");
    let faults: Vec<_> =
        validator.iter_errors(report).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}\nin {report:#}");
}

#[test]
fn a_report_keeps_its_documented_schema() {
    let report = ReportFile::new();
    let server = Server::start(&["--once", "--frames", "20", "--json", report.name()]);
    server.client(&[]).end().expect(0);
    server.end().expect(0);
    keeps_the_schema(&report.read());
}

#[test]
fn a_report_keeps_its_schema_with_effects() {
    for effects in [
        &["--noise", "4", "--empty-rate", "0.3", "--radius", "10..30"],
        &["--jpeg", "70", "--background", "clutter", "--border"],
    ] as [&[&str]; 2]
    {
        let report = ReportFile::new();
        let options = ["--once", "--frames", "20", "--json", report.name()];
        let server = Server::start(&[&options, effects].concat());
        server.client(&[]).end().expect(0);
        server.end().expect(0);
        keeps_the_schema(&report.read());
    }
}

#[test]
fn a_report_keeps_its_schema_where_figures_are_missing() {
    // No session; one frame, so no rate; a client that left before any score; no end given.
    let report = ReportFile::new();
    let mut server = Server::start(&["--json", report.name(), "--fps", "max", "--pixel", "bgr8", "--duration", "1h"]);
    keeps_the_schema(&report.read());
    let mut client = server.client(&[]);
    client.stdout.wait_for_count(3);
    client.signal("KILL");
    poll(|| (sessions(&report.try_read()?).len() == 1).then_some(())).expect("the session's report");
    server.program.signal("INT");
    server.end().expect(0);
    keeps_the_schema(&report.read());

    let report = ReportFile::new();
    let server = Server::start(&["--once", "--frames", "1", "--json", report.name()]);
    server.client(&["--min-radius", "50", "--max-radius", "60"]).end().expect(0);
    server.end().expect(0);
    let report = report.read();
    keeps_the_schema(&report);
    let session = only_session(&report);
    assert_eq!((&session["frames"]["no_circle"], &session["fps"]["sent"]), (&1.into(), &Value::Null));
    assert_eq!(session["error_px"]["l1"]["mean"], Value::Null);
}

#[test]
fn the_schema_notices_a_report_that_breaks_it() {
    let report = ReportFile::new();
    let server = Server::start(&["--once", "--frames", "2", "--json", report.name()]);
    server.client(&[]).end().expect(0);
    server.end().expect(0);
    let validator = jsonschema::validator_for(&schema()).expect("a sound schema");
    let whole = report.read();
    for (pointer, wrong) in [
        ("/schema", Value::from(2)),
        ("/run/seed", Value::Null),
        ("/sessions/0/frames/sent", Value::from(-1)),
        ("/sessions/0/frames/sent", Value::from(1.5)),
        ("/sessions/0/error_px/l1/mean", Value::from("NaN")),
        ("/sessions/0/latency_us/stages/detect", Value::Null),
        ("/sessions/0/end/kind", Value::from("exploded")),
    ] {
        let mut broken = whole.clone();
        *broken.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = wrong;
        assert!(!validator.is_valid(&broken), "{pointer} may be anything");
    }
}
