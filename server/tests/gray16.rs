//! Frames of 16 bits, from a folder of files to the score, and peers that cannot read them.

use std::io::{Read, Write};

use image::{GrayImage, ImageBuffer, Luma};
use serde_json::json;
use tempfile::TempDir;
use testkit::ends::Server;
use testkit::picture_client::{self, ECHOING};
use testkit::program::{Program, command};
use testkit::report::{ReportFile, only_session};

/// A folder of depth images of 161x121: a plane at 3 m with a shadow without readings, and a ball in front of it.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for index in 0..4 {
        depth(60.0 + f64::from(index)).save(folder.path().join(format!("d{index}.png"))).expect("written");
    }
    folder
}

fn depth(x: f64) -> ImageBuffer<Luma<u16>, Vec<u16>> {
    let distance = |column: u32, row: u32| (f64::from(column) - x).hypot(f64::from(row) - 60.0);
    ImageBuffer::from_fn(161, 121, |column, row| match distance(column, row) {
        near if near <= 16.0 => Luma([2500 + (column + row) as u16 % 7]),
        _ if column > 140 => Luma([0]),
        _ => Luma([3000 + (column * row) as u16 % 11]),
    })
}

fn name(folder: &TempDir) -> &str {
    folder.path().to_str().expect("UTF-8")
}

/// What a server of these options says to this first line, until it closes the connection.
fn said_to(server: &Server, line: &str) -> String {
    let mut visitor = server.connect();
    visitor.write_all(format!("{line}\n").as_bytes()).expect("sent");
    let mut said = String::new();
    visitor.read_to_string(&mut said).expect("closed by the server");
    said
}

#[test]
fn pictures_of_sixteen_bits_come_back_as_they_were_sent_in_every_encoding() {
    for encoding in ["raw", "lz4", "auto", "png"] {
        let (folder, report) = (folder(), ReportFile::new());
        let options = ["--pixel", "gray16", "--task", "image", "--once", "--fps", "max", "--encoding", encoding];
        let server = Server::start(&[&["--source", name(&folder), "--json", report.name()], &options[..]].concat());
        picture_client::run(server.address.parse().expect("an address"), &ECHOING);
        server.end().expect(0);
        let report = report.read();
        let session = only_session(&report);
        assert_eq!(report["run"]["config"]["pixel"], "gray16");
        assert_eq!((&session["image"]["images"], &session["image"]["identical"]), (&json!(4), &json!(4)), "{encoding}");
    }
}

#[test]
fn a_program_reads_little_endian_bytes_and_answers_with_sixteen_bits() {
    let (folder, report) = (folder(), ReportFile::new());
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/one_more.py");
    let options = ["--pixel", "gray16", "--task", "image", "--once", "--fps", "max", "--deadline", "60s"];
    let server = Server::start(&[&["--source", name(&folder), "--json", report.name()], &options[..]].concat());
    server.client(&["--pipeline", &format!("exec:python3 '{program}'"), "--pipeline-timeout", "20s"]).end().expect(0);
    server.end().expect(0);
    let report = report.read();
    let image = &only_session(&report)["image"];
    assert_eq!((&image["images"], &image["other_shape"]), (&json!(4), &json!(0)), "{image:#}");
    // Every pixel is one more than in the frame: 20 · log₁₀(65535).
    let mean = image["psnr_db"]["mean"].as_f64().expect("a mean");
    assert!((mean - 96.329_465_993).abs() < 1e-6, "{mean}");
}

#[test]
fn hough_finds_the_ball_in_depth_images() {
    let (folder, report) = (folder(), ReportFile::new());
    let options = ["--pixel", "gray16", "--task", "circle", "--once", "--fps", "max"];
    let server = Server::start(&[&["--source", name(&folder), "--json", report.name()], &options[..]].concat());
    server.client(&["--pipeline", "hough"]).end().expect(0);
    server.end().expect(0);
    assert_eq!(only_session(&report.read())["frames"]["circle"], 4);
}

#[test]
fn a_peer_that_does_not_name_gray16_is_refused_with_the_reason() {
    let folder = folder();
    let server = Server::start(&["--source", name(&folder), "--pixel", "gray16"]);
    for features in ["", r#","features":["lz4"]"#] {
        let said = said_to(&server, &format!(r#"{{"type":"hello","plumb":1,"role":"sink"{features}}}"#));
        assert!(said.starts_with(r#"{"type":"error","reason":"the frames are gray16"#), "{said}");
        assert!(said.contains(r#"\"features\":[\"gray16\"]"#), "{said}");
    }
    let plain = Server::start(&["--source", "ball"]);
    let mut visitor = plain.connect();
    visitor.write_all(b"{\"type\":\"hello\",\"plumb\":1,\"role\":\"sink\"}\n").expect("sent");
    let mut said = [0; 15];
    visitor.read_exact(&mut said).expect("an offer");
    assert_eq!(&said, br#"{"type":"offer""#, "8 bits need no feature");
}

#[test]
fn a_stranger_that_takes_the_offer_is_told_why_it_gets_no_frames_of_sixteen_bits() {
    let folder = folder();
    let server = Server::start(&["--source", name(&folder), "--pixel", "gray16"]);
    let mut visitor = std::io::BufReader::new(server.connect());
    let mut offer = String::new();
    std::io::BufRead::read_line(&mut visitor, &mut offer).expect("an offer");
    assert!(offer.starts_with(r#"{"type":"offer""#), "{offer}");
    visitor.get_mut().write_all(b"{\"type\":\"answer\",\"sdp\":\"v=0\"}\n").expect("sent");
    let mut said = String::new();
    visitor.read_to_string(&mut said).expect("closed by the server");
    assert!(said.starts_with(r#"{"type":"error","reason":"the frames are gray16"#), "{said}");
}

#[test]
fn images_with_other_pixels_are_refused_before_the_server_listens() {
    let folder = folder();
    let refused = |options: &[&str], words: &str| {
        let mut server = command("server");
        server.arg("--no-graphics").args(options);
        Program::start(server).end().expect(2).says(words);
    };
    refused(&["--pixel", "gray16"], "--pixel gray16 is not for --source ball");
    refused(&["--pixel", "gray16", "--task", "count"], "--pixel gray16 is not for --source ball");
    refused(&["--source", name(&folder)], "write --pixel gray16");
    refused(&["--pixel", "gray12"], "gray8, bgr8 or gray16");
    refused(&["--range", "7..7"], "write MIN..MAX");
    refused(&["--colormap", "rainbow"], "turbo, jet or gray");
    GrayImage::new(161, 121).save(folder.path().join("e.png")).expect("written");
    refused(&["--source", name(&folder), "--pixel", "gray16"], "e.png has 8 bits");
}
