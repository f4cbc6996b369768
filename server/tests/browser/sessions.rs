//! Sessions on the page: which picture is shown, and a pipeline that is slower than the stream.

use testkit::browser;
use testkit::ends::Server;

use super::{page, run};

#[test]
fn a_session_without_a_picture_is_not_shown_with_that_of_another() {
    if !browser::is_there() {
        return;
    }
    let server = Server::start(&["--fps", "60", "--size", "160x120", "--frames", "60"]);
    // Nobody watches the first session, so it has no picture.
    server.client(&[]).end().expect(0);
    let page = page(&server);
    server.client(&[]).end().expect(0);
    page.wait_for("return !document.getElementById('live').hidden");
    page.click("#sessions [data-session='1']");
    page.wait_for("return document.getElementById('live').hidden");
    page.click("#sessions [data-session='2']");
    page.wait_for("return !document.getElementById('live').hidden");
}

#[test]
fn a_pipeline_that_cannot_keep_up_with_a_live_stream_drops_frames_and_keeps_at_most_a_window_of_them() {
    if !browser::is_there() {
        return;
    }
    let server = Server::start(&["--delivery", "live", "--fps", "60", "--size", "160x120", "--window", "4"]);
    let page = page(&server);
    run(&page, "(frame) => { const end = Date.now() + 300; while (Date.now() < end); return null; }");
    page.wait_for(
        "return /, [1-9][0-9]* answered, [1-9][0-9]+ dropped, [0-9.]+ ms/.test(document.getElementById('run-counts').textContent)",
    );
    assert!(page.text("#run-error").contains("4 frames wait for it already"), "{}", page.text("#run-error"));
}
