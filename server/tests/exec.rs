//! Programs as pipelines, `--pipeline exec:COMMAND`: the examples of `docs/exec.md`, and programs that fail in every
//! way.

use std::f64::consts::PI;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use client::commands::Commands;
use client::config::{Config, Server as Target, ServerAddress, Wait};
use client::pipeline::{Circle, CircleKind, Detector, Estimate, PipelineChoice, PipelineOptions};
use client::view::NoView;
use client::workers::Policy;
use ndarray::ArrayView2;
use serde_json::Value;
use shared::shell::exit::Exit;
use shared::shell::runtime;
use shared::shell::stop::stop_pair;
use tempfile::TempDir;
use testkit::ends::Server;
use testkit::program::{Ended, is_alive, poll};
use testkit::python::Packages;
use testkit::report::{ReportFile, only_session};

/// How long after Ctrl-C everything must have ended.
const STOP_LIMIT: Duration = Duration::from_secs(1);

static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| Packages::Exec.test_python(env!("CARGO_TARGET_TMPDIR")));

/// The example in C, built.
static C: LazyLock<PathBuf> = LazyLock::new(|| {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exec-centroid");
    let source = example("centroid.c");
    let built =
        Command::new("cc").args(["-O2", "-Wall", "-Werror", "-o"]).arg(&program).arg(source).arg("-lm").output();
    let built = built.expect("a C compiler, which Rust needs too");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    program
});

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/exec").join(name)
}

fn python_example() -> String {
    format!("exec:'{}' '{}'", PYTHON.display(), example("centroid.py").display())
}

fn c_example() -> String {
    format!("exec:'{}'", C.display())
}

/// The centroid of the examples, in this process.
struct Centroid;

static CENTROID: CircleKind = CircleKind { name: "centroid", detector: |_| Box::new(Centroid), counting: None };

impl Detector for Centroid {
    fn name(&self) -> &'static str {
        CENTROID.name
    }

    fn detect(&mut self, gray: ArrayView2<'_, u8>) -> Option<Estimate> {
        let bright = gray.indexed_iter().filter(|(_, level)| **level >= 110);
        let (count, x, y) =
            bright.fold((0_u64, 0, 0), |(count, x, y), ((row, column), _)| (count + 1, x + column, y + row));
        let mean = |sum: usize| sum as f64 / count as f64;
        let circle = Circle { x: mean(x), y: mean(y), radius: (count as f64 / PI).sqrt() };
        (count > 0).then_some(Estimate { circle, ellipse: None, covariance: None })
    }
}

/// The session in the report of a server that serves one client. The deadline leaves a busy machine all the time it
/// needs.
fn session(options: &[&str], client: impl FnOnce(&Server)) -> Value {
    let report = ReportFile::new();
    let always =
        ["--once", "--frames", "60", "--fps", "60", "--seed", "7", "--deadline", "60s", "--json", report.name()];
    let server = Server::start(&[&always[..], options].concat());
    client(&server);
    server.end().expect(0);
    only_session(&report.read()).clone()
}

fn session_of(pipeline: &str, options: &[&str]) -> Value {
    session(options, |server| {
        server.client(&["--pipeline", pipeline, "--pipeline-timeout", "20s"]).end().expect(0);
    })
}

fn session_in_process(options: &[&str]) -> Value {
    session(options, |server| {
        let config = Config {
            server: Target::Named(ServerAddress(server.address.clone())),
            wait: Wait::Forever,
            link: shared::link::Kind::Webrtc,
            admission: shared::door::admission::Admission::default(),
            tls: shared::tls::Tls::default(),
            sctp_mtu: None,
            pull: false,
            pipeline: PipelineChoice::of(&CENTROID, PipelineOptions::default()),
            workers: 2.try_into().expect("two"),
            policy: Policy::Every,
        };
        let (_stopper, stop) = stop_pair();
        let runtime = runtime::start().expect("a runtime");
        assert_eq!(runtime.block_on(client::app::session(&config, &mut NoView, stop, Commands::none())), Exit::Fine);
    })
}

