//! Gates, end to end: each planted defect fails its gate with exit code 1, and the same run without it passes.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use client::commands::Commands;
use client::config::{Config, Server as Target, ServerAddress, Wait};
use client::pipeline::hough::Hough;
use client::pipeline::{CircleKind, Detector, Estimate, PipelineChoice, PipelineOptions};
use client::view::NoView;
use client::workers::Policy;
use ndarray::ArrayView2;
use serde_json::Value;
use shared::geometry::{Circle, Covariance};
use shared::shell::exit::Exit;
use shared::shell::runtime;
use shared::shell::stop::stop_pair;
use testkit::ends::{Server, with};
use testkit::program::{Program, command};
use testkit::report::{ReportFile, only_session};

/// A defect of a detector.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Defect {
    None,
    /// Each centre is 0.3 px too far to the right.
    Bias,
    /// Every tenth answer takes 30 ms longer.
    Slow,
    /// Every twentieth answer comes after the deadline of 1 s.
    Silent,
    /// The covariances are a quarter of what they should be.
    Boastful,
}

/// Plumb's detector with a defect.
struct Defective {
    inner: Hough,
    defect: Defect,
    frames: AtomicU64,
}

macro_rules! kind {
    ($name:literal, $defect:expr) => {
        CircleKind {
            name: $name,
            detector: |limits| {
                Box::new(Defective { inner: Hough::new(limits), defect: $defect, frames: AtomicU64::new(0) })
            },
            counting: None,
        }
    };
}

static SOUND: CircleKind = kind!("sound", Defect::None);
static BIASED: CircleKind = kind!("biased", Defect::Bias);
static SLOW: CircleKind = kind!("slow", Defect::Slow);
static SILENT: CircleKind = kind!("silent", Defect::Silent);
static BOASTFUL: CircleKind = kind!("boastful", Defect::Boastful);

impl Detector for Defective {
    fn name(&self) -> &'static str {
        "defective"
    }

    fn detect(&mut self, gray: ArrayView2<'_, u8>) -> Option<Estimate> {
        let frame = self.frames.fetch_add(1, Ordering::Relaxed);
        let estimate = self.inner.detect(gray)?;
        let Estimate { circle, covariance, .. } = estimate;
        Some(match self.defect {
            Defect::None => estimate,
            Defect::Bias => Estimate { circle: Circle { x: circle.x + 0.3, ..circle }, ..estimate },
            Defect::Boastful => {
                let quarter = |Covariance { xx, xy, yy }| Covariance { xx: xx / 4.0, xy: xy / 4.0, yy: yy / 4.0 };
                Estimate { covariance: covariance.map(quarter), ..estimate }
            }
            Defect::Slow | Defect::Silent => {
                let (every, long) = if self.defect == Defect::Slow { (10, 30) } else { (20, 1_200) };
                if frame % every == every - 1 {
                    sleep(Duration::from_millis(long));
                }
                estimate
            }
        })
    }
}

/// Runs a session with a detector of this kind against the server.
fn run(server: &Server, kind: &'static CircleKind) {
    let config = Config {
        server: Target::Named(ServerAddress(server.address.clone())),
        wait: Wait::Forever,
        link: shared::link::Kind::Webrtc,
        admission: shared::door::admission::Admission::default(),
        tls: shared::tls::Tls::default(),
        sctp_mtu: None,
        pull: false,
        pipeline: PipelineChoice::of(kind, PipelineOptions::default()),
        workers: 1.try_into().expect("one"),
        policy: Policy::Every,
    };
    let (_stopper, stop) = stop_pair();
    let runtime = runtime::start().expect("a runtime");
    assert_eq!(runtime.block_on(client::app::session(&config, &mut NoView, stop, Commands::none())), Exit::Fine);
}

