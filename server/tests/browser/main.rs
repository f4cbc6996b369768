//! The page at the server's port, in headless Chromium: the dashboard, the pipeline that runs in the page, and pages of
//! others.

mod hough;
mod sessions;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use serde_json::{Value, json};
use testkit::browser::{self, Look, Page};
use testkit::certificates::Certificates;
use testkit::ends::Server;
use testkit::program::poll;

/// The server's page.
fn page(server: &Server) -> Page {
    Page::at(&format!("http://{}/", server.address))
}

/// What the server answers to these bytes.
fn said(server: &Server, bytes: &str) -> String {
    let mut visitor = server.connect();
    visitor.write_all(bytes.as_bytes()).expect("sent");
    let mut answer = String::new();
    visitor.read_to_string(&mut answer).expect("closed by the server");
    answer
}

/// The value of a series of `/metrics`.
fn metric(server: &Server, series: &str) -> f64 {
    let text = said(server, "GET /metrics HTTP/1.1\r\nHost: plumb\r\n\r\n");
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().expect("a number")
}

/// The report; null while there is none.
fn report(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap_or_default()).unwrap_or_default()
}

/// Types a pipeline and starts it.
fn run(page: &Page, typed: &str) {
    page.fill("#typed", typed);
    page.click("#go");
}

/// Starts our pipeline for the run's task.
fn run_ours(page: &Page, task: &str) {
    page.wait_for_words("#run", &format!("task {task},"));
    page.click("#go");
}

/// Waits until the page says that its run has ended.
#[track_caller]
fn wait_for_end(page: &Page) -> String {
    page.wait_for_words("#run-status", "ended: ")
}

/// The messages of the console, without those about a server that has ended.
fn complaints(page: &Page) -> Vec<String> {
    page.console().into_iter().filter(|line| !line.contains("ERR_CONNECTION_REFUSED")).collect()
}

#[test]
fn the_dashboard_shows_how_to_start_a_client_and_then_the_figures_of_the_report() {
    if !browser::is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let json = path.to_str().expect("UTF-8");
    let options = ["--frames", "150", "--fps", "60", "--noise", "4", "--seed", "7", "--json", json];
    let server = Server::start(&[&options[..], &["--gate", "frames.lost == 0"]].concat());
    let page = page(&server);
    page.wait_for("return !document.getElementById('start').hidden");
    let commands = page.run("return [...document.querySelectorAll('#commands code')].map(it => it.textContent)");
    assert_eq!(commands[0], format!("client {}", server.address));
    server.client(&[]).end().expect(0);
    page.wait_for_words("#who", "finished");
    // The report is written at the same time.
    let session = poll(|| report(&path)["sessions"].get(0).cloned()).expect("a session");
    let shown = page.run(
        "return [...document.querySelectorAll('[data-figure]')].map(it => [it.dataset.figure, it.dataset.value, it.textContent])",
    );
    let mut compared = 0;
    for figure in shown.as_array().expect("figures") {
        let [path, value, text] = [0, 1, 2].map(|place| figure[place].as_str().expect("text"));
        let reported = session.pointer(&format!("/{}", path.replace('.', "/"))).and_then(Value::as_f64);
        assert_eq!(value.parse().ok(), reported, "{path}: {text}");
        assert_eq!(text == "–", reported.is_none(), "{path}: {text}");
        compared += u32::from(reported.is_some());
    }
    assert!(compared >= 35, "{compared}");
    assert_eq!(page.text("#gate-list li b"), "pass");
    // Charts and the live picture.
    for chart in ["latency", "error"] {
        let line = format!("return document.querySelector('#{chart} .line').getAttribute('d').length > 200");
        assert_eq!(page.run(&line), true, "{chart}");
    }
    let bright = "const canvas = document.getElementById('frame');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return [canvas.width, canvas.height, data.some((value, place) => place % 4 < 3 && value > 150)]";
    assert_eq!(page.run(bright), json!([640, 480, true]));
    assert!(page.text("#frame-figures").contains("Actual"), "{}", page.text("#frame-figures"));
    for width in [400, 1400] {
        for dark in [false, true] {
            page.show(Look { width, dark });
            let wide = page.run("return document.documentElement.scrollWidth - innerWidth");
            assert!(wide.as_i64().is_some_and(|wide| wide <= 0), "{width} px: {wide} too wide");
        }
    }
    assert_eq!(complaints(&page), [] as [&str; 0]);
}