#[test]
fn the_same_centroid_in_rust_python_and_c_has_the_same_error_to_the_last_digit() {
    let figures = |session: &Value| (session["error_px"].clone(), session["frames"]["circle"].clone());
    let expected = figures(&session_in_process(&["--noise", "3"]));
    assert_eq!(expected.1, 60);
    for pipeline in [python_example(), c_example()] {
        assert_eq!(figures(&session_of(&pipeline, &["--noise", "3"])), expected, "{pipeline}");
    }
}

#[test]
fn the_examples_take_colour_frames_that_are_encoded() {
    for pipeline in [python_example(), c_example()] {
        let session = session_of(&pipeline, &["--pixel", "bgr8", "--size", "320x240", "--encoding", "lz4"]);
        assert_eq!(session["frames"]["circle"], 60, "{pipeline}: {:#}", session["frames"]);
    }
}

#[test]
fn the_shortest_program_has_six_lines() {
    let file = example("shortest.py");
    let session = session_of(&format!("exec:'{}' '{}'", PYTHON.display(), file.display()), &[]);
    assert_eq!(session["frames"]["circle"], 60, "{:#}", session["frames"]);
    assert!(fs::read_to_string(file).expect("an example").lines().count() <= 6);
}

#[test]
fn the_page_quotes_the_examples_exactly() {
    let page = fs::read_to_string(example("../../docs/exec.md")).expect("the page");
    for (language, name) in [("python", "centroid.py"), ("c", "centroid.c")] {
        let file = fs::read_to_string(example(name)).expect("an example");
        assert!(page.contains(&format!("```{language}\n{file}```")), "docs/exec.md shows another {name}");
    }
    let lines = fs::read_to_string(example("centroid.py")).expect("an example").lines().count();
    assert!(lines <= 25, "{lines} lines");
    let readme = fs::read_to_string(example("../../README.md")).expect("the first page");
    let file = fs::read_to_string(example("shortest.py")).expect("an example");
    assert!(readme.contains(&format!("```python\n{file}```")), "the README shows another shortest.py");
}

/// A program that acknowledges frames, and fails as it is told to. It writes its process id into a file first.
const FAILING: &str = r#"
import json, os, sys, time
how, pids = sys.argv[1:]
with open(pids, "a") as file:
    file.write(f"{os.getpid()}\n")
if how == "never reads":
    time.sleep(1000)
if how == "dies at once":
    sys.exit(3)
frames = sys.stdin.buffer
frames.readline()
for seen, line in enumerate(frames):
    head = json.loads(line)
    frames.read(head["bytes"])
    if how == "dies later" and seen == 3:
        sys.exit("it fell over")
    if how == "prints garbage":
        print("hello", flush=True)
    if how == "writes without end":
        while True:
            sys.stdout.write("x" * 65536)
    if how == "hangs":
        time.sleep(1000)
    if how == "leaves a child" and seen == 3 and os.fork():
        sys.exit(9)
    if how == "leaves a child" and seen == 3:
        time.sleep(1000)
    if how == "writes NaN":
        print(json.dumps({"frame": head["frame"], "kind": "ack", "code": float("nan")}), flush=True)
    other = how == "answers another frame"
    print(json.dumps({"frame": head["frame"] + other, "kind": "ack", "code": 0}), flush=True)
"#;

/// The failing program in a folder of its own.
struct Failing {
    folder: TempDir,
}

impl Failing {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("failing.py"), FAILING).expect("written");
        Self { folder }
    }

    fn pipeline(&self, how: &str) -> String {
        let path = self.folder.path().display();
        format!("exec:python3 {path}/failing.py '{how}' {path}/pids")
    }

    /// The ids of all programs started so far.
    fn pids(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.folder.path().join("pids")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }
}

#[track_caller]
fn assert_gone(pids: &[u32]) {
    assert!(!pids.is_empty(), "nothing was started");
    let left: Vec<_> = pids.iter().filter(|pid| is_alive(**pid)).collect();
    assert_eq!(left, Vec::<&u32>::new(), "still there");
}