/// Asserts that a gate passes with our detector and fails with exit code 1 with a defective one. The doctor names the
/// defect, and `shows` finds it in `report.html`.
#[track_caller]
fn assert_gate_finds(
    gate: &str,
    kind: &'static CircleKind,
    warning: &str,
    options: &[&str],
    shows: impl Fn(&str) -> bool,
) {
    for (kind, code, verdict) in [(&SOUND, 0, "pass"), (kind, 1, "fail")] {
        let report = ReportFile::new();
        let inside = tempfile::tempdir().expect("a temporary directory");
        let folder = inside.path().join("run");
        let always = ["--once", "--size", "320x240", "--seed", "7", "--noise", "10", "--json"];
        let out = ["--out", folder.to_str().expect("UTF-8")];
        let server = Server::start(&[&always[..], &[report.name(), "--gate", gate], &out, options].concat());
        run(&server, kind);
        let ended = server.end().expect(code);
        let report = report.read();
        let session = only_session(&report);
        let warnings: Vec<_> = session["warnings"].as_array().expect("warnings").iter().map(|w| &w["kind"]).collect();
        assert_eq!(warnings.contains(&&warning.into()), code == 1, "{}: {warnings:?}", kind.name);
        let judged = &session["gates"][0];
        assert_eq!(judged["verdict"], verdict, "{}: {judged:#}", kind.name);
        assert_eq!(report["gates"][0], *judged);
        let shown = if code == 0 { "pass: " } else { "FAIL: " };
        let line = format!("{shown}{}", judged["message"].as_str().expect("words"));
        assert!(ended.stdout.iter().any(|summary| summary.contains(&line)), "no {line} in {:#?}", ended.stdout);
        if code == 1 {
            ended.says("failed in session 1: ");
        }
        let page = fs::read_to_string(folder.join("report.html")).expect("a page");
        assert!(page.contains(&format!("data-verdict=\"{verdict}\"")), "the page shows the verdict");
        assert_eq!(page.contains(&format!("data-warning=\"{warning}\"")), code == 1, "the page shows the warning");
        assert_eq!(shows(&page), code == 1, "{}: the chart shows the defect", kind.name);
    }
}

/// A number that follows these words in a page.
fn after(page: &str, words: &str) -> f64 {
    let text = page.split(words).nth(1).unwrap_or_else(|| panic!("no {words}"));
    let digits = text.trim_start_matches('\u{2212}').split(|c: char| c != '.' && !c.is_ascii_digit()).next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("no number after {words}"))
}

#[test]
fn a_bias_of_a_third_of_a_pixel_fails_a_gate_on_the_error() {
    assert_gate_finds(
        "error_px.l1.mean <= 0.05 px",
        &BIASED,
        "constant_bias",
        &["--fps", "max", "--frames", "200"],
        |page| after(page, "Bias (") > 0.25,
    );
}

#[test]
fn a_delay_of_every_tenth_answer_fails_a_gate_on_a_percentile() {
    assert_gate_finds(
        "latency_us.stages.detect.p95 <= 25ms",
        &SLOW,
        "slow_answers",
        // At this rate no frame waits behind a slow one, so the time is the detector's own.
        &["--fps", "20", "--frames", "200"],
        |page| page.contains("\u{201c}detect\u{201d} takes") && after(page, "\u{201c}detect\u{201d} takes ") > 20.0,
    );
}

#[test]
fn missing_answers_fail_a_gate_on_the_losses() {
    // The frames that wait behind a late answer are late too.
    assert_gate_finds(
        "frames.lost_rate <= 3%",
        &SILENT,
        "frames_lost",
        &["--frames", "120", "--fps", "max", "--deadline", "1s"],
        |page| page.contains("not answered: ") && after(page, "not answered: ") >= 5.0,
    );
}

#[test]
fn too_small_covariances_fail_a_gate_on_nees() {
    assert_gate_finds("error_px.nees <= 1.5", &BOASTFUL, "covariance", &["--fps", "max", "--frames", "200"], |page| {
        after(page, "The ellipse by the answers' covariances is ") < 0.7
    });
}

/// The end of a loopback run with these options.
fn loopback(options: &[&str]) -> testkit::program::Ended {
    let always = ["--loopback", "--link", "memory", "--no-graphics", "--fps", "max", "--seed", "7", "--size", "64x48"];
    Program::start(with(command("server"), &[&always[..], options].concat())).end()
}

#[test]
fn an_unknown_path_and_a_wrong_condition_are_wrong_usage() {
    for (gate, words) in [
        (
            "error_px.l1.maen <= 0.05",
            "--gate: the report has no figure error_px.l1.maen: the nearest are error_px.l1.mean",
        ),
        ("count.exact_share >= 90%", "--gate: count.exact_share is a figure of the task count"),
        ("error_px.l1.mean", "--gate: \"error_px.l1.mean\" is not a condition: one of < <= > >= == != was expected at"),
        ("error_px.l1.mean <= 5ms", "is not a time, so its limit cannot be in ms"),
    ] {
        loopback(&["--frames", "9", "--gate", gate]).expect(2).says(words);
    }
}

#[test]
fn an_inconclusive_gate_says_how_many_frames_would_decide_and_fails_with_strict() {
    let gate = ["--frames", "30", "--gate", "frames.missed <= 1%"];
    let says = "does not decide <= 1 %: about 299 frames would decide";
    let ended = loopback(&gate).expect(0);
    assert!(
        ended.stdout.iter().any(|line| line.contains("inconclusive: ") && line.contains(says)),
        "{:#?}",
        ended.stdout
    );
    loopback(&[&gate[..], &["--strict"]].concat()).expect(1).says(says);
    loopback(&["--frames", "299", "--strict", "--gate", "frames.missed <= 1%"]).expect(0);
}

