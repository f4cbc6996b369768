//! The page of a listening client, in headless Chromium: the browser's camera is the source. Its picture is a video of a disc
//! whose place is known.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::browser::{self, Page};
use testkit::certificates::Certificates;
use testkit::ends::ListeningClient;

const SIZE: (usize, usize) = (640, 480);

/// Centre and radius of the disc, in px.
const DISC: (f64, f64, f64) = (300.25, 220.5, 40.0);

/// Luminance of the disc and of the ground.
const LEVELS: (f64, f64) = (200.0, 60.0);

/// A second of a camera that sees the disc: Y4M in a folder.
fn video() -> (TempDir, PathBuf) {
    let ((width, height), (x, y, radius), (disc, ground)) = (SIZE, DISC, LEVELS);
    let luminance = (0..height).flat_map(|row| {
        (0..width).map(move |column| {
            let covered = (radius + 0.5 - (column as f64 - x).hypot(row as f64 - y)).clamp(0.0, 1.0);
            (ground + (disc - ground) * covered).round() as u8
        })
    });
    let mut frame = b"FRAME\n".to_vec();
    frame.extend(luminance);
    // No colour.
    frame.extend(std::iter::repeat_n(128, width * height / 2));
    let mut video = format!("YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420jpeg\n").into_bytes();
    (0..30).for_each(|_| video.extend(&frame));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("disc.y4m");
    fs::write(&path, video).expect("a file");
    (folder, path)
}

/// Chooses these values, and starts to send the camera.
fn send(page: &Page, chosen: &[(&str, &str)]) {
    for (name, value) in chosen {
        page.fill(&format!("#{name}"), value);
    }
    page.click("#go");
}

/// Waits until this many frames are answered, and returns all figures.
#[track_caller]
fn figures(page: &Page, answered: u32) -> Value {
    page.wait_for(&format!(
        "return Number(document.querySelector('[data-figure=answered]').textContent) >= {answered}
            || document.getElementById('status').textContent.startsWith('ended')"
    ));
    assert_eq!(page.text("#status"), "sending");
    page.run(
        "return Object.fromEntries([...document.querySelectorAll('[data-figure]')].map(
            it => [it.dataset.figure, Number(it.textContent)]))",
    )
}

#[track_caller]
fn wait_for_end(page: &Page) -> String {
    page.wait_for_words("#status", "ended: ")
}

#[test]
fn the_camera_of_a_browser_is_processed_and_shown_with_its_answers() {
    if !browser::is_there() {
        return;
    }
    let (_folder, video) = video();
    let client = ListeningClient::start(&[]);
    let page = Page::with_camera(&format!("http://{}/", client.address), &video);
    for (task, pixel, said) in [
        ("circle", "gray8", "circle at "),
        ("circle", "bgr8", "circle at "),
        ("count", "gray8", "count 1"),
        ("ack", "gray8", "code "),
        ("image", "bgr8", "picture of 640x480"),
    ] {
        send(&page, &[("task", task), ("pixel", pixel)]);
        let figures = figures(&page, 40);
        assert_eq!((&figures["none"], &figures["dropped"], &figures["lost"]), (&0.into(), &0.into(), &0.into()));
        assert!(figures["p50"].as_f64().is_some_and(|ms| ms > 0.0), "{task}: {figures}");
        let words = page.text("#said");
        assert!(words.starts_with(said), "{task}: {words}");
        if task == "circle" {
            let place =
                |axis: &str| page.run(&format!("return Number(document.getElementById('said').dataset.{axis})"));
            let [x, y] = ["x", "y"].map(|axis| place(axis).as_f64().expect("a place"));
            assert!((x - DISC.0).hypot(y - DISC.1) < 0.1, "{pixel}: {x} {y}");
        }
        let bright = |canvas: &str| {
            page.run(&format!(
                "const canvas = document.getElementById('{canvas}');
                const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                return !canvas.hidden && data.some((value, place) => place % 4 < 3 && value > 150)"
            ))
        };
        assert_eq!((bright("frame"), bright("answer")), (json!(true), json!(task == "image")), "{task}");
        page.click("#stop");
        assert_eq!(wait_for_end(&page), "ended: stopped in the page");
        page.wait_for("return !document.getElementById('go').disabled");
    }
    client.program.stderr.wait_for("session 5: the server said bye: stopped in the page");
    // This test reads the canvas, the page does not.
    let complaints: Vec<_> = page.console().into_iter().filter(|line| !line.contains("willReadFrequently")).collect();
    assert_eq!(complaints, [] as [&str; 0]);
    client.stop().expect(0);
}

#[test]
fn inside_tls_a_camera_is_sent_after_the_token_and_not_without() {
    if !browser::is_there() {
        return;
    }
    let (_folder, video) = video();
    let made = Certificates::new(&["127.0.0.1"]);
    let token = made.folder().join("token");
    fs::write(&token, "a token of tests\n").expect("a file");
    let tls = made.listening("good");
    let mut options = vec!["--token-file", token.to_str().expect("UTF-8")];
    options.extend(tls.iter().map(String::as_str));
    let client = ListeningClient::start(&options);
    let page = Page::with_camera(&format!("https://{}/", client.address), &video);
    for (typed, said) in [
        ("", "ended: the client has a token: type it in the field"),
        ("short", "ended: a token has at least 16 characters"),
        ("another token of tests", "ended: the client does not hold this token"),
    ] {
        send(&page, &[("token", typed)]);
        let ended = wait_for_end(&page);
        // Whichever end notices first.
        assert!(ended == said || (typed.starts_with("another") && ended.contains("token")), "{ended}");
        page.wait_for("return !document.getElementById('go').disabled");
    }
    send(&page, &[("token", "a token of tests")]);
    assert_eq!(figures(&page, 20)["none"], 0);
    page.click("#stop");
    wait_for_end(&page);
    client.program.stderr.wait_for("session 1: the server said bye: stopped in the page");
    client.stop().expect(0);
}

#[test]
fn a_page_of_another_origin_or_name_does_not_call_a_client() {
    let client = ListeningClient::start(&[]);
    let address = &client.address;
    let status = |request: &str| {
        let mut visitor = client.connect();
        visitor.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        // A WebSocket stays open until the client has waited for a hello.
        let _ = visitor.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
    };
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for (origin, expected) in [
        (format!("http://{address}"), "HTTP/1.1 101 "),
        ("http://evil.example".to_owned(), "HTTP/1.1 403 "),
        ("null".to_owned(), "HTTP/1.1 403 "),
    ] {
        let got = status(&format!("GET /signaling HTTP/1.1\r\nHost: {address}\r\nOrigin: {origin}\r\n{upgrade}"));
        assert!(got.starts_with(expected), "{origin}: {got}");
    }
    for (host, expected) in [("evil.example", "HTTP/1.1 421 "), ("localhost", "HTTP/1.1 200 ")] {
        let got = status(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(got.starts_with(expected), "{host}: {got}");
    }
    client.called(&["--frames", "5"]).end().expect(0);
    client.called(&["--frames", "5"]).end().expect(0);
    client.stop().expect(0);
}
