//! Truth from a file: frames of a video are scored against it, and what is wrong with it is named.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::ends::Server;
use testkit::program::{Program, command};
use testkit::report::{ReportFile, only_session, rows};

/// Number of frames of the video.
const FRAMES: usize = 8;

/// Where the disc's centre is in a frame: whole pixels, where a disc of whole pixels is symmetric.
fn centre(frame: usize) -> (f64, f64) {
    (60.0 + 3.0 * frame as f64, 55.0 + frame as f64)
}

/// A folder with a video of 160x120 in which a disc moves.
fn video() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = "-v error -f rawvideo -pix_fmt gray -s 160x120 -r 30 -i - -c:v ffv1 disc.mkv";
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(arguments.split(' ')).current_dir(folder.path()).stdin(Stdio::piped());
    let mut ffmpeg = ffmpeg.spawn().expect("ffmpeg is installed (.ci/install)");
    let frames: Vec<u8> = (0..FRAMES).flat_map(picture).collect();
    ffmpeg.stdin.take().expect("a pipe").write_all(&frames).expect("ffmpeg reads all of it");
    assert!(ffmpeg.wait().expect("it ends").success());
    folder
}

fn picture(frame: usize) -> Vec<u8> {
    let (x, y) = centre(frame);
    let is_inside = |column: f64, row: f64| (column - x).hypot(row - y) <= 16.0;
    let pixels = (0..120).flat_map(|row| (0..160).map(move |column| (f64::from(column), f64::from(row))));
    pixels.map(|(column, row)| if is_inside(column, row) { 180 } else { 40 }).collect()
}

/// The session of a run with this truth, and what the server printed.
fn scored(folder: &TempDir, truth: &str, words: &[&str]) -> (Value, Vec<String>) {
    let (report, path) = (ReportFile::new(), folder.path().join("truth.csv"));
    fs::write(&path, truth).expect("written");
    let source = folder.path().join("disc.mkv");
    let [source, path] = [&source, &path].map(|path| path.to_str().expect("UTF-8"));
    let server =
        Server::start(&["--source", source, "--truth", path, "--once", "--fps", "max", "--json", report.name()]);
    server.client(&[]).end().expect(0);
    let mut ended = server.end().expect(0);
    for word in words {
        ended = ended.says(word);
    }
    (only_session(&report.read()).clone(), ended.stdout)
}

#[test]
fn circles_of_a_file_score_the_frames_that_they_list_and_no_others() {
    let folder = video();
    let row = |frame: usize, radius: &str| {
        let (x, y) = centre(frame);
        format!("{frame},{x},{y},{radius}\n")
    };
    let truth = format!("frame,x,y,radius\n{}{}{}", row(1, "16"), row(5, ""), row(6, "16"));
    let (session, stdout) = scored(&folder, &truth, &[]);
    assert_eq!((&session["task"], &session["frames"]["circle"]), (&json!("circle"), &json!(FRAMES)));
    let error = &session["error_px"];
    // A disc of whole pixels is symmetric about its centre, so only the detector's own error is left.
    assert!(error["l1"]["max"].as_f64().expect("scored") < 0.1, "{error}");
    assert!(error["limit"].is_null() && error["efficiency"].is_null(), "no limit is made up: {error}");
    let known: Vec<bool> = rows(&stdout).iter().map(|row| !row.contains("unknown")).collect();
    assert_eq!(known, [false, true, false, false, false, true, true, false], "{stdout:#?}");
}

#[test]
fn counts_of_a_file_make_the_task_count_and_rows_without_a_frame_are_named() {
    let folder = video();
    let truth = "frame,count\n0,1\n1,1\n3,2\n8,1\n100,1\n";
    let words = ["truth.csv: 2 rows are for frames that never came, the first for frame 8"];
    let (session, _) = scored(&folder, truth, &words);
    assert_eq!(session["task"], "count");
    let count = &session["count"];
    assert_eq!((&count["scored"], &count["exact"]), (&json!(3), &json!(2)), "{count}");
}

#[test]
fn a_truth_file_that_is_wrong_is_refused_before_the_server_listens() {
    let folder = video();
    let refused = |truth: &[u8], options: &[&str], words: &str| {
        fs::write(folder.path().join("t.csv"), truth).expect("written");
        let mut server = command("server");
        server.current_dir(folder.path()).args(["--no-graphics", "--source", "disc.mkv", "--truth", "t.csv"]);
        server.args(options);
        Program::start(server).end().expect(2).says(words);
    };
    refused(b"x,y\n1,2\n", &[], "t.csv: line 1: \"x,y\" is not the header");
    refused(b"frame,x,y,radius\n0,nan,2,3\n", &[], "t.csv: line 2, column x: \"nan\" is not a number of px");
    refused(b"frame,count\n0,1\n0,2\n", &[], "t.csv: line 3, column frame: frame 0 is in line 2 too");
    refused(b"frame,count\n0,1\n", &["--task", "circle"], "--task circle cannot be scored with t.csv");
}
