//! `server calibrate` and `client --correct` with the real programs: runs, CSV files, their results, and bad input.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::ends::Server;
use testkit::program::{Ended, Program, command, command_after};
use testkit::room::Room;

/// A CSV file of answers that are 0.5 px to the right of the truth, with errors that look random.
fn shifted(room: &Room, name: &str) -> String {
    let mut text = "frame,x,y,u,v,t_us\n".to_owned();
    let mut state = 12_345_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    for frame in 0..200 {
        let (x, y) = (20.0 + 600.0 * random(), 20.0 + 440.0 * random());
        let (u, v) = (x + 0.5 + 0.02 * (random() - 0.5), y + 0.02 * (random() - 0.5));
        writeln!(text, "{frame},{x},{y},{u},{v},{}", frame * 16_667).expect("text");
    }
    room.file(name, &text)
}

fn calibrate(arguments: &[&str]) -> Ended {
    let mut server = command("server");
    server.arg("calibrate").args(arguments);
    Program::start(server).end()
}

/// Calibrates, and reads the JSON that was written.
fn found(room: &Room, arguments: &[&str], code: i32) -> (Value, Ended) {
    let json = room.name("found.json");
    let ended = calibrate(&[arguments, &["--json", &json]].concat()).expect(code);
    (serde_json::from_str(&room.read("found.json")).expect("JSON"), ended)
}

/// Asserts that these arguments are refused with these words.
fn refused(arguments: &[&str], words: &str) {
    let ended = calibrate(arguments).expect(2);
    let said = ended.stderr.join("\n");
    assert!(said.contains(words) && !said.contains("panicked"), "{said}");
}

