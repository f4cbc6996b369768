//! Videos as a source, with the ffmpeg of this machine: which pixels come, in which order, and how a video ends, breaks
//! or is refused.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::spawn;

use serde_json::{Value, json};
use server::run::RunSpec;
use server::source;
use shared::image::{PixelFormat, gray_level};
use tempfile::TempDir;
use testkit::ends::Server;
use testkit::program::{Program, command, poll};
use testkit::report::{ReportFile, only_session};

/// Runs ffmpeg with these arguments, separated by spaces, in a folder.
fn ffmpeg(folder: &TempDir, arguments: &str, input: &[u8]) {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y"]).args(arguments.split(' ')).current_dir(folder.path());
    let mut child = command.stdin(Stdio::piped()).spawn().expect("ffmpeg is installed (.ci/install)");
    child.stdin.take().expect("a pipe").write_all(input).expect("ffmpeg reads all of it");
    assert!(child.wait().expect("it ends").success(), "ffmpeg {arguments}");
}

/// Frames of ffmpeg's pixel format, whose bytes run through all values.
fn raw(frames: usize, bytes: usize) -> Vec<Vec<u8>> {
    (0..frames).map(|frame| (0..bytes).map(|byte| (byte * 7 + frame * 31) as u8).collect()).collect()
}

/// Writes these frames as a video in a lossless codec, 25 per second.
fn write(folder: &TempDir, name: &str, pix_fmt: &str, size: &str, codec: &str, frames: &[Vec<u8>]) -> PathBuf {
    let arguments = format!("-f rawvideo -pix_fmt {pix_fmt} -s {size} -r 25 -i - -c:v {codec} {name}");
    ffmpeg(folder, &arguments, &frames.concat());
    folder.path().join(name)
}

fn run(path: &Path, pixel: PixelFormat) -> RunSpec {
    let mut run = RunSpec::default();
    run.sent.source = path.display().to_string();
    run.sent.pixel = Some(pixel);
    run
}

/// Index and bytes of every frame that the source of a run gives.
fn played(run: &RunSpec) -> Vec<(u64, Vec<u8>)> {
    let mut source = source::supply(run).expect("a video").open().expect("it opens");
    let mut frames = Vec::new();
    while let Some(frame) = source.next().expect("frames") {
        frames.push((frame.index, frame.image.bytes().to_vec()));
    }
    frames
}

#[track_caller]
fn gives(run: &RunSpec, expected: impl IntoIterator<Item = Vec<u8>>) {
    let expected: Vec<_> = expected.into_iter().enumerate().map(|(index, bytes)| (index as u64, bytes)).collect();
    assert!(played(run) == expected, "other pixels from {}", run.sent.source);
}

#[test]
fn the_y_plane_is_unchanged_in_every_range_and_layout() {
    let folder = tempfile::tempdir().expect("a folder");
    let (size, pixels) = ("64x48", 64 * 48);
    for (pix_fmt, bytes, codec, name) in [
        ("yuv420p", pixels * 3 / 2, "ffv1", "a.mkv"),
        ("yuv444p", pixels * 3, "ffv1", "b.mkv"),
        ("yuv420p", pixels * 3 / 2, "ffv1 -color_range pc", "c.mkv"),
        ("gray", pixels, "ffv1", "d.avi"),
        ("nv12", pixels * 3 / 2, "rawvideo", "e.nut"),
        ("yuv420p", pixels * 3 / 2, "wrapped_avframe", "f.y4m"),
    ] {
        let frames = raw(3, bytes);
        let file = write(&folder, name, pix_fmt, size, codec, &frames);
        gives(&run(&file, PixelFormat::Gray8), frames.iter().map(|frame| frame[..pixels].to_vec()));
    }
    let frames = raw(3, pixels * 2);
    let file = write(&folder, "g.nut", "yuyv422", size, "rawvideo", &frames);
    let every_second = |frame: &Vec<u8>| frame.iter().copied().step_by(2).collect();
    gives(&run(&file, PixelFormat::Gray8), frames.iter().map(every_second));
}

#[test]
fn odd_sizes_keep_their_last_column_and_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let pixels = 63 * 47;
    let frames = raw(3, pixels + 2 * 32 * 24);
    let file = write(&folder, "odd.mkv", "yuv420p", "63x47", "ffv1", &frames);
    gives(&run(&file, PixelFormat::Gray8), frames.iter().map(|frame| frame[..pixels].to_vec()));
}