/// What the log must name, once, and the least number of starts in three seconds.
fn fails(how: &str, cause: &str, starts: usize) {
    let (failing, report) = (Failing::new(), ReportFile::new());
    let options = ["--task", "ack", "--once", "--frames", "60", "--fps", "20", "--deadline", "20s"];
    let server = Server::start(&[&options[..], &["--size", "160x120", "--json", report.name()]].concat());
    let options = ["--pipeline", &failing.pipeline(how), "--pipeline-timeout", "300ms", "--workers", "1"];
    let client = server.client(&options).end().expect(0);
    server.end().expect(0);
    let frames = only_session(&report.read())["frames"].clone();
    let [sent, answered, dropped] = ["sent", "answered", "dropped"].map(|name| frames[name].as_u64().expect("a count"));
    assert_eq!((sent, answered + dropped), (60, 60), "{how}: {frames:#}");
    let some_are_answered = ["dies later", "leaves a child"].contains(&how);
    assert!(dropped > 0 && (answered > 0) == some_are_answered, "{how}: {frames:#}");
    let named = client.stderr.iter().filter(|line| line.contains(cause)).count();
    assert_eq!(named, 1, "{how}: {:#?}", client.stderr);
    assert!(failing.pids().len() >= starts, "{how}: {:?}", failing.pids());
    assert_gone(&failing.pids());
    assert_last_words(how, &client);
}

fn assert_last_words(how: &str, client: &Ended) {
    let said = client.stderr.iter().any(|line| line.contains("python3 failing.py") && line.ends_with(": it fell over"));
    assert_eq!(said, how == "dies later", "{:#?}", client.stderr);
}

#[cfg(unix)]
#[test]
fn a_program_that_cannot_be_started_is_named_at_both_ends() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script");
    fs::write(&script, "#!/no/such/interpreter\n").expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("executable");
    let server = Server::start(&[]);
    let pipeline = format!("exec:'{}'", script.display());
    server.client(&["--pipeline", &pipeline]).end().expect(4).says("cannot build the pipeline: ");
    server.program.stderr.wait_for("the client left: cannot build the pipeline: ");
}

#[test]
fn a_program_that_dies_at_once_has_its_frames_dropped_and_is_started_again() {
    fails("dies at once", "ended (exit status: 3)", 2);
}

#[test]
fn a_program_that_dies_later_has_its_frame_dropped_its_stderr_logged_and_is_started_again() {
    fails("dies later", "ended (exit status: 1)", 2);
}

#[test]
fn a_program_that_dies_while_its_child_holds_stdout_is_noticed_and_started_again() {
    fails("leaves a child", "ended (exit status: 9)", 2);
}

#[test]
fn a_program_that_writes_a_number_that_json_does_not_have_is_reported_and_started_again() {
    fails("writes NaN", "JSON has no NaN and no Infinity", 2);
}

#[test]
fn a_program_that_prints_garbage_is_reported_and_started_again() {
    fails("prints garbage", "wrote no answer: \"hello\" is not a JSON object", 2);
}

#[test]
fn a_program_that_answers_another_frame_is_reported_and_started_again() {
    fails("answers another frame", "instead of frame", 2);
}

#[test]
fn a_program_that_writes_without_end_is_cut_off_and_started_again() {
    fails("writes without end", "wrote a line of more than 65536 bytes", 2);
}

#[test]
fn a_program_that_hangs_is_killed_and_started_again() {
    fails("hangs", "did not answer frame", 2);
}

#[test]
fn a_program_that_never_reads_has_its_frames_dropped() {
    fails("never reads", "has not read its first line yet", 1);
}

