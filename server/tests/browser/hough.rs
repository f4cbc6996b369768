//! `hough` in the page, as WebAssembly.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use testkit::browser::{self, Page};
use testkit::ends::Server;
use testkit::program::poll;

use super::{complaints, page, report, run, said, wait_for_end};

/// Whether `hough` can be chosen on the page. If not, the test says so and passes, unless `CI` is `true`.
fn hough_is_there(page: &Page) -> bool {
    page.wait_for("return document.getElementById('typed').value");
    let is_there = page.run("return ![...document.getElementById('choice').options].at(-1).disabled") == true;
    assert!(is_there || std::env::var("CI").as_deref() != Ok("true"), "{}", page.text("#choice-hint"));
    if !is_there {
        // Written to stderr itself, because the text of print macros is only shown for tests that fail.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {}", page.text("#choice-hint"));
    }
    is_there
}

#[test]
fn hough_in_the_page_measures_what_the_client_measures() {
    if !browser::is_there() {
        return;
    }
    for (options, counted, measured) in [
        (&["--noise", "10"][..], "/frames/circle", "/error_px/l1/mean"),
        (&["--source", "depth", "--size", "256x212", "--depth-noise", "3"], "/frames/circle", "/error_px/l1/mean"),
        (&["--task", "count", "--balls", "1..4", "--pixel", "bgr8"], "/frames/answered", "/count/exact"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        let always = ["--frames", "60", "--fps", "30", "--seed", "7", "--json", path.to_str().expect("UTF-8")];
        let server = Server::start(&[&always[..], options].concat());
        let page = page(&server);
        if !hough_is_there(&page) {
            return;
        }
        page.fill("#choice", "hough");
        page.click("#go");
        assert!(wait_for_end(&page).contains("finished"), "{}", page.text("#run-error"));
        server.client(&[]).end().expect(0);
        let sessions = poll(|| report(&path)["sessions"].as_array().filter(|all| all.len() == 2).cloned());
        let [ours, theirs] = <[Value; 2]>::try_from(sessions.expect("two sessions")).expect("two");
        assert_eq!((&ours["client"]["name"], &ours["client"]["link"]), (&json!("page"), &json!("webrtc")));
        assert_eq!(ours["frames"]["answered"], 60, "{options:?}: {ours:#}");
        assert_eq!(ours.pointer(counted), theirs.pointer(counted), "{options:?}: {ours:#}");
        let figure = |session: &Value| session.pointer(measured).and_then(Value::as_f64).expect("a figure");
        let (ours, theirs) = (figure(&ours), figure(&theirs));
        println!("{options:?}: {measured} {ours} in the page, {theirs} in the client");
        // Both are the same program but for the last digits of sine, cosine and arc tangent.
        assert!((ours - theirs).abs() <= 1e-3 * theirs, "{options:?}: {ours} in the page, {theirs} in the client");
        assert_eq!(complaints(&page), [] as [&str; 0]);
    }
}

/// Name, version and checksum of each crate in a lock file.
fn locked(path: &str) -> Vec<[String; 3]> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a lock file");
    let value = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        line.unwrap_or_default().to_owned()
    };
    text.split("[[package]]")
        .skip(1)
        .map(|block| ["name", "version", "checksum"].map(|name| value(block, name)))
        .collect()
}

/// A build that has the crates of the programs then needs no network for the page's detector.
#[test]
fn hough_of_the_page_is_built_from_the_crates_of_the_programs() {
    let ours = locked("../Cargo.lock");
    let others: Vec<_> = locked("../wasm/Cargo.lock").into_iter().filter(|a| !ours.contains(a)).collect();
    assert_eq!(others.iter().map(|[name, ..]| &name[..]).collect::<Vec<_>>(), ["\"hough\""], "{others:#?}");
}

#[test]
fn no_script_but_that_of_hough_may_compile_webassembly() {
    if !browser::is_there() {
        return;
    }
    let server = Server::start(&["--fps", "20", "--size", "160x120"]);
    let page = page(&server);
    // The smallest module.
    let compile = "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))";
    let in_page = page.run(&format!("try {{ {compile}; return 'compiled' }} catch (error) {{ return error.name }}"));
    assert_eq!(in_page, "CompileError");
    run(&page, &format!("(frame) => {{ {compile}; return null }}"));
    page.wait_for("return /, [1-9][0-9]* dropped/.test(document.getElementById('run-counts').textContent)");
    assert!(page.text("#run-error").starts_with("CompileError"), "{}", page.text("#run-error"));
    for (path, may) in [("/", false), ("/pipeline.js", false), ("/hough.js", true)] {
        let answer = said(&server, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
        let policy = answer.lines().find(|line| line.starts_with("Content-Security-Policy: ")).expect("a policy");
        assert_eq!(policy.contains("unsafe"), may, "{path}: {policy}");
    }
}
