//! Every report follows the documented schema, and the schema detects a report that does not.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use server::run::RunSpec;
use shared::protocol::message::{BallCount, Payload};
use testkit::ends::Server;
use testkit::picture_client::{self, INVERTING};
use testkit::program::poll;
use testkit::report::{ReportFile, only_session, sessions};
use testkit::slow_client::SlowClient;

/// Environment variable. If it is set, the test writes the schema instead of comparing it.
const WRITE: &str = "PLUMB_WRITE_SCHEMA";

/// Where the repository documents the schema.
fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json")
}

/// The schema that the repository documents.
fn schema() -> Value {
    let file = File::open(path()).unwrap_or_else(|error| panic!("{}: {error}", path().display()));
    serde_json::from_reader(file).expect("the schema is JSON")
}

#[test]
fn the_documented_schema_equals_that_of_the_types() {
    let made = serde_json::to_string_pretty(&server::schema::report()).expect("a schema is JSON") + "\n";
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(path(), &made).expect("written");
    }
    let documented = std::fs::read_to_string(path()).expect("the schema");
    assert!(
        documented == made,
        "docs/report.schema.json is not that of the types: rewrite it with\n  \
         {WRITE}=1 cargo test -p server --test report_schema documented"
    );
}

#[test]
fn the_schema_describes_every_option_of_a_run_and_closes_every_object() {
    let schema = schema();
    let described = &schema["$defs"]["RunConfig"]["properties"];
    let options = RunSpec::augment_args(clap::Command::new("run"));
    for option in options.get_arguments() {
        assert!(described[option.get_id().as_str()]["description"].is_string(), "{}", option.get_id());
    }
    assert_eq!(described["noise"]["maximum"], 255, "{described:#}");
    assert_closed(&schema);
}

fn assert_closed(schema: &Value) {
    if schema["properties"].is_object() {
        assert_eq!(schema["additionalProperties"], false, "{schema:#}");
    }
    let parts = schema.as_object().into_iter().flat_map(|object| object.values());
    parts.chain(schema.as_array().into_iter().flatten()).for_each(assert_closed);
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
fn a_report_of_pictures_keeps_its_schema() {
    let report = ReportFile::new();
    let server = Server::start(&["--task", "image", "--once", "--frames", "9", "--json", report.name()]);
    picture_client::run(server.address.parse().expect("an address"), &INVERTING);
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
fn a_report_of_numbers_of_balls_keeps_its_schema() {
    // A single frame, which is not looked at: without any answer the shares are null.
    for frames in ["20", "1"] {
        let report = ReportFile::new();
        let server = Server::start(&["--task", "count", "--once", "--frames", frames, "--json", report.name()]);
        let peer = SlowClient { queue: Duration::ZERO, detect: Duration::ZERO, ahead_us: 0 };
        peer.run_with(server.address.parse().expect("an address"), |id| match id {
            0 => Payload::dropped(),
            _ => BallCount(3).write(),
        });
        server.end().expect(0);
        let report = report.read();
        keeps_the_schema(&report);
        assert_eq!(only_session(&report)["count"]["exact_share"].is_null(), frames == "1");
        let mut broken = report.clone();
        broken["sessions"][0]["count"]["surprise"] = 1.into();
        assert!(!jsonschema::validator_for(&schema()).expect("a sound schema").is_valid(&broken));
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
    for object in
        ["", "/run", "/run/config", "/run/config/camera", "/sessions/0", "/sessions/0/frames", "/sessions/0/end"]
    {
        let mut broken = whole.clone();
        broken.pointer_mut(object).unwrap_or_else(|| panic!("no {object}"))["surprise"] = 1.into();
        assert!(!validator.is_valid(&broken), "{object} may hold anything");
    }
    for (pointer, wrong) in [
        ("/schema", Value::from(2)),
        ("/run/seed", Value::Null),
        ("/run/config/pixel", Value::from("rgb24")),
        ("/run/config/noise", Value::from(-1)),
        ("/run/config/fps", Value::from("max")),
        ("/run/config/once", Value::Null),
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
