//! Pictures of the worst frames of a source that cannot be read again: the server keeps them during the run.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{JoinHandle, spawn};

use tempfile::TempDir;
use testkit::ends::Server;
use testkit::folder::{Folder, unpaced};

const WIDTH: usize = 160;
const HEIGHT: usize = 120;
const RADIUS: f64 = 16.0;

/// Frames of a test: more than the page shows.
const FRAMES: usize = 40;

/// The frames with a wrong truth. The error grows from each to the next, and the page shows exactly these.
const WRONG: std::ops::Range<usize> = 20..32;

fn centre(frame: usize) -> [f64; 2] {
    [40.0 + 2.0 * frame as f64, 60.0]
}

/// A frame with a disc. Each frame has a different background.
fn pixels(frame: usize) -> Vec<u8> {
    let [x, y] = centre(frame);
    let level = |place: usize| {
        let far = ((place % WIDTH) as f64 - x).hypot((place / WIDTH) as f64 - y);
        let inside = (RADIUS + 0.5 - far).clamp(0.0, 1.0);
        let around = background(frame);
        (around + inside * (220.0 - around)).round() as u8
    };
    (0..WIDTH * HEIGHT).map(level).collect()
}

fn background(frame: usize) -> f64 {
    30.0 + frame as f64
}