#[test]
fn samples_of_ten_bits_are_rounded_to_eight() {
    let folder = tempfile::tempdir().expect("a folder");
    let samples: Vec<u16> = (0..64 * 48).map(|sample| (sample * 5 % 1024) as u16).collect();
    let frame: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let file = write(&folder, "ten.mkv", "gray10le", "64x48", "ffv1", &[frame]);
    let expected = samples.iter().map(|sample| (f64::from(*sample) / 4.0).round().min(255.0) as u8).collect();
    gives(&run(&file, PixelFormat::Gray8), [expected]);
}

#[test]
fn a_video_in_rgb_has_its_own_colours_and_opencvs_gray() {
    let folder = tempfile::tempdir().expect("a folder");
    let frames = raw(2, 64 * 48 * 3);
    let file = write(&folder, "rgb.mkv", "bgr24", "64x48", "ffv1 -pix_fmt bgr0", &frames);
    gives(&run(&file, PixelFormat::Bgr8), frames.clone());
    let gray = |frame: &Vec<u8>| frame.as_chunks::<3>().0.iter().map(|pixel| gray_level(*pixel)).collect();
    gives(&run(&file, PixelFormat::Gray8), frames.iter().map(gray));
}

#[test]
fn a_rotation_in_the_metadata_is_applied() {
    let folder = tempfile::tempdir().expect("a folder");
    let frames = raw(2, 64 * 48 * 3 / 2);
    write(&folder, "flat.mp4", "yuv420p", "64x48", "libx264 -qp 0", &frames);
    ffmpeg(&folder, "-i flat.mp4 -c copy -metadata:s:v rotate=90 turned.mp4", &[]);
    let run = run(&folder.path().join("turned.mp4"), PixelFormat::Gray8);
    let supply = source::supply(&run).expect("a video");
    assert_eq!(supply.format().size.to_string(), "48x64");
    // This option of ffmpeg 5.1 writes a quarter turn to the left: the top right corner comes first.
    let turned = |frame: &Vec<u8>| {
        let places = (0..64).rev().flat_map(|column| (0..48).map(move |row| (row, column)));
        places.map(|(row, column)| frame[row * 64 + column]).collect()
    };
    gives(&run, frames.iter().map(turned));
}

#[test]
fn every_frame_of_a_variable_rate_comes_once_at_the_mean_rate() {
    let folder = tempfile::tempdir().expect("a folder");
    let frames = raw(12, 64 * 48);
    write(&folder, "even.mkv", "gray", "64x48", "ffv1", &frames);
    // Frames 0 to 4 keep their times, the others come three times as slowly.
    let uneven = "-i even.mkv -vf setpts='if(lt(N,5),N,3*N-10)/25/TB' -fps_mode vfr -c:v ffv1 uneven.mkv";
    ffmpeg(&folder, uneven, &[]);
    let run = run(&folder.path().join("uneven.mkv"), PixelFormat::Gray8);
    gives(&run, frames);
    let rate = source::supply(&run).expect("a video").rate_hz().expect("a rate");
    assert!(rate > 8.0 && rate <= 25.0, "{rate}");
}

#[test]
fn a_loop_plays_the_file_again_with_the_indices_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let frames = raw(3, 64 * 48);
    let file = write(&folder, "three.mkv", "gray", "64x48", "ffv1", &frames);
    let mut run = run(&file, PixelFormat::Gray8);
    run.sent.repeat = true;
    let mut source = source::supply(&run).expect("a video").open().expect("it opens");
    for round in 0..8 {
        let frame = source.next().expect("a frame").expect("no end");
        assert_eq!((frame.index, frame.image.bytes()), (round % 3, &frames[round as usize % 3][..]));
    }
}