#[test]
fn a_pipeline_typed_on_the_page_is_scored_like_any_client() {
    if !browser::is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let server = Server::start(&["--once", "--frames", "90", "--fps", "30", "--json", path.to_str().expect("UTF-8")]);
    let page = page(&server);
    run_ours(&page, "circle");
    assert!(wait_for_end(&page).contains("finished"));
    server.end().expect(0);
    let session = &report(&path)["sessions"][0];
    assert_eq!(session["client"]["name"], "page");
    assert_eq!(session["client"]["link"], "webrtc");
    assert_eq!((&session["frames"]["circle"], &session["frames"]["lost"]), (&json!(90), &json!(0)), "{session:#}");
    let error = session["error_px"]["l1"]["mean"].as_f64().expect("an error");
    assert!(error < 0.05, "{error} px: a centroid of a disc without noise");
    assert!(session["latency_us"]["stages"]["detect"]["p50"].as_u64().is_some_and(|us| us > 0), "its times are used");
    assert!(page.text("#run-counts").starts_with("90 frames, 90 answered, 0 dropped"), "{}", page.text("#run-counts"));
    // The dashboard beside it had the last figures before the server ended.
    assert_eq!(page.run("return document.querySelector('[data-figure=\"frames.answered\"]').textContent"), "90");
    assert_eq!(complaints(&page), [] as [&str; 0]);
}

#[test]
fn count_ack_and_image_run_on_the_page_too() {
    if !browser::is_there() {
        return;
    }
    for (task, more, right) in [
        ("count", &["--balls", "0..1"][..], "/count/exact"),
        ("ack", &[], "/frames/answered"),
        ("image", &["--pixel", "bgr8"], "/frames/answered"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        let options = ["--once", "--task", task, "--frames", "40", "--fps", "20", "--size", "320x240"];
        let server = Server::start(&[&options[..], more, &["--json", path.to_str().expect("UTF-8")]].concat());
        let page = page(&server);
        run_ours(&page, task);
        wait_for_end(&page);
        server.end().expect(0);
        let session = &report(&path)["sessions"][0];
        assert_eq!(session.pointer(right), Some(&json!(40)), "{task}: {session:#}");
        assert_eq!(complaints(&page), [] as [&str; 0], "{task}");
    }
}

#[test]
fn every_pixel_reaches_the_pipeline_and_comes_back() {
    if !browser::is_there() {
        return;
    }
    for options in [
        &["--encoding", "raw", "--size", "320x240"][..],
        &["--encoding", "lz4", "--size", "321x241", "--noise", "2"],
        &["--encoding", "lz4", "--size", "320x240", "--pixel", "bgr8"],
        &["--encoding", "lz4", "--source", "depth", "--size", "256x212", "--depth-noise", "3"],
        &["--encoding", "raw", "--source", "depth", "--size", "256x212"],
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        let always =
            ["--once", "--task", "image", "--frames", "20", "--fps", "20", "--json", path.to_str().expect("UTF-8")];
        let server = Server::start(&[&always[..], options].concat());
        let page = page(&server);
        run(&page, "(frame) => frame");
        wait_for_end(&page);
        server.end().expect(0);
        let session = &report(&path)["sessions"][0];
        assert_eq!(session.pointer("/image/identical"), Some(&json!(20)), "{options:?}: {session:#}");
        assert_eq!(session["encoding"]["used"], options[1], "{options:?}");
    }
}

#[test]
fn an_endless_loop_is_ended_and_the_page_goes_on() {
    if !browser::is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let server = Server::start(&["--fps", "10", "--size", "160x120", "--json", path.to_str().expect("UTF-8")]);
    let page = page(&server);
    run(&page, "(frame) => { for (;;); }");
    page.wait_for(
        "return / 0 answered, [0-9]+ dropped, [2-9] restarts/.test(document.getElementById('run-counts').textContent)",
    );
    assert!(page.text("#run-error").contains("did not answer within 1000 ms"), "{}", page.text("#run-error"));
    page.click("#stop");
    wait_for_end(&page);
    // The next one works.
    run(&page, "(frame) => null");
    page.wait_for("return /, [1-9][0-9]* answered, 0 dropped/.test(document.getElementById('run-counts').textContent)");
    page.click("#stop");
    let sessions =
        poll(|| Some(report(&path)["sessions"].clone()).filter(|all| all.as_array().is_some_and(|all| all.len() == 2)));
    let sessions = sessions.expect("two sessions");
    // They are in the order in which they ended, and the first one may end late: its loop runs on until then.
    let session = |number: u64| {
        let all = sessions.as_array().expect("a list");
        all.iter().find(|session| session["session"] == number).expect("the session")
    };
    let frames = |place: usize, name: &str| session(place as u64 + 1)["frames"][name].as_u64().expect("a count");
    assert!(frames(0, "dropped") >= 2 && frames(0, "answered") == 0, "{sessions:#}");
    assert!(frames(1, "no_circle") >= 1 && frames(1, "dropped") == 0, "{sessions:#}");
    assert_eq!(session(1)["end"]["kind"], "client_left");
}

#[test]
fn what_goes_wrong_in_the_pipeline_is_shown_and_its_frames_are_dropped() {
    if !browser::is_there() {
        return;
    }
    let server = Server::start(&["--fps", "20", "--size", "160x120"]);
    let page = page(&server);
    for (typed, shown) in [
        ("(frame) => frame.nothing.there", "TypeError: Cannot read properties of undefined"),
        ("(frame) => ({ x: 1 })", "the pipeline answered {\"x\":1}: a circle is {x, y, radius}"),
        ("(frame) => { throw '<img src=x onerror=alert(1)>' }", "<img src=x onerror=alert(1)>"),
    ] {
        run(&page, typed);
        page.wait_for("return /, [1-9][0-9]* dropped/.test(document.getElementById('run-counts').textContent)");
        assert!(page.text("#run-error").starts_with(shown), "{}", page.text("#run-error"));
        page.click("#stop");
        wait_for_end(&page);
    }
    for (typed, shown) in [("42", "the text is no function of a frame"), ("(frame) =>", "")] {
        run(&page, typed);
        wait_for_end(&page);
        let said = page.text("#run-error");
        assert!(said.contains(shown) && !said.is_empty(), "{said}");
    }
    assert_eq!(page.run("return document.querySelectorAll('img').length"), 0, "what a pipeline says is text");
}

/// Serves one empty page of another origin until the test ends. Returns its address.
fn foreign_page() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for visitor in listener.incoming().flatten() {
            let mut visitor = visitor;
            // The request is not of interest.
            let _ = visitor.read(&mut [0; 4096]);
            let _ = visitor.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<!doctype html>",
            );
        }
    });
    format!("http://{address}/")
}