#[test]
fn without_a_session_or_with_a_client_that_left_early_there_is_no_data() {
    let gate = ["--once", "--frames", "600", "--gate", "frames.lost == 0"];
    let server = Server::start(&[&gate[..], &["--wait", "300ms"]].concat());
    server.end().expect(1).says("the gate frames.lost == 0 has no data: no session sent a frame");
    let server = Server::start(&gate);
    let mut client = server.client(&[]);
    client.stdout.wait_for_count(7);
    client.signal("INT");
    client.end().expect(0);
    server.end().expect(1).says("(the client left after ");
}

#[test]
fn the_worst_of_several_sessions_counts() {
    let report = ReportFile::new();
    let mut server =
        Server::start(&["--frames", "20", "--fps", "max", "--gate", "frames.missed == 0", "--json", report.name()]);
    server.client(&[]).end().expect(0);
    server.client(&["--min-radius", "50", "--max-radius", "60"]).end().expect(0);
    server.client(&[]).end().expect(0);
    server.program.signal("INT");
    server.end().expect(1).says("the gate frames.missed == 0 failed in session 2");
    let report = report.read();
    assert_eq!((&report["gates"][0]["verdict"], &report["gates"][0]["session"]), (&"fail".into(), &2.into()));
}

#[test]
fn gates_may_come_from_the_environment_and_from_a_runs_file() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("run.toml");
    fs::write(&file, "gate = [\"frames.sent == 20\", 'latency_us.max > 0']\nframes = 20\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    let gates = |ended: &testkit::program::Ended| {
        let report: Value = serde_json::from_str(&ended.stdout.join("\n")).expect("a report");
        let gates = report["gates"].as_array().expect("gates").clone();
        gates.iter().map(|gate| gate["condition"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    let both = ["frames.sent == 20", "latency_us.max > 0"];
    assert_eq!(gates(&loopback(&["--run", file, "--json", "-"]).expect(0)), both);
    let mut server = command("server");
    server.env("PLUMB_GATE", "frames.sent == 20; latency_us.max > 0");
    let options = ["--loopback", "--link", "memory", "--no-graphics", "--frames", "20", "--fps", "max", "--json", "-"];
    assert_eq!(gates(&Program::start(with(server, &options)).end().expect(0)), both);
    let printed = loopback(&["--run", file, "--print-run"]).expect(0).stdout.join("\n");
    assert!(printed.contains("gate = [\"frames.sent == 20\", \"latency_us.max > 0\"]"), "{printed}");
}

#[test]
fn frames_of_the_warm_up_are_marked_and_count_in_no_figure() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let csv = folder.path().join("frames.csv");
    let csv = csv.to_str().expect("UTF-8");
    let report = ReportFile::new();
    let options = ["--frames", "50", "--warmup", "20", "--gate", "frames.sent == 30", "--csv", csv];
    loopback(&[&options[..], &["--json", report.name()]].concat()).expect(0);
    let text = fs::read_to_string(csv).expect("rows");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|column| *column == name).expect("a column");
    let (warmup, l1) = (column("warmup"), column("l1"));
    let marked: Vec<_> = rows[1..].iter().map(|row| row[warmup] == "1").collect();
    assert_eq!(marked, (0..50).map(|frame| frame < 20).collect::<Vec<_>>());
    let errors: Vec<f64> = rows[21..].iter().map(|row| row[l1].parse().expect("an error")).collect();
    let report = report.read();
    let session = only_session(&report);
    assert_eq!((&session["frames"]["sent"], &session["frames"]["warmup"]), (&30.into(), &20.into()));
    let mean = session["error_px"]["l1"]["mean"].as_f64().expect("a mean");
    assert!((errors.iter().sum::<f64>() / 30.0 / mean - 1.0).abs() < 1e-12);
    loopback(&["--frames", "20", "--warmup", "20"]).expect(2).says("--warmup 20 leaves nothing of --frames 20");
}

#[test]
fn the_verdicts_are_written_as_junit_too() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let xml = folder.path().join("junit.xml");
    let name = xml.to_str().expect("UTF-8");
    let gates = ["--gate", "frames.sent == 20", "--gate", "frames.sent == 21", "--junit", name];
    loopback(&[&["--frames", "20"][..], &gates].concat()).expect(1);
    let written = fs::read_to_string(&xml).expect("a file");
    for part in [
        "<testsuites name=\"plumb\" tests=\"2\" skipped=\"0\" failures=\"1\" errors=\"0\"",
        "<testsuite name=\"session 1\"",
        "<property name=\"seed\" value=\"7\"/>",
        "<testcase name=\"frames.sent == 20\" classname=\"plumb.gate.frames\"",
        "frames.sent is 20, which is not == 21",
        "type=\"fail\"",
    ] {
        assert!(written.contains(part), "no {part} in {written}");
    }
    loopback(&["--frames", "20", "--junit", name, "--csv", name]).expect(2).says("--csv and --junit need a file each");
}
