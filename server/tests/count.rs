//! The task `count`: a session with the real server, its options, and its report.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use server::camera::CameraConfig;
use server::scene::{BallConfig, Balls, GroupConfig, Radii};
use server::source::BallsScene;
use server::truth::Truth;
use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::protocol::message::{BallCount, Payload, Value as Field};
use testkit::ends::{Server, with};
use testkit::program::{Program, command};
use testkit::report::{ReportFile, only_session, rows};
use testkit::slow_client::SlowClient;

/// The peer answers at once.
const PEER: SlowClient = SlowClient { queue: Duration::ZERO, detect: Duration::ZERO, ahead_us: 0 };

const FRAMES: u64 = 60;

/// The options of a session whose balls the test knows too.
const RUN: [&str; 15] = [
    "--task", "count", "--once", "--frames", "60", "--fps", "max", "--seed", "7", "--size", "320x240", "--radius",
    "8..20", "--balls", "0..6",
];

/// How many balls each of these frames shows.
fn truths() -> Vec<u32> {
    let (size, radius) = (Size { width: 320, height: 240 }, Radii { min: 8.0, max: 20.0 });
    let ball = BallConfig { size, radius, speed_px_s: 200.0, step_s: 1.0 / 60.0, border: false };
    let group = GroupConfig { ball, balls: Balls { min: 0, max: 6 }, overlap: 0.1 };
    let scene = BallsScene { group, camera: CameraConfig::default(), pixel: PixelFormat::Gray8, seed: 7 };
    let mut source = scene.source().expect("a possible scene");
    let count = |index| match source.frame(index).truth {
        Truth::Balls(count) => count,
        truth => panic!("{truth:?} of several balls"),
    };
    (0..FRAMES).map(count).collect()
}

fn refused(options: &[&str]) -> String {
    let ended = Program::start(with(command("server"), &[&["--no-graphics"], options].concat())).end().expect(2);
    assert!(ended.stdout.is_empty(), "{:#?}", ended.stdout);
    ended.stderr.join(" ")
}

#[test]
fn a_session_is_scored_by_the_number_of_balls_that_each_frame_shows() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let csv = directory.path().join("frames.csv");
    let report = ReportFile::new();
    let files = ["--csv", csv.to_str().expect("UTF-8"), "--json", report.name()];
    let server = Server::start(&[&RUN[..], &files].concat());
    let truths = truths();
    // One ball too many in each tenth frame; the last frame is not looked at.
    let wrong = |id: u64| id.is_multiple_of(10);
    PEER.run_with(server.address.parse().expect("an address"), |id| match id {
        59 => Payload::dropped(),
        id => BallCount(truths[id as usize] + u32::from(wrong(id))).write(),
    });
    let server = server.end().expect(0);

    // Conservation is checked there.
    let report = report.read();
    let session = only_session(&report);
    assert_eq!(session["task"], "count");
    let frames = &session["frames"];
    assert_eq!((&frames["sent"], &frames["answered"], &frames["dropped"]), (&json!(60), &json!(59), &json!(1)));
    assert_eq!((&frames["circle"], &session["error_px"]), (&Value::Null, &Value::Null));
    let own = &session["count"];
    assert_eq!((&own["scored"], &own["exact"]), (&json!(59), &json!(53)));
    assert_eq!(own["mean_error"].as_f64().expect("a mean"), 6.0 / 59.0);
    assert_eq!(own["mean_absolute_error"], own["mean_error"]);
    for (truth, row) in own["confusion"].as_array().expect("rows").iter().enumerate() {
        for (answer, frames) in row.as_array().expect("columns").iter().enumerate() {
            let is_this = |id: u64| truths[id as usize] == truth as u32 && truth + usize::from(wrong(id)) == answer;
            assert_eq!(*frames, (0..59).filter(|id| is_this(*id)).count(), "{truth} as {answer}");
        }
    }
    let config = &report["run"]["config"];
    assert_eq!((&config["balls"], &config["overlap"]), (&json!("0..6"), &json!(0.1)));

    assert!(server.stdout.iter().any(|line| line.contains("53 of 59 exactly right: 89.83 %")), "{:#?}", server.stdout);
    assert_eq!(rows(&server.stdout).len(), 60);
    let text = fs::read_to_string(&csv).expect("rows");
    let table: Vec<BTreeMap<String, String>> =
        csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.expect("a whole row")).collect();
    for (id, row) in table.iter().enumerate() {
        assert_eq!(row["truth_count"], truths[id].to_string());
        let error = u32::from(wrong(id as u64));
        let answer =
            if id == 59 { ["", ""].map(String::from) } else { [truths[id] + error, error].map(|n| n.to_string()) };
        assert_eq!([&row["count"], &row["residual"]], [&answer[0], &answer[1]], "{row:?}");
    }
}