#[test]
fn a_page_of_another_origin_gets_neither_a_session_nor_figures() {
    if !browser::is_there() {
        return;
    }
    let server = Server::start(&["--fps", "20"]);
    let page = Page::at(&foreign_page());
    let address = &server.address;
    page.run(&format!(
        "window.outcomes = {{}};
        for (const path of ['signaling', 'figures', 'frames']) {{
            const socket = new WebSocket('ws://{address}/' + path);
            socket.onopen = () => outcomes[path] = 'open';
            socket.onclose = () => outcomes[path] ??= 'refused';
        }}
        fetch('http://{address}/').then(it => outcomes.page = 'read', () => outcomes.page = 'refused');
        fetch('http://{address}/metrics').then(it => outcomes.metrics = 'read', () => outcomes.metrics = 'refused');"
    ));
    let outcomes = page.wait_for("return Object.keys(outcomes).length === 5 && outcomes");
    for (what, outcome) in outcomes.as_object().expect("outcomes") {
        assert_eq!(outcome, "refused", "{what}");
    }
    assert_eq!(metric(&server, "plumb_sessions_total"), 0.0);
    // By another name, as after DNS rebinding.
    let refused = said(&server, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 421 ") && refused.contains("--allow-host evil.example"), "{refused}");
    let named = Server::start(&["--allow-host", "plumb.example"]);
    assert!(said(&named, "GET / HTTP/1.1\r\nHost: plumb.example:80\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

#[test]
fn neither_an_open_page_nor_a_spare_connection_counts_as_a_client() {
    if !browser::is_there() {
        return;
    }
    let server = Server::start(&["--once", "--frames", "5", "--fps", "60"]);
    let page = page(&server);
    page.wait_for("return !document.getElementById('start').hidden");
    // As Chromium opens them in advance: silent.
    let spare: Vec<_> = (0..3).map(|_| server.connect()).collect();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(metric(&server, "plumb_sessions_total"), 0.0);
    let ended = server.client(&[]).end();
    ended.expect(0);
    let ended = server.end();
    assert!(ended.stderr.iter().any(|line| line.contains("session 1: finished")), "{:#?}", ended.stderr);
    drop(spare);
}

#[test]
fn what_was_typed_before_the_task_is_known_stays() {
    if !browser::is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    fs::write(&path, "a token of tests\n").expect("a file");
    let server = Server::start(&[
        "--fps",
        "20",
        "--size",
        "160x120",
        "--task",
        "image",
        "--token-file",
        path.to_str().expect("UTF-8"),
    ]);
    let field = |page: &Page| page.run("return document.getElementById('typed').value");
    for typed in [None, Some("(frame) => frame")] {
        let page = page(&server);
        let first = field(&page);
        if let Some(typed) = typed {
            page.fill("#typed", typed);
        }
        // The page learns the task only after the token.
        page.fill("#token", "a token of tests");
        page.wait_for_words("#run", "task image,");
        match typed {
            Some(typed) => assert_eq!(field(&page), typed),
            None => assert_ne!(field(&page), first, "our pipeline of the task"),
        }
    }
}

#[test]
fn with_a_token_the_page_shows_and_runs_nothing_until_it_is_typed() {
    if !browser::is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    fs::write(&path, "a token of tests\n").expect("a file");
    let server = Server::start(&["--fps", "20", "--size", "160x120", "--token-file", path.to_str().expect("UTF-8")]);
    let page = page(&server);
    let says = |words: &str| {
        page.wait_for_words("#status", words);
    };
    let type_token = |token: &str| page.fill("#token", token);
    says("this server has a token: type it on the page");
    run(&page, "(frame) => null");
    assert!(wait_for_end(&page).contains("token"), "{}", page.text("#run-status"));
    type_token("another of tests");
    says("the server does not hold this token");
    run(&page, "(frame) => null");
    assert!(wait_for_end(&page).contains("the server does not hold this token"), "{}", page.text("#run-status"));
    assert_eq!(metric(&server, "plumb_sessions_total"), 0.0);
    type_token("a token of tests");
    says("waiting for a client");
    run(&page, "(frame) => null");
    page.wait_for("return /, [1-9][0-9]* answered/.test(document.getElementById('run-counts').textContent)");
    says("session 1");
    assert_eq!(metric(&server, "plumb_sessions_total"), 1.0);
}

#[test]
fn inside_tls_the_page_shows_figures_and_runs_a_pipeline_after_the_token() {
    if !browser::is_there() {
        return;
    }
    let made = Certificates::new(&["127.0.0.1"]);
    let token = made.folder().join("token");
    fs::write(&token, "a token of tests\n").expect("a file");
    let token = token.to_str().expect("UTF-8");
    let report_path = made.folder().join("report.json");
    let json = report_path.to_str().expect("UTF-8");
    let tls = made.listening("good");
    let mut options = vec!["--once", "--frames", "40", "--fps", "20", "--size", "320x240", "--token-file", token];
    options.extend(["--json", json]);
    options.extend(tls.iter().map(String::as_str));
    let server = Server::start(&options);
    let page = Page::at(&format!("https://{}/", server.address));
    page.wait_for_words("#status", "type it on the page");
    page.fill("#token", "a token of tests");
    run_ours(&page, "circle");
    assert!(wait_for_end(&page).contains("finished"));
    server.end().expect(0);
    let session = &report(&report_path)["sessions"][0];
    assert_eq!((&session["client"]["name"], &session["frames"]["circle"]), (&json!("page"), &json!(40)), "{session:#}");
    page.wait_for("return Number(document.querySelector('[data-figure=\"frames.answered\"]').textContent) > 0");
}

/// The page is loaded anew for each, so that each has its own connections, also those that Chromium opens in advance.
#[test]
#[ignore = "takes a minute: cargo test --workspace --test browser -- --ignored"]
fn of_fifty_openings_none_fails() {
    let server = Server::start(&["--fps", "30", "--size", "160x120"]);
    let page = page(&server);
    for opening in 1..=50 {
        run(&page, "(frame) => null");
        page.wait_for("return /, [1-9][0-9]* answered/.test(document.getElementById('run-counts').textContent)");
        page.click("#stop");
        wait_for_end(&page);
        assert_eq!(metric(&server, "plumb_sessions_total"), f64::from(opening));
        page.run("location.reload()");
        page.wait_for(
            "return document.readyState === 'complete' && !document.getElementById('run-status').textContent",
        );
    }
}
