//! The camera's options, from the command line, the environment and a file to the figures in the report.

use std::path::Path;

use serde_json::{Value, json};
use testkit::ends::with;
use testkit::program::{Ended, Program, command};
use testkit::report::{OUTCOMES, checked, only_session};

/// Runs small frames in loopback, as fast as possible. Returns the report.
fn report(options: &[&str]) -> Value {
    let options = [LOOPBACK, options].concat();
    checked(&Program::start(with(command("server"), &options)).end().expect(0).stdout.join("\n"))
}

const LOOPBACK: &[&str] = &[
    "--loopback",
    "--no-graphics",
    "--fps",
    "max",
    "--frames",
    "300",
    "--seed",
    "9",
    "--size",
    "160x120",
    "--json",
    "-",
];

fn figure(session: &Value, pointer: &str) -> f64 {
    session.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {pointer} in {session:#}"))
}

#[test]
fn with_noise_the_mean_error_is_near_its_limit() {
    let report = report(&["--noise", "5", "--radius", "10..20"]);
    let session = only_session(&report);
    assert_eq!(session["error_px"]["limit_kind"], "bound");
    let (limit, efficiency) = (figure(session, "/error_px/limit"), figure(session, "/error_px/efficiency"));
    // σ² = v / (π r c² E): 0.0089 px at 15 px, a little more on average.
    assert!((0.007..0.012).contains(&limit), "limit {limit} px");
    let l1 = figure(session, "/error_px/l1/mean");
    assert!((efficiency - l1 / limit).abs() < 1e-9, "{efficiency}, {l1} / {limit}");
    // No estimate is much better than the bound (3 % standard error over 300 frames), and the detector's is close to
    // it.
    assert!((0.88..3.0).contains(&efficiency), "{efficiency}");
    assert_eq!(report["run"]["config"]["radius_px"], 10.0);
    assert_eq!(report["run"]["config"]["radius_max_px"], 20.0);
}

#[test]
fn without_noise_there_is_a_reference_and_after_jpeg_there_is_no_limit() {
    let clean = report(&["--radius", "15"]);
    let error = &only_session(&clean)["error_px"];
    assert_eq!(error["limit_kind"], "reference");
    assert!((0.0004..0.0006).contains(&figure(error, "/limit")), "{error}");
    let jpeg = report(&["--radius", "15", "--noise", "3", "--jpeg", "80"]);
    let error = &only_session(&jpeg)["error_px"];
    assert_eq!(
        (&error["limit"], &error["limit_kind"], &error["efficiency"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert!(error["l1"]["mean"].is_number());
}

#[test]
fn empty_frames_are_counted_separately() {
    let report = report(&["--empty-rate", "0.4", "--radius", "15", "--noise", "3"]);
    let session = only_session(&report);
    let count = |name: &str| session["frames"][name].as_u64().expect("a count");
    // 120 are expected, with a standard deviation of 8.5. Four standard deviations are allowed.
    assert!((86..=154).contains(&count("empty")), "{}", session["frames"]);
    assert_eq!(count("sent"), OUTCOMES.iter().map(|outcome| count(outcome)).sum::<u64>());
    assert!(count("false_positive") <= count("empty"));
    assert!(count("no_circle") >= count("empty") - count("false_positive"));
}

#[test]
fn the_report_holds_every_option_of_the_camera() {
    let report = report(&[
        "--noise",
        "2",
        "--shot-noise",
        "0.1",
        "--blur",
        "0.8",
        "--exposure",
        "0.3",
        "--delay",
        "7.3",
        "--contrast",
        "100",
        "--background",
        "ramp",
        "--invert",
        "--occlude",
        "--jpeg",
        "90",
        "--gamma",
        "2.2",
        "--vignette",
        "0.2",
        "--empty-rate",
        "0.1",
        "--border",
        "--radius",
        "12",
        "--pixel",
        "bgr8",
    ]);
    let config = &report["run"]["config"];
    let camera = json!({
        "noise": 2.0, "shot_noise": 0.1, "blur": 0.8, "exposure": 0.3, "delay": 7.3, "rolling_shutter": 0.0, "contrast": 100.0, "background": "ramp",
        "invert": true, "occlude": true, "jpeg": 90, "gamma": 2.2, "vignette": 0.2, "empty_rate": 0.1,
        "aspect": null, "aspect_angle": null, "ring": null, "shade": null, "shade_angle": null, "shade_height": null,
        "focal": null, "centre": null, "distortion": null, "pose": null, "poses": null, "target": null, "truth_point": null
    });
    assert_eq!(config["camera"], camera);
    assert_eq!(config["border"], true);
}

#[test]
fn the_example_file_is_read_and_options_override_it() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/low-light.toml");
    let file = file.to_str().expect("UTF-8");
    let report = report(&["--camera", file, "--noise", "1", "--radius", "10..30"]);
    let camera = &report["run"]["config"]["camera"];
    assert_eq!((&camera["noise"], &camera["blur"], &camera["contrast"]), (&json!(1.0), &json!(1.2), &json!(60.0)));
}

#[test]
fn options_can_come_from_the_environment() {
    let mut server = with(command("server"), LOOPBACK);
    server
        .env("PLUMB_SHOT_NOISE", "0.5")
        .env("PLUMB_INVERT", "1")
        .env("PLUMB_OCCLUDE", "0")
        .env("PLUMB_RADIUS", "9..15");
    let report = checked(&Program::start(server).end().expect(0).stdout.join("\n"));
    let camera = &report["run"]["config"]["camera"];
    assert_eq!(
        (&camera["shot_noise"], &camera["invert"], &camera["occlude"]),
        (&json!(0.5), &json!(true), &json!(false))
    );
}

#[test]
fn the_summary_says_how_near_the_errors_are_to_the_limit() {
    let run = |options: &[&str]| -> Ended {
        let options = [&LOOPBACK[..LOOPBACK.len() - 2], &["--radius", "15"], options].concat();
        Program::start(with(command("server"), &options)).end().expect(0)
    };
    let noisy = run(&["--noise", "5"]).stdout.join("\n");
    assert!(noisy.contains(" x the limit of 0.0"), "{noisy}");
    let clean = run(&[]).stdout.join("\n");
    assert!(clean.contains(" x the reference of 0.000"), "{clean}");
}

/// The points of a row of the table: the scored one, the image of the centre, the centroid, and the ball on the plane.
fn points(row: &csv::StringRecord, header: &csv::StringRecord) -> [[f64; 2]; 4] {
    let number = |name: &str| {
        let place = header.iter().position(|column| column == name).expect("a column");
        row[place].parse::<f64>().unwrap_or_else(|wrong| panic!("{name}: {wrong}"))
    };
    ["truth", "centre", "centroid", "plane"].map(|point| ["x", "y"].map(|axis| number(&format!("{point}_{axis}"))))
}

#[test]
fn a_run_through_a_lens_file_is_scored_at_the_asked_point_and_its_run_file_needs_no_lens_file() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let lens = folder.path().join("camera.yaml");
    let text = "%YAML 1.2\n---\nimage_width: 160\nimage_height: 120\ncamera_matrix:\n  rows: 3\n  cols: 3\n  dt: d\n  data: \
                [150, 0, 79.5, 0, 150, 59.5, 0, 0, 1]\ndistortion_model: plumb_bob\ndistortion_coefficients:\n  rows: 1\n  \
                cols: 5\n  dt: d\n  data: [-0.25, 0.05, 0, 0, 0]\n";
    std::fs::write(&lens, text).expect("written");
    let lens = lens.to_str().expect("UTF-8");
    let run = |name: &str, options: &[&str]| {
        let out = folder.path().join(name);
        let always =
            ["--loopback", "--no-graphics", "--link", "memory", "--fps", "max", "--deadline", "30s", "--frames", "40"];
        let mut server = command("server");
        server.args(always).args(["--seed", "9", "--radius", "10", "--noise", "2", "--out"]).arg(&out).args(options);
        Program::start(server).end().expect(0);
        out
    };
    let rows = |out: &Path| {
        let mut reader = csv::Reader::from_path(out.join("frames.csv")).expect("rows");
        let header = reader.headers().expect("a header").clone();
        reader.records().map(|row| points(&row.expect("a row"), &header)).collect::<Vec<_>>()
    };
    let by_centre = run("centre", &["--lens", lens, "--pose", "30,0,0"]);
    let by_centroid = run("centroid", &["--lens", lens, "--pose", "30,0,0", "--truth-point", "centroid"]);
    let mut most: f64 = 0.0;
    for (centre, centroid) in rows(&by_centre).into_iter().zip(rows(&by_centroid)) {
        assert_eq!(centre[1..], centroid[1..], "the same frames");
        assert_eq!((centre[0], centroid[0]), (centre[1], centroid[2]));
        let off = (centre[1][0] - centre[2][0]).hypot(centre[1][1] - centre[2][1]);
        assert!(off < 1.0, "{off} px between them");
        most = most.max(off);
    }
    assert!(most > 0.1, "at most {most} px between the two points");
    // The run's file has what the lens file said: without that file it gives the same frames.
    let file = by_centroid.join("run.toml");
    let written = std::fs::read_to_string(&file).expect("a run");
    assert!(written.contains("focal = \"150\"") && written.contains("plumb_bob:-0.25,0.05,0,0,0"), "{written}");
    assert!(!written.contains("lens"), "{written}");
    std::fs::remove_file(lens).expect("removed");
    let again = folder.path().join("again");
    let mut server = command("server");
    server.args(["--no-graphics", "--run"]).arg(&file).arg("--out").arg(&again);
    Program::start(server).end().expect(0);
    assert_eq!(rows(&again), rows(&by_centroid));
}

#[test]
fn a_lens_file_sets_the_size_and_one_for_another_size_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("camera.yaml");
    let text = "image_width: 160\nimage_height: 120\ncamera_matrix:\n  data: [150, 0, 79.5, 0, 150, 59.5, 0, 0, \
                1]\ndistortion_coefficients:\n  data: [0, 0, 0, 0, 0]\n";
    let said = |text: &str, options: &[&str]| {
        std::fs::write(&file, text).expect("written");
        let mut server = command("server");
        server.arg("--print-run").arg("--lens").arg(&file).args(options);
        Program::start(server).end()
    };
    let printed = said(text, &["--centre", "80,60"]).expect(0).stdout.join("\n");
    assert!(printed.contains("size = \"160x120\"") && printed.contains("centre = \"80,60\""), "{printed}");
    let cases: [(String, &[&str], &str); 4] = [
        (text.into(), &["--size", "640x480"], "is for images of 160x120, and --size is 640x480"),
        (text.replace("150, 0, 79.5", "nan, 0, 79.5"), &[], "camera_matrix: \"nan\" is not a finite number"),
        (format!("{text}distortion_model: fisheye\n"), &[], "distortion_model \"fisheye\" is not known"),
        ("noise = 3\n".into(), &[], "it has no image_width"),
    ];
    for (text, options, words) in cases {
        said(&text, options).expect(2).says(words).says("camera.yaml");
    }
}
