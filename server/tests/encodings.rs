//! Frames as PNG and JPEG, end to end: the same pixels over every link, or nearly the same and no limit.

use std::fs;

use serde_json::{Value, json};
use testkit::ends::{Server, session};
use testkit::picture_client::{self, ECHOING};
use testkit::program::{Program, command};
use testkit::report::{ReportFile, checked, only_session};
use testkit::slow_client::SlowClient;

fn wire(session: &Value) -> u64 {
    session["bytes"]["frames_wire"].as_u64().expect("a count")
}

#[test]
fn png_gives_the_errors_of_raw_frames_to_the_last_digit_over_every_link() {
    let noisy = ["--frames", "20", "--size", "320x240", "--noise", "1"];
    for (pixel, link) in [("gray8", "webrtc"), ("bgr8", "webrtc"), ("gray8", "tcp"), ("bgr8", "tcp")] {
        let run =
            |encoding| session(&[&noisy[..], &["--pixel", pixel, "--encoding", encoding]].concat(), &["--link", link]);
        let [raw, png] = ["raw", "png"].map(run);
        assert_eq!((&raw["frames"]["circle"], &png["frames"]["circle"]), (&json!(20), &json!(20)), "{pixel} {link}");
        assert_eq!(raw["error_px"], png["error_px"], "{pixel} {link}");
        assert!(wire(&png) < wire(&raw), "{pixel} {link}: {} bytes of {}", wire(&png), wire(&raw));
        assert_eq!(png["encoding"], json!({"asked": "png", "used": "png", "lossy": false}));
    }
}

#[test]
fn png_works_over_memory_and_in_live_delivery() {
    for more in [&["--link", "memory"][..], &["--delivery", "live"]] {
        let mut server = command("server");
        server.args(["--loopback", "--once", "--no-graphics", "--json", "-", "--frames", "20", "--encoding", "png"]);
        let ended = Program::start({
            server.args(more);
            server
        })
        .end()
        .expect(0);
        let report = checked(&ended.stdout.join("\n"));
        let session = only_session(&report);
        let bytes = |name: &str| session["bytes"][name].as_u64().expect("a count");
        assert_eq!(session["frames"]["sent"], 20, "{session:#}");
        // Clean frames, so a hundredth is far more than a PNG takes.
        assert!(bytes("frames_wire") < bytes("frames_raw") / 20, "{}", session["bytes"]);
    }
}

/// A depth camera whose frames are sent as PNG over TCP.
#[test]
fn frames_of_the_depth_camera_arrive_as_png_over_tcp_bit_for_bit_and_are_scored() {
    let depth = ["--source", "depth", "--depth-noise", "2", "--frames", "20", "--link", "any"];
    let run = |encoding| session(&[&depth[..], &["--encoding", encoding]].concat(), &["--link", "tcp"]);
    let [raw, png] = ["raw", "png"].map(run);
    assert_eq!((&png["client"]["link"], &png["encoding"]["used"]), (&json!("tcp"), &json!("png")));
    assert_eq!(png["frames"]["circle"], 20, "{:#}", png["frames"]);
    assert!(png["error_px"]["l1"]["mean"].as_f64().is_some_and(|mean_px| mean_px < 0.3), "{:#}", png["error_px"]);
    assert_eq!(png["error_px"], raw["error_px"]);
    assert!(wire(&png) < wire(&raw), "{} bytes of {}", wire(&png), wire(&raw));
    // A program answers each frame with its pixels plus one, which shows that every pixel arrived unchanged.
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/one_more.py");
    let options = ["--encoding", "png", "--task", "image", "--deadline", "60s", "--frames", "4"];
    let client = ["--link", "tcp", "--pipeline", &format!("exec:python3 '{program}'"), "--pipeline-timeout", "20s"];
    let pictures = session(&[&depth[..4], &options].concat(), &client);
    let psnr = |figure: &str| pictures["image"]["psnr_db"][figure].as_f64().expect("a figure");
    assert_eq!(pictures["image"]["images"], 4);
    // 20 · log₁₀(65535), in the worst frame too.
    assert!(
        (psnr("mean") - 96.329_465_993).abs() < 1e-6 && (psnr("min") - 96.329_465_993).abs() < 1e-6,
        "{pictures:#}"
    );
}