fn parameter(found: &Value, name: &str) -> f64 {
    let all = found["parameters"].as_array().expect("parameters");
    let one = all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {all:#?}"));
    one["value"].as_f64().expect("a value")
}

#[test]
fn a_run_is_calibrated_against_a_reference_and_the_detector_has_no_scale() {
    let room = Room::new();
    room.run("a", &["--frames", "300", "--seed", "7"]).expect(0);
    room.run("b", &["--frames", "300", "--seed", "8"]).expect(0);
    let (a, b) = (room.name("a"), room.name("b"));
    let arguments = [a.as_str(), "--model", "similarity", "--reference", &b, "--strict"];
    let (found, ended) = found(&room, &arguments, 0);
    assert_eq!(
        (&found["fits"], &found["sigma_from"], &found["size"]),
        (&true.into(), &"reference".into(), &"160x120".into())
    );
    assert!((parameter(&found, "scale") - 1.0).abs() < 1e-3 && parameter(&found, "offset_x").abs() < 0.05, "{found:#}");
    let nees = found["nees"].as_f64().expect("a NEES");
    assert!((0.7..1.4).contains(&nees), "the detector's covariances are right: {nees}");
    let table = ended.stdout.join("\n");
    assert!(table.contains("similarity: 300 frames") && table.contains("the model fits: chi-squared"), "{table}");
    // Without frames.csv the same frames come from frames.parquet.
    fs::remove_file(room.path("a").join("frames.csv")).expect("removed");
    let (typed, _) = self::found(&room, &arguments, 0);
    assert_eq!(typed["parameters"], found["parameters"]);
}

#[test]
fn a_shift_is_found_written_and_corrected_by_a_client() {
    let room = Room::new();
    let csv = shifted(&room, "pairs.csv");
    let out = room.name("found");
    let (found, _) = found(&room, &[&csv, "--model", "auto", "--size", "64x48", "--out", &out], 0);
    assert_eq!((&found["model"], &found["fits"]), (&"offset".into(), &Value::Null));
    assert!((parameter(&found, "offset_x") - 0.5).abs() < 0.002, "{found:#}");
    for file in ["correction.toml", "calibration.json", "calibration.html"] {
        assert!(Path::new(&out).join(file).is_file(), "{file}");
    }
    // Verified on the same frames, only their random errors remain.
    let (verified, _) = self::found(&room, &[&csv, "--model", "offset", "--verify", &csv], 0);
    let left = &verified["verified"]["after"];
    assert!(left["rms_px"].as_f64() < Some(0.01), "{left}");
    // The client's own answers have no shift, so with this correction they are half a pixel too far to the left.
    let out = room.name("run");
    let server = Server::start(&[
        "--no-announce",
        "--once",
        "--fps",
        "max",
        "--frames",
        "60",
        "--seed",
        "7",
        "--noise",
        "5",
        "--size",
        "64x48",
        "--out",
        &out,
    ]);
    server.client(&["--correct", &room.name("found/correction.toml")]).end().expect(0);
    server.end().expect(0);
    let (corrected, _) = self::found(&room, &[&out, "--model", "offset"], 0);
    assert!((parameter(&corrected, "offset_x") + parameter(&found, "offset_x")).abs() < 0.02, "{corrected:#}");
}

#[test]
fn the_results_of_an_earlier_calibration_go_with_it_or_stay_whole() {
    let room = Room::new();
    let csv = shifted(&room, "pairs.csv");
    let out = room.name("found");
    let results =
        || ["correction.toml", "calibration.json", "calibration.html"].map(|name| room.read(&format!("found/{name}")));
    calibrate(&[&csv, "--model", "similarity", "--out", &out]).expect(0);
    room.file("found/camera.yaml", "plumb_model: earlier\n");
    calibrate(&[&csv, "--model", "offset", "--out", &out]).expect(0);
    assert!(!room.path("found").join("camera.yaml").exists(), "an offset has no camera");
    let before = results();
    assert!(before[0].contains("offset"), "{}", before[0]);
    // The disk is full after 512 bytes, or 1,024 if the shell counts in units of that.
    let json = room.file("before.json", "{}");
    for target in [["--out", &out], ["--json", &json]] {
        let mut server = command_after("ulimit -f 1", "server");
        server.args(["calibrate", &csv, "--model", "similarity"]).args(target);
        Program::start(server).end().expect(4).says("cannot write the calibration to ");
    }
    assert!(results() == before);
    assert_eq!(room.read("before.json"), "{}");
}

#[test]
fn the_delay_of_a_camera_is_estimated_from_a_run() {
    let room = Room::new();
    room.run("late", &["--frames", "300", "--seed", "7", "--delay", "7.3"]).expect(0);
    room.run("prompt", &["--frames", "300", "--seed", "8"]).expect(0);
    let (late, prompt) = (room.name("late"), room.name("prompt"));
    let arguments = [late.as_str(), "--model", "offset+time", "--reference", &prompt];
    let (found, _) = found(&room, &arguments, 0);
    assert_eq!(found["fits"], true, "{found:#}");
    // The standard deviation is about 4 us: the ball is smaller than that of the goals, and there are half as many
    // frames.
    assert!((parameter(&found, "time_offset_us") - 7_300.0).abs() < 30.0, "{found:#}");
}

/// Value and standard deviation of a parameter.
fn told(found: &Value, name: &str) -> (f64, f64) {
    let all = found["parameters"].as_array().expect("parameters");
    let one = all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {all:#?}"));
    (parameter(found, name), one["sigma"].as_f64().unwrap_or_else(|| panic!("no sigma of {name} in {found:#}")))
}

/// Asserts that a planted parameter is read back within five standard deviations, which are at most this.
fn read_back(found: &Value, name: &str, planted: f64, most: f64) {
    let (value, sigma) = told(found, name);
    assert!((value - planted).abs() <= 5.0 * sigma && sigma <= most, "{name} {value} ± {sigma}, planted {planted}");
}

#[test]
fn the_distortion_of_a_lens_is_read_back_from_a_run() {
    let room = Room::new();
    let lens = ["--focal", "150", "--distortion", "plumb_bob:-0.3"];
    room.run("lens", &[&["--frames", "300", "--seed", "7", "--radius", "14"], &lens[..]].concat()).expect(0);
    room.run("plain", &["--frames", "300", "--seed", "8", "--radius", "14"]).expect(0);
    let (lens, plain) = (room.name("lens"), room.name("plain"));
    let asked = ["--model", "homography+distortion", "--distortion", "k1", "--focal", "150", "--target", "disc"];
    let (found, _) = found(&room, &[&[lens.as_str(), "--reference", &plain], &asked[..]].concat(), 0);
    read_back(&found, "k1", -0.3, 2e-3);
    read_back(&found, "h11", 1.0, 2e-3);
    read_back(&found, "h23", 0.0, 0.05);
}

#[test]
fn the_pose_of_a_plane_is_read_back_as_a_homography() {
    let room = Room::new();
    room.run("tilted", &["--frames", "300", "--seed", "7", "--radius", "14", "--focal", "200", "--pose", "30,0,0"])
        .expect(0);
    let tilted = room.name("tilted");
    let (found, _) = found(&room, &[&tilted, "--model", "homography", "--target", "disc"], 0);
    // A plane at the focal length, tilted about its middle (79.5, 59.5): u = 79.5 + 200 (x − 79.5) / z and
    // v = 59.5 + 200 (y − 59.5) cos / z with z = 200 + (y − 59.5) sin.
    let (sin, cos) = 30.0_f64.to_radians().sin_cos();
    let last = 200.0 - 59.5 * sin;
    read_back(&found, "h11", 200.0 / last, 2e-3);
    read_back(&found, "h12", 79.5 * sin / last, 2e-3);
    read_back(&found, "h22", (59.5 * sin + 200.0 * cos) / last, 2e-3);
    read_back(&found, "h31", 0.0, 2e-5);
    read_back(&found, "h32", sin / last, 2e-5);
}

#[test]
fn the_line_time_of_a_rolling_shutter_is_read_back_from_a_run() {
    let room = Room::new();
    room.run("rolling", &["--frames", "300", "--seed", "7", "--speed", "400", "--rolling-shutter", "30"]).expect(0);
    let rolling = room.name("rolling");
    let (found, _) = found(&room, &[&rolling, "--model", "offset+shutter"], 0);
    // 0.012 px in 30 rows at 400 px/s is 1 us a frame.
    read_back(&found, "line_time_us", 30.0, 0.15);
}

#[test]
fn a_camera_is_read_back_from_one_run_with_several_poses() {
    let room = Room::new();
    let lens = ["--focal", "300", "--centre", "163,118", "--distortion", "plumb_bob:-0.2,0.05", "--size", "320x240"];
    let ball = ["--frames", "480", "--seed", "7", "--radius", "20", "--poses", "8"];
    room.run("poses", &[&ball[..], &lens[..]].concat()).expect(0);
    let (poses, out) = (room.name("poses"), room.name("found"));
    let asked = ["--model", "camera", "--distortion", "k1k2", "--target", "disc", "--out", &out];
    let (found, _) = found(&room, &[&[poses.as_str()], &asked[..]].concat(), 0);
    for (name, planted) in [("fx", 300.0), ("fy", 300.0), ("cx", 163.0), ("cy", 118.0)] {
        read_back(&found, name, planted, 1.0);
    }
    read_back(&found, "k1", -0.2, 0.01);
    assert_eq!(found["inputs"].as_array().map(Vec::len), Some(8), "a set for each pose");
    // The camera that was found can be put in front of the ball.
    let lens = room.name("found/camera.yaml");
    let mut server = command("server");
    server.args(["--print-run", "--lens", &lens]);
    let printed = Program::start(server).end().expect(0).stdout.join("\n");
    assert!(printed.contains("size = \"320x240\"") && printed.contains("distortion = \"plumb_bob:-0."), "{printed}");
}

#[test]
fn a_correction_for_another_size_or_task_is_refused_by_the_client() {
    let room = Room::new();
    let out = room.name("found");
    calibrate(&[&shifted(&room, "pairs.csv"), "--model", "offset", "--size", "640x480", "--out", &out]).expect(0);
    let correction = room.name("found/correction.toml");
    for (options, words) in [
        (["--size", "160x120"], "the correction is for images of 640x480, and the frames are 160x120"),
        (["--task", "ack"], "--correct corrects circles, and the server's task is \"ack\""),
    ] {
        let server = Server::start(&[&["--no-announce", "--once", "--frames", "5"], &options[..]].concat());
        let ended = server.client(&["--correct", &correction]).end();
        let said = ended.stderr.join("\n");
        assert!(said.contains(words) && ended.code != Some(0), "{said}");
        drop(server);
    }
    let mut client = command("client");
    client.args(["127.0.0.1:9", "--no-graphics", "--correct", &room.name("pairs.csv")]);
    let said = Program::start(client).end().expect(2).stderr.join("\n");
    assert!(said.contains("--correct") && said.contains("is not a correction"), "{said}");
}

#[test]
fn bad_input_gets_a_message_that_says_what_would_be_right() {
    let room = Room::new();
    let good = shifted(&room, "good.csv");
    refused(&[&room.name("nowhere")], "cannot be read");
    refused(
        &[&room.folder().display().to_string()],
        "it has no report.json; name a folder that a run wrote with --out",
    );
    refused(&[&room.file("other.csv", "a;b\n1;2\n")], "it has no column frame, x, y, u, v");
    refused(&[&room.file("nan.csv", "frame,x,y,u,v\n0,1,nan,3,4\n")], "line 2: \"nan\" is not a finite number");
    refused(&[&room.file("few.csv", "frame,x,y,u,v\n0,1,2,3,4\n"), "--model", "affine"], "needs at least 4 frames");
    refused(&[&good, "--model", "camera"], "give --size WIDTHxHEIGHT");
    refused(&[&good, "--model", "dance"], "is not a model: write one of offset, similarity");
    refused(&[&good, "--focal", "0"], "is not a focal length");
    refused(&[&good, "--target", "square"], "is not a target: write point, disc or sphere");
    refused(&[&good, "--target", "sphere", "--model", "homography"], "--target sphere needs --model camera");
    refused(&[&good, "--reference", &good], "--reference needs 30 frames with an answer and its covariance");
    refused(&[&good, "--verify", &room.file("no.csv", "frame,x,y,u,v\n")], "has no answer that can be corrected");
    refused(&[], "calibrate");
    let same: String = (0..9).map(|frame| format!("{frame},{frame},{},5,5\n", frame * frame)).collect();
    refused(&[&room.file("same.csv", &format!("frame,x,y,u,v\n{same}"))], "all 9 answers are at (5, 5)");
    let still: String = (0..9).map(|frame| format!("{frame},5,5,{frame},5\n")).collect();
    refused(&[&room.file("still.csv", &format!("frame,x,y,u,v\n{still}"))], "is always at (5, 5)");
    let line: String = (0..9).map(|frame| format!("{frame},{frame},{frame},{frame},{}\n", frame % 3)).collect();
    refused(&[&room.file("line.csv", &format!("frame,x,y,u,v\n{line}")), "--model", "homography"], "lies on one line");
    room.run("a", &["--frames", "20", "--seed", "7"]).expect(0);
    room.run("b", &["--frames", "20", "--size", "64x48"]).expect(0);
    refused(&[&room.name("a"), &room.name("b")], "calibrate runs of one size");
    room.run("lens", &["--frames", "20", "--seed", "7", "--pose", "20,0,0"]).expect(0);
    refused(&[&room.name("a"), "--reference", &room.name("lens")], "is seen through a lens: name a run without one");
    room.run("poses", &["--frames", "20", "--seed", "7", "--poses", "4", "--radius", "18"]).expect(0);
    refused(&[&room.name("poses"), "--model", "affine"], "shows the plane in 4 poses: write --model camera");
    room.run("acks", &["--frames", "5", "--task", "ack"]).expect(0);
    refused(&[&room.name("acks")], "only runs of the task circle can be calibrated");
}

#[test]
fn a_model_that_does_not_fit_exits_0_and_1_with_strict_and_has_no_sigma() {
    let room = Room::new();
    // Answers that bend, with stated covariances far below the bend.
    let mut text = "frame,x,y,u,v,cov_xx,cov_xy,cov_yy\n".to_owned();
    for frame in 0..100 {
        let (x, y) = (f64::from(frame % 10) * 60.0, f64::from(frame / 10) * 45.0);
        writeln!(text, "{frame},{x},{y},{},{y},0.0001,0,0.0001", x + 1e-5 * x * x).expect("text");
    }
    let csv = room.file("bent.csv", &text);
    let (found, ended) = found(&room, &[&csv, "--model", "offset"], 0);
    assert_eq!(found["fits"], false);
    let all = found["parameters"].as_array().expect("parameters");
    assert!(all.iter().all(|one| one["sigma"].is_null() && one["value"].is_f64()), "{all:#?}");
    assert!(ended.stdout.join("\n").contains("the model does not fit: chi-squared"), "{:#?}", ended.stdout);
    self::found(&room, &[&csv, "--model", "offset", "--strict"], 1);
}

#[test]
fn files_that_never_end_are_refused_with_the_limit() {
    let room = Room::new();
    let csv = shifted(&room, "pairs.csv");
    refused(&["/dev/zero"], "/dev/zero cannot be read (it has a line of more than 1 MiB)");
    refused(&[&csv, "--reference", "/dev/zero"], "/dev/zero cannot be read (it has a line of more than 1 MiB)");
}
