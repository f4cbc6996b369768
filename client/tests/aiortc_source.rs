//! A source of frames that is not Plumb: aiortc. The descriptions of its oldest version have another form.
//!
//! The virtual environments are created once, in the target folder, from the files of `bench/peers`.

use std::path::Path;
use std::process::Command;

use testkit::ends;
use testkit::peers::{self, AIORTC};
use testkit::program::Program;

/// Position of the source's disc, in px.
const CENTRE: (f64, f64) = (160.0, 120.0);

#[test]
fn a_client_answers_the_frames_of_a_source_that_describes_data_channels_in_the_old_form() {
    answers_the_frames_of(AIORTC[0]);
}

#[test]
fn a_client_answers_the_frames_of_later_sources() {
    for version in &AIORTC[1..] {
        answers_the_frames_of(version);
    }
}

fn answers_the_frames_of(version: &str) {
    let python = peers::aiortc(Path::new(env!("CARGO_TARGET_TMPDIR")), version);
    let mut source = Command::new(python.unwrap_or_else(|error| panic!("{error}")));
    source.arg(peers::file("aiortc_source.py")).arg("5");
    let source = Program::start(source);
    let line = source.stdout.wait_for("listening on ");
    let port = line.rsplit(' ').next().expect("a port");

    let client = ends::client(&format!("127.0.0.1:{port}"), &[]);
    client.end().expect(0).says("connected to");
    let source = source.end().expect(0);
    let answers: Vec<serde_json::Value> = serde_json::from_str(source.stdout.last().expect("answers")).expect("JSON");
    assert_eq!(answers.len(), 5);
    for answer in answers {
        let off = |axis: &str, is: f64| (answer[axis].as_f64().expect("a coordinate") - is).abs();
        // The disc has a rim of one pixel, so this is far more than the detector's error.
        assert!(answer["kind"] == "circle" && off("x", CENTRE.0) < 0.1 && off("y", CENTRE.1) < 0.1, "{answer}");
    }
}