#[test]
fn answers_that_the_server_would_refuse_are_dropped_and_named() {
    for (task, fields, cause) in [
        ("circle", "'x': 10, 'y': 20, 'radius': 5, 'axes': [5, 4]", "axes without angle"),
        ("circle", "'x': 10, 'y': 20, 'radius': 5, 'axes': [4, 5], 'angle': 0", "axes"),
        ("circle", "'x': 10, 'radius': 5", "without y"),
        ("circle", "'x': 10, 'y': 20, 'radius': '5'", "radius is not a number"),
        ("count", "'count': 1000001", "count is not a whole number from 0 to 1000000"),
        ("count", "'count': -1", "count is not a whole number from 0 to 1000000"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("wrong.py");
        let program = format!(
            "import json, sys\nframes = sys.stdin.buffer\nframes.readline()\nfor line in frames:\n    head = json.loads(line)\n    \
             frames.read(head['bytes'])\n    \
             print(json.dumps({{'frame': head['frame'], 'kind': '{task}', {fields}}}), flush=True)\n"
        );
        fs::write(&path, program).expect("written");
        let report = ReportFile::new();
        let options = ["--task", task, "--once", "--frames", "5", "--size", "160x120", "--json", report.name()];
        let server = Server::start(&options);
        let pipeline = format!("exec:python3 {}", path.display());
        server.client(&["--pipeline", &pipeline, "--workers", "1"]).end().expect(0).says(cause);
        server.end().expect(0);
        let session = only_session(&report.read()).clone();
        assert_eq!((&session["frames"]["dropped"], &session["frames"]["invalid"]), (&5.into(), &0.into()), "{fields}");
    }
}

#[test]
fn frames_do_not_wait_for_a_program_that_loads_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, marker) = (folder.path().join("slow.py"), folder.path().join("started"));
    let program = format!(
        "import json, os, sys, time\nif os.path.exists('{0}'):\n    time.sleep(1000)\nopen('{0}', 'w')\n\
         frames = sys.stdin.buffer\nframes.readline()\nsys.exit(1)\n",
        marker.display()
    );
    fs::write(&path, program).expect("written");
    let report = ReportFile::new();
    let options = ["--task", "ack", "--once", "--frames", "60", "--fps", "20", "--deadline", "4s", "--size", "160x120"];
    let server = Server::start(&[&options[..], &["--json", report.name()]].concat());
    let pipeline = format!("exec:python3 {}", path.display());
    server.client(&["--pipeline", &pipeline, "--workers", "1"]).end().expect(0).says("has not read its first line yet");
    server.end().expect(0);
    let frames = only_session(&report.read())["frames"].clone();
    assert_eq!((&frames["dropped"], &frames["lost"]), (&60.into(), &0.into()), "{frames:#}");
}

#[test]
fn a_program_gets_at_most_half_of_the_servers_deadline() {
    let (failing, report) = (Failing::new(), ReportFile::new());
    let options = ["--task", "ack", "--once", "--frames", "3", "--window", "1", "--deadline", "4s"];
    let server = Server::start(&[&options[..], &["--json", report.name()]].concat());
    let options = ["--pipeline", &failing.pipeline("hangs"), "--pipeline-timeout", "1h", "--workers", "1"];
    server.client(&options).end().expect(0).says("did not answer frame 0 within 2s: frame 0 counts as dropped");
    server.end().expect(0);
    assert_eq!(only_session(&report.read())["frames"]["lost"], 0);
}

/// A shell that leaves a child behind, and both hang.
const WITH_CHILD: &str = r#"exec:sh -c 'sleep 1000 & echo $! >>"$0"; echo $$ >>"$0"; wait' "#;

#[test]
fn ctrl_c_ends_hanging_programs_and_their_children_within_a_second() {
    for when in ["while it loads", "while it answers"] {
        let failing = Failing::new();
        let mut server = Server::start(&["--task", "ack", "--frames", "100000", "--fps", "20"]);
        let (pipeline, wanted) = match when {
            "while it loads" => (format!("{WITH_CHILD} '{}/pids'", failing.folder.path().display()), 4),
            _ => (failing.pipeline("hangs"), 2),
        };
        let mut client = server.client(&["--pipeline", &pipeline, "--workers", "2", "--pipeline-timeout", "1h"]);
        assert!(poll(|| (failing.pids().len() >= wanted).then_some(())).is_some(), "{when}: not started");
        if when == "while it answers" {
            server.program.stdout.wait_for("lost");
        }
        client.signal("INT");
        let client = client.end();
        assert_gone(&failing.pids());
        assert!(client.elapsed < STOP_LIMIT, "{when}: {:?}", client.elapsed);
        server.program.signal("INT");
        server.end();
    }
}

#[test]
fn a_program_sees_the_end_of_its_stdin_when_the_client_is_killed() {
    let failing = Failing::new();
    let server = Server::start(&["--task", "ack", "--frames", "100000", "--fps", "20"]);
    let mut client = server.client(&["--pipeline", &failing.pipeline("does well"), "--workers", "1"]);
    client.stdout.wait_for("ack code 0");
    client.signal("KILL");
    client.end();
    let is_gone = || failing.pids().into_iter().all(|pid| !is_alive(pid)).then_some(());
    assert!(poll(is_gone).is_some(), "still there: {:?}", failing.pids());
}