#[test]
fn impossible_answers_are_invalid_and_the_frame_can_still_be_answered() {
    let report = ReportFile::new();
    let options = ["--task", "count", "--balls", "3", "--once", "--frames", "3", "--deadline", "300ms"];
    let server = Server::start(&[&options[..], &["--json", report.name()]].concat());
    let payloads =
        [Payload::new("count").with("count", Field::Integer(-1)), Payload::new("none"), BallCount(3).write()];
    PEER.run_with(server.address.parse().expect("an address"), |id| payloads[id as usize].clone());
    server.end().expect(0).says("count is not a whole number from 0 to 1000000; the task is count");
    let report = report.read();
    let session = only_session(&report);
    assert_eq!((&session["frames"]["invalid"], &session["frames"]["lost"]), (&json!(2), &json!(2)));
    assert_eq!((&session["count"]["scored"], &session["count"]["exact"]), (&json!(1), &json!(1)));
}

#[test]
fn options_that_mean_nothing_without_the_task_are_refused_and_the_error_says_what_is_valid() {
    for option in [["--balls", "3"], ["--overlap", "0.2"]] {
        for task in [&["--task", "circle"][..], &["--task", "ack"], &[]] {
            let said = refused(&[&option, task].concat());
            assert!(said.contains(&format!("{} is for --task count only", option[0])), "{said}");
        }
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().to_str().expect("UTF-8");
    assert!(refused(&["--source", path, "--balls", "3"]).contains("--balls does not apply to --source"));
}

#[test]
fn options_that_would_falsify_the_truth_are_refused_with_the_task() {
    let said = refused(&["--task", "count", "--empty-rate", "0.1"]);
    assert!(said.contains("--empty-rate does not go with --task count") && said.contains("--balls 0..6"), "{said}");
    let said = refused(&["--task", "count", "--occlude"]);
    assert!(said.contains("--occlude does not go with --task count"), "{said}");
}

#[test]
fn numbers_of_balls_without_room_are_refused_before_the_run() {
    let said = refused(&["--task", "count", "--balls", "0..13", "--size", "128x96", "--radius", "16"]);
    assert!(said.contains("at most 12 have") && said.contains("--radius smaller"), "{said}");
    let said = refused(&["--task", "count", "--overlap", "1"]);
    assert!(said.contains("--overlap: \"1\" is not a share of a ball's area from 0 to 0.9"), "{said}");
    assert!(refused(&["--task", "count", "--balls", "6..0"]).contains("nor a range, for example 0..6"));
}

#[test]
fn a_printed_run_says_how_many_balls_and_is_read_back() {
    let print = |options: &[&str]| {
        let mut server = command("server");
        server.args(options).arg("--print-run");
        Program::start(server).end().expect(0).stdout
    };
    let printed = print(&["--task", "count", "--seed", "7", "--size", "100x50"]);
    assert!(
        printed.contains(&"balls = \"0..6\"".to_owned()) && printed.contains(&"overlap = 0.1".to_owned()),
        "{printed:#?}"
    );
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), printed.join("\n")).expect("written");
    assert_eq!(print(&["--run", file.path().to_str().expect("UTF-8")]), printed);
    let plain = print(&["--seed", "7"]);
    assert!(!plain.iter().any(|line| line.starts_with("balls") || line.starts_with("overlap")), "{plain:#?}");
}