#[test]
fn a_video_ends_its_session_and_gives_the_rate_and_its_figures() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(&folder, "a.mkv", "gray", "64x48", "ffv1", &raw(12, 64 * 48));
    let (report, csv) = (ReportFile::new(), folder.path().join("frames.csv"));
    let options = ["--once", "--json", report.name(), "--csv", csv.to_str().expect("UTF-8")];
    let server = Server::start(&[&["--source", file.to_str().expect("UTF-8")], &options[..]].concat());
    server.client(&[]).end().expect(0);
    server.end().expect(0).says("finished");
    let report = report.read();
    let (config, session) = (&report["run"]["config"], only_session(&report));
    assert_eq!((&config["fps"], &config["size"], &session["task"]), (&json!(25.0), &json!("64x48"), &json!("ack")));
    assert_eq!(session["ack"]["codes"], json!({"0": 12}));
    let source = &session["source"];
    let counts = ["read", "passed_over", "broken"].map(|name| source[name].as_u64().expect("a count"));
    assert_eq!(counts, [12, 0, 0]);
    assert!(source["late"].is_u64() && source["decode_us"]["p99"].is_u64(), "{source}");
    let unused = config["unused_options"].as_array().expect("names");
    assert!(unused.contains(&json!("radius")) && !unused.contains(&json!("fps")), "{unused:?}");
    let rows = fs::read_to_string(&csv).expect("rows");
    let indices: Vec<u64> = rows.lines().skip(1).map(|row| row.split(',').nth(2).unwrap().parse().unwrap()).collect();
    assert_eq!(indices, (0..12).collect::<Vec<_>>());
}

#[test]
fn no_process_outlives_its_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(&folder, "long.mkv", "gray", "64x48", "ffv1", &raw(500, 64 * 48));
    let source = file.to_str().expect("UTF-8");
    let server = Server::start(&["--source", source, "--fps", "20", "--loop"]);
    let mut client = server.client(&[]);
    client.stdout.wait_for_count(4);
    assert!(!children(server.program.id()).is_empty(), "ffmpeg runs");
    client.signal("INT");
    client.end().expect(0);
    poll(|| children(server.program.id()).is_empty().then_some(())).expect("ffmpeg was killed and reaped");
}

/// Processes that a process has started, zombies too.
fn children(id: u32) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).expect("the process runs");
    let children = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok());
    children.flat_map(|ids| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The only session of a run that plays this file until it breaks.
fn broken(file: &Path, words: &str) -> Value {
    let report = ReportFile::new();
    let source = file.to_str().expect("UTF-8");
    let server = Server::start(&["--source", source, "--once", "--fps", "max", "--json", report.name()]);
    server.client(&[]).end();
    server.end().expect(4).says(words);
    only_session(&report.read()).clone()
}

#[test]
fn a_truncated_file_ends_the_run_with_4_and_what_ffmpeg_said_and_keeps_the_figures() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(&folder, "whole.mkv", "gray", "64x48", "ffv1", &raw(20, 64 * 48));
    let whole = fs::read(file).expect("written");
    let cut = folder.path().join("cut.mkv");
    fs::write(&cut, &whole[..whole.len() / 2]).expect("written");
    let session = broken(&cut, "ended prematurely");
    assert_eq!(session["end"]["kind"], "source_failed");
    let reason = session["end"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("cut.mkv breaks after frame ") && reason.contains("cut short"), "{reason}");
    let answered = session["frames"]["answered"].as_u64().expect("a count");
    assert!((1..20).contains(&answered), "{session}");
    assert_eq!(session["source"]["read"], answered);
}

#[test]
fn a_size_that_changes_within_the_file_is_named_with_its_frame() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder, "a.mjpeg", "gray", "64x48", "mjpeg", &raw(9, 64 * 48));
    write(&folder, "b.mjpeg", "gray", "32x24", "mjpeg", &raw(9, 32 * 24));
    let both = ["a.mjpeg", "b.mjpeg"].map(|name| fs::read(folder.path().join(name)).expect("written")).concat();
    let file = folder.path().join("both.mjpeg");
    fs::write(&file, both).expect("written");
    let session = broken(&file, "frame 9 is 32x24, the frames before it are 64x48");
    assert_eq!(session["frames"]["answered"], 9);
}