#[test]
fn pictures_come_back_from_png_frames_as_they_were_sent() {
    for pixel in ["gray8", "bgr8"] {
        let report = ReportFile::new();
        let options = ["--task", "image", "--once", "--fps", "max", "--frames", "4", "--encoding", "png"];
        let server = Server::start(&[&["--pixel", pixel, "--json", report.name()], &options[..]].concat());
        picture_client::run(server.address.parse().expect("an address"), &ECHOING);
        server.end().expect(0);
        let report = report.read();
        let image = &only_session(&report)["image"];
        assert_eq!((&image["images"], &image["identical"]), (&json!(4), &json!(4)), "{pixel}");
    }
}

#[test]
fn jpeg_loses_little_and_no_output_shows_a_limit() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("frames.csv");
    let csv = path.to_str().expect("UTF-8");
    for pixel in ["gray8", "bgr8"] {
        let report = ReportFile::new();
        let options = ["--once", "--fps", "max", "--seed", "7", "--frames", "60", "--noise", "2", "--pixel", pixel];
        let jpeg = ["--encoding", "jpeg:90", "--json", report.name(), "--csv", csv];
        let server = Server::start(&[&options[..], &jpeg].concat());
        server.client(&[]).end().expect(0);
        let ended = server.end().expect(0);
        let report = report.read();
        let session = only_session(&report);
        assert_eq!(report["run"]["config"]["encoding"], "jpeg:90");
        assert_eq!(session["encoding"], json!({"asked": "jpeg:90", "used": "jpeg:90", "lossy": true}));
        assert_eq!(session["frames"]["circle"], 60, "{:#}", session["frames"]);
        let error = &session["error_px"];
        assert!(error["l1"]["max"].as_f64().is_some_and(|max_px| max_px < 0.2), "{error:#}");
        for figure in ["limit", "limit_kind", "efficiency"] {
            assert_eq!(error[figure], Value::Null, "{figure}");
        }
        let said = ended.stderr.join("\n") + &ended.stdout.join("\n");
        assert!(
            said.contains("jpeg:90 loses something: the pipeline saw other pixels, so no limit is known"),
            "{said}"
        );
        assert!(!said.contains("x the limit"), "{said}");
        let mut rows = csv::Reader::from_path(&path).expect("rows");
        let limit = rows.headers().expect("a header").iter().position(|name| name == "limit_l1").expect("its column");
        let limits: Vec<_> = rows.records().map(|row| row.expect("a row")[limit].to_owned()).collect();
        assert_eq!(limits, [""; 60]);
        fs::remove_file(&path).expect("removed");
    }
}

#[test]
fn a_peer_that_does_not_read_the_encoding_gets_raw_frames_and_log_report_and_summary_say_so() {
    for (encoding, feature) in [("png", "png"), ("jpeg:90", "jpeg")] {
        let report = ReportFile::new();
        let options = ["--once", "--frames", "5", "--fps", "max", "--json", report.name(), "--encoding", encoding];
        let server = Server::start(&options);
        // It names no feature.
        let client = SlowClient { queue: Default::default(), detect: Default::default(), ahead_us: 0 };
        client.run(server.address.parse().expect("an address"));
        let ended = server.end().expect(0);
        let warning =
            format!("the client does not say that it reads {encoding} (feature \"{feature}\"): its frames are raw");
        assert_eq!(ended.stderr.iter().filter(|line| line.contains(&warning)).count(), 1, "{:#?}", ended.stderr);
        let said = ended.stderr.join("\n") + &ended.stdout.join("\n");
        assert!(
            said.contains(&format!("raw instead of {encoding}, which the client does not say that it reads")),
            "{said}"
        );
        let report = report.read();
        let session = only_session(&report);
        assert_eq!(session["encoding"], json!({"asked": encoding, "used": "raw", "lossy": false}));
        assert!(wire(session) > session["bytes"]["frames_raw"].as_u64().expect("a count"));
        assert_eq!(session["frames"]["no_circle"], 5);
    }
}