/// Writes the truth of all frames.
fn truth(folder: &Path) -> String {
    let row = |frame| {
        let ([x, y], wrong) = (centre(frame), WRONG.contains(&frame));
        let error = if wrong { 2.0 + 0.1 * frame as f64 } else { 0.0 };
        format!("{frame},{},{y},{RADIUS}\n", x + error)
    };
    let rows: String = (0..FRAMES).map(row).collect();
    let path = folder.join("truth.csv");
    fs::write(&path, format!("frame,x,y,radius\n{rows}")).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

/// The frames as a video in a lossless codec.
fn video() -> Vec<u8> {
    let mut ffmpeg = Command::new("ffmpeg");
    let size = format!("{WIDTH}x{HEIGHT}");
    ffmpeg.args(["-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", &size, "-r", "25", "-i", "-"]);
    ffmpeg.args(["-c:v", "ffv1", "-f", "nut", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = ffmpeg.spawn().expect("ffmpeg is installed (.ci/install)");
    let mut stdin = child.stdin.take().expect("a pipe");
    let writing =
        spawn(move || (0..FRAMES).for_each(|frame| stdin.write_all(&pixels(frame)).expect("ffmpeg reads it")));
    let output = child.wait_with_output().expect("it ends");
    writing.join().expect("written");
    assert!(output.status.success());
    output.stdout
}

/// An address that can be read exactly twice: once to examine the video, and once to play it. The thread ends after
/// both.
fn twice(bytes: Vec<u8>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = format!("tcp://{}", listener.local_addr().expect("its address"));
    let serving = spawn(move || {
        for _ in 0..2 {
            let (mut visitor, _) = listener.accept().expect("a visitor");
            // Fails for ffprobe, which leaves as soon as it knows the format.
            let _ = visitor.write_all(&bytes);
        }
    });
    (address, serving)
}

/// Asserts that the page shows the worst frames, and that their files have their pixels.
#[track_caller]
fn assert_shown(folder: &Folder) {
    let page = folder.read("report.html");
    assert_eq!(page.matches("<image ").count(), 12, "pictures");
    assert!(page.contains("The pictures were kept during the run.</p>"));
    let captions = page.split("<figcaption>frame ").skip(1).map(|text| text.split('<').next().expect("a number"));
    let expected: Vec<_> = WRONG.rev().map(|frame| frame.to_string()).collect();
    assert_eq!(captions.collect::<Vec<_>>(), expected, "the worst first");
    let mut files: Vec<_> = fs::read_dir(folder.path.join("worst")).expect("a folder").flatten().collect();
    files.sort_by_key(std::fs::DirEntry::path);
    let names: Vec<_> = files.iter().map(|file| file.file_name().into_string().expect("UTF-8")).collect();
    assert_eq!(names, WRONG.map(|frame| format!("1-{frame}.png")).collect::<Vec<_>>());
    for (file, frame) in files.iter().zip(WRONG) {
        let picture = image::open(file.path()).expect("a picture").into_luma8();
        assert_eq!(f64::from(picture[(0, 0)].0[0]), background(frame), "the corner of frame {frame}");
        assert!(picture.pixels().any(|pixel| pixel.0[0] == 220), "the disc of frame {frame}");
        assert!(picture.width() <= 128 && picture.height() <= 128);
    }
}

#[test]
fn the_worst_frames_of_a_stream_that_cannot_be_read_again_are_on_the_page() {
    let inside = tempfile::tempdir().expect("a temporary directory");
    let (source, serving) = twice(video());
    let truth = truth(inside.path());
    let folder = Folder::new();
    let options = ["--once", "--source", &source, "--truth", &truth, "--task", "circle", "--out", folder.name()];
    let server = Server::start(&options);
    server.client(&[]).end().expect(0);
    server.end().expect(0);
    serving.join().expect("exactly two visitors");
    assert_shown(&folder);
    let before = folder.read("report.html");
    fs::remove_file(folder.path.join("report.html")).expect("removed");
    folder.renew().expect(0);
    assert!(folder.read("report.html") == before, "the page has changed");
}

/// The frames as files in a folder.
fn files() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(folder.path().join("frames")).expect("made");
    for frame in 0..FRAMES {
        let picture = [format!("P5 {WIDTH} {HEIGHT} 255\n").into_bytes(), pixels(frame)].concat();
        fs::write(folder.path().join(format!("frames/{frame:02}.pgm")), picture).expect("written");
    }
    folder
}

#[test]
fn pictures_survive_a_crash_and_the_end_of_their_source() {
    let files = files();
    let (source, truth) = (files.path().join("frames"), truth(files.path()));
    let folder = Folder::new();
    let source = source.to_str().expect("UTF-8");
    // More than a second after the last of the worst frames, so that its picture is written.
    let options = ["--source", source, "--truth", &truth, "--task", "circle", "--fps", "50", "--loop"];
    folder.broken_off(&options, 120);
    files.close().expect("removed");
    folder.renew().expect(0);
    let page = folder.read("report.html");
    assert_eq!(page.matches("<image ").count(), 12, "pictures");
    assert_eq!(page.matches("no picture").count(), 0);
}

#[test]
fn frames_of_a_computed_source_are_rendered_again_for_the_page() {
    let folder = Folder::new();
    unpaced(&["--frames", "40", "--noise", "10", "--size", "160x120", "--out", folder.name()]).expect(0);
    assert!(!folder.path.join("worst").exists());
    let page = folder.read("report.html");
    assert_eq!(page.matches("<image ").count(), 12, "pictures");
    assert!(page.contains("The pictures are these frames, rendered again."));
}

#[test]
fn the_page_says_which_pictures_are_lost() {
    let files = files();
    let (source, truth) = (files.path().join("frames"), truth(files.path()));
    let folder = Folder::new();
    let source = source.to_str().expect("UTF-8");
    unpaced(&["--source", source, "--truth", &truth, "--task", "circle", "--out", folder.name()]).expect(0);
    assert_shown(&folder);
    fs::write(folder.path.join("worst/1-31.png"), "no picture").expect("written");
    fs::copy(folder.path.join("worst/1-29.png"), folder.path.join("worst/1-30.png")).expect("copied");
    fs::remove_file(folder.path.join("worst/1-28.png")).expect("removed");
    folder.renew().expect(0);
    let page = folder.read("report.html");
    assert!((9..=10).contains(&page.matches("<image ").count()), "pictures");
    assert!(page.contains("Some were lost."));
    fs::remove_dir_all(folder.path.join("worst")).expect("removed");
    folder.renew().expect(0);
    assert!(folder.read("report.html").contains("No picture of these frames was kept."));
}