#[test]
fn a_file_that_is_not_a_video_is_refused_before_the_server_listens() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |name: &str, options: &[&str], words: &str| {
        let mut server = command("server");
        server.arg("--no-graphics").arg("--source").arg(folder.path().join(name)).args(options);
        Program::start(server).end().expect(2).says(words);
    };
    fs::write(folder.path().join("notes.txt"), "no video\n").expect("written");
    refused("notes.txt", &[], "notes.txt is not a video that ffmpeg can read");
    fs::write(folder.path().join("none.y4m"), "YUV4MPEG2 W64 H48 F30:1 Ip A1:1 C420jpeg\n").expect("written");
    refused("none.y4m", &[], "none.y4m has no frame");
    ffmpeg(&folder, "-f lavfi -i sine=duration=0.1 sound.wav", &[]);
    refused("sound.wav", &[], "sound.wav has no video stream");
    write(&folder, "a.mkv", "gray", "64x48", "ffv1", &raw(2, 64 * 48));
    refused(
        "a.mkv",
        &["--size", "640x480"],
        "--size 640x480 is not the size of the frames of the video, which is 64x48",
    );
    refused("a.mkv", &["--noise", "3"], "--noise does not apply");
}

#[test]
fn counts_of_a_video_without_truth_are_kept_and_not_scored() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(&folder, "a.mkv", "gray", "64x48", "ffv1", &raw(5, 64 * 48));
    let report = ReportFile::new();
    let source = file.to_str().expect("UTF-8");
    let server = Server::start(&["--source", source, "--task", "count", "--once", "--json", report.name()]);
    server.client(&[]).end().expect(0);
    server.end().expect(0);
    let session = only_session(&report.read()).clone();
    assert_eq!((&session["frames"]["answered"], &session["frames"]["invalid"]), (&5.into(), &0.into()));
    assert_eq!(session["count"]["wrong"], Value::Null, "{:#}", session["count"]);
}

#[test]
fn an_address_that_nobody_serves_is_refused_and_cannot_be_looped() {
    let refused = |options: &[&str], words: &str| {
        let mut server = command("server");
        server.args(["--no-graphics", "--source", "tcp://127.0.0.1:9"]).args(options);
        Program::start(server).end().expect(2).says(words);
    };
    refused(&[], "tcp://127.0.0.1:9 is not a video that ffmpeg can read (");
    refused(&[], "Connection refused");
    refused(&["--loop"], "--loop does not apply to --source tcp://127.0.0.1:9, which is not a file");
}

/// Listens, sends each visitor these bytes, and then says nothing more. Returns its port.
fn silent_after(bytes: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    spawn(move || {
        let mut visitors = Vec::new();
        for visitor in listener.incoming() {
            let mut visitor = visitor.expect("a visitor");
            // Fails for ffprobe, which leaves as soon as it knows the format.
            let _ = visitor.write_all(&bytes);
            visitors.push(visitor);
        }
    });
    port
}

#[test]
fn an_address_that_says_nothing_ends_the_run_with_4_and_its_name() {
    let port = silent_after(Vec::new());
    let servers = ["tcp", "rtsp"].map(|scheme| {
        let source = format!("{scheme}://127.0.0.1:{port}/stream");
        let mut server = command("server");
        server.args(["--no-graphics", "--source", &source]);
        (Program::start(server), source)
    });
    for (server, source) in servers {
        let words = "ffprobe gave nothing for 15 s: check that the address is right and that it sends";
        server.end().expect(4).says(&format!("{source}: {words}"));
    }
}

#[test]
fn an_address_that_falls_silent_ends_the_run_with_4_and_keeps_the_figures() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(&folder, "a.nut", "gray", "64x48", "rawvideo", &raw(40, 64 * 48));
    let source = format!("tcp://127.0.0.1:{}", silent_after(fs::read(file).expect("written")));
    let report = ReportFile::new();
    let options = ["--once", "--fps", "max", "--json", report.name(), "--source", &source];
    let server = Server::start(&options);
    server.client(&[]).end();
    server.end().expect(4).says("ffmpeg gave nothing for 15 s");
    let report = report.read();
    let session = only_session(&report);
    assert_eq!(session["end"]["kind"], "source_failed");
    let reason = session["end"]["reason"].as_str().expect("a reason");
    assert!(reason.contains(&source) && reason.contains("that it sends"), "{reason}");
    let answered = session["frames"]["answered"].as_u64().expect("a count");
    assert!((1..=40).contains(&answered), "{session}");
}

#[test]
fn without_ffmpeg_the_message_says_what_to_install() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.mp4"), "any").expect("written");
    let mut server = command("server");
    server.env("PATH", folder.path()).arg("--no-graphics").arg("--source").arg(folder.path().join("a.mp4"));
    Program::start(server)
        .end()
        .expect(2)
        .says("install ffmpeg")
        .says("or use a folder of images")
        .says("--target video");
}
