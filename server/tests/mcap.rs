//! Recordings: files of `--record` are read with the packages that MCAP's users have, and replayed with `--source`.

#![cfg(feature = "mcap")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;
use testkit::ends::{Server, with};
use testkit::folder::{Folder, unpaced};
use testkit::program::{Ended, Program, command, command_after, poll};
use testkit::python::Packages;

static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| Packages::Mcap.test_python(env!("CARGO_TARGET_TMPDIR")));

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcap").join(name)
}

/// What the packages of MCAP's users read in a file.
#[track_caller]
fn read(file: &Path) -> Value {
    let output = Command::new(&*PYTHON).arg(script("read.py")).arg(file).output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// An MCAP file of this kind, as others write it.
fn of_others(folder: &TempDir, kind: &str) -> String {
    let path = folder.path().join(format!("{kind}.mcap"));
    let output = Command::new(&*PYTHON).arg(script("others.py")).arg(&path).arg(kind).output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    path.to_str().expect("UTF-8").to_owned()
}

/// The recording of a run.
fn recording_of(folder: &Folder) -> PathBuf {
    folder.path.join("run.mcap")
}

/// The recording of a run, as the value of `--source`.
fn source_of(folder: &Folder) -> String {
    recording_of(folder).to_str().expect("UTF-8").to_owned()
}

/// `server report` on the folder of a run.
fn reported(folder: &Folder) -> Ended {
    let mut report = command("server");
    report.args(["report", folder.name()]);
    Program::start(report).end()
}

/// The rows of `frames.csv`: columns by name.
fn table(folder: &Folder) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder.path.join("frames.csv")).expect("rows");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[test]
fn a_recording_is_read_by_the_packages_of_others_with_image_and_circles_at_one_time() {
    let folder = Folder::new();
    let options = ["--frames", "40", "--noise", "3", "--empty-rate", "0.2", "--seed", "7", "--record"];
    unpaced(&[&options[..], &["--size", "320x240", "--out", folder.name()]].concat()).expect(0);
    let found = read(&recording_of(&folder));
    let counted =
        ["Header", "DataEnd", "Footer", "Statistics", "Metadata", "Attachment"].map(|name| &found["records"][name]);
    assert_eq!(counted, [1, 1, 1, 1, 1, 1].map(Value::from).each_ref(), "{}", found["records"]);
    assert_eq!((&found["checksums"], &found["summary"]), (&true.into(), &true.into()));
    assert!(number(&found["longest_chunk_ns"]) <= 1e9);
    let metadata = &found["metadata"]["plumb.run"];
    assert_eq!(
        (&metadata["seed"], &metadata["task"], &metadata["format"]),
        (&"7".into(), &"circle".into(), &"1".into())
    );
    assert_eq!(
        metadata["run"].as_str().expect("a run").parse::<toml::Table>().expect("TOML")["noise"].as_float(),
        Some(3.0)
    );
    assert!(found["attachments"]["report.json"].as_u64().expect("bytes") > 1000);

    let rows = table(&folder);
    assert_eq!((rows.len(), found["frames"].as_object().expect("frames").len()), (40, 40));
    let mut empty = 0;
    for row in &rows {
        let frame = &found["frames"][&row["frame"]];
        let times = frame["log_times"].as_array().expect("times");
        assert!(times.len() == 5 && times.iter().all(|time| *time == times[0]), "{times:?}");
        let image = &frame["/camera/image"];
        assert_eq!((&image["at"], &image["encoding"], &image["step"]), (&times[0], &"mono8".into(), &320.into()));
        assert_eq!((&image["width"], &image["height"], &image["bytes"]), (&320.into(), &240.into(), &76_800.into()));
        for (topic, [x, y, radius]) in
            [("/truth", ["truth_x", "truth_y", "truth_radius"]), ("/estimate", ["x", "y", "radius"])]
        {
            let circles = frame[topic]["circles"].as_array().expect("circles");
            assert_eq!(circles.len(), usize::from(!row[x].is_empty()), "{topic} of {row:?}");
            let Some(circle) = circles.first() else { continue };
            assert_eq!(circle["at"], times[0]);
            let parsed = |column: &str| row[column].parse::<f64>().expect("a number");
            assert!((number(&circle["x"]) - 0.5 - parsed(x)).abs() < 1e-9, "{topic} of {row:?}");
            assert!((number(&circle["y"]) - 0.5 - parsed(y)).abs() < 1e-9, "{topic} of {row:?}");
            assert!((number(&circle["diameter"]) / 2.0 - parsed(radius)).abs() < 1e-9, "{topic} of {row:?}");
        }
        empty += usize::from(row["truth"] == "no ball");
        assert_eq!(frame["/frame"]["source_index"].to_string(), row["source_index"]);
        assert_eq!(frame["/score"]["latency_us"].to_string(), row["latency_us"]);
        if !row["l1"].is_empty() {
            assert_eq!(frame["/score"]["l1"].as_f64(), row["l1"].parse().ok(), "to the last digit");
            let text = &frame["/estimate"]["texts"][0];
            assert_eq!(text.as_str(), Some(&*format!("{:.4} px", number(&frame["/score"]["l1"]))));
        }
    }
    assert!(empty > 0, "some frames show no ball");
    let recording = &folder.session()["recording"];
    assert_eq!((&recording["recorded"], &recording["not_recorded"]), (&40.into(), &0.into()), "{recording}");
}

/// Columns that a replay has in common with the recorded run.
fn truths(rows: &[std::collections::HashMap<String, String>]) -> Vec<Vec<String>> {
    let columns = ["frame", "source_index", "truth", "truth_x", "truth_y", "truth_radius", "limit_l1", "truth_count"];
    rows.iter().map(|row| columns.map(|column| row.get(column).cloned().unwrap_or_default()).to_vec()).collect()
}

/// The pixels of all frames of a recording, in the order of their ids.
fn pixels(file: &Path) -> Vec<Value> {
    let found = read(file);
    let frames = found["frames"].as_object().expect("frames");
    (0..frames.len()).map(|id| frames[&id.to_string()]["/camera/image"]["sha256"].clone()).collect()
}

#[test]
fn a_recording_is_replayed_with_the_same_bytes_and_truth_and_scores_to_the_last_digit() {
    let cases: [&[&str]; 5] = [
        &["--noise", "4", "--empty-rate", "0.2"],
        &["--pixel", "bgr8", "--encoding", "lz4"],
        &["--source", "depth", "--depth-noise", "3"],
        &["--encoding", "png", "--pixel", "bgr8"],
        &["--task", "count", "--balls", "0..4"],
    ];
    for options in cases {
        let (first, again) = (Folder::new(), Folder::new());
        let always = ["--frames", "20", "--size", "160x120", "--record", "--out", first.name()];
        unpaced(&[&always[..], options].concat()).expect(0);
        unpaced(&["--source", &source_of(&first), "--record", "--out", again.name()]).expect(0);
        assert_eq!(truths(&table(&again)), truths(&table(&first)), "{options:?}");
        assert_eq!(table(&again).len(), 20);
        for figure in ["error_px", "circle", "count", "task"] {
            assert_eq!(again.session()[figure], first.session()[figure], "{figure} of {options:?}");
        }
        if !options.contains(&"png") {
            assert_eq!(pixels(&recording_of(&again)), pixels(&recording_of(&first)), "{options:?}");
        }
    }
}

#[test]
fn jpegs_are_recorded_as_they_were_sent_and_replayed_as_they_were_seen() {
    let (first, again) = (Folder::new(), Folder::new());
    unpaced(&["--frames", "20", "--noise", "4", "--encoding", "jpeg:80", "--record", "--out", first.name()]).expect(0);
    let found = read(&recording_of(&first));
    assert_eq!(found["topics"]["/camera/image"], "foxglove.CompressedImage");
    assert_eq!(found["frames"]["0"]["/camera/image"]["format"], "jpeg");
    unpaced(&["--source", &source_of(&first), "--out", again.name()]).expect(0);
    assert_eq!(again.session()["error_px"], first.session()["error_px"], "the pipeline saw the same pixels");
}

#[test]
fn a_recording_plays_at_the_rate_of_its_run_and_in_every_round_of_a_loop() {
    let first = Folder::new();
    let options = ["--frames", "12", "--fps", "50", "--record", "--out", first.name()];
    let mut server = command("server");
    server.args(["--loopback", "--no-graphics", "--link", "memory"]).args(options);
    Program::start(server).end().expect(0);
    let mut server = command("server");
    server.args(["--source", &source_of(&first), "--print-run"]);
    let printed = Program::start(server).end().expect(0).stdout.join("\n");
    let printed: toml::Table = printed.parse().expect("TOML");
    assert_eq!((printed["fps"].as_float(), printed["task"].as_str()), (Some(50.0), Some("circle")), "{printed}");
    let again = Folder::new();
    unpaced(&["--source", &source_of(&first), "--loop", "--frames", "30", "--out", again.name()]).expect(0);
    let indices: Vec<_> = table(&again).iter().map(|row| row["source_index"].clone()).collect();
    assert_eq!((indices.len(), &indices[12..14]), (30, &["0".to_owned(), "1".to_owned()][..]));
}

#[test]
fn a_recording_that_was_changed_plays_as_far_as_it_is_sound_and_the_rest_is_said() {
    let first = Folder::new();
    let options = ["--frames", "12", "--fps", "50", "--record", "--out", first.name()];
    let mut server = command("server");
    server.args(["--loopback", "--no-graphics", "--link", "memory"]).args(options);
    Program::start(server).end().expect(0);
    let room = tempfile::tempdir().expect("a folder");
    let changed = room.path().join("changed.mcap");
    let source = changed.to_str().expect("UTF-8");
    // Whether it is played, frames of known truth, the frame rate, and what is said.
    let cases = [
        ("nothing", true, 12, 50.0, ""),
        ("metadata at the end", true, 12, 50.0, ""),
        ("rate_hz=1e300", true, 12, 60.0, "the rate in its metadata is not one that a run can have"),
        ("rate_hz=0.0001", true, 12, 60.0, "the rate in its metadata is not one that a run can have"),
        ("task=juggle", true, 12, 50.0, "the task \"juggle\" in its metadata is unknown: write --task"),
        ("format=99", true, 12, 50.0, "its metadata have format \"99\" of recordings, and this version reads 1"),
        ("notes after images", true, 0, 50.0, "notes on frames are not directly before their images"),
        ("other schema", true, 0, 50.0, ""),
        ("source_index=18446744073709551615", false, 0, 50.0, "its note on image 0 is damaged"),
        ("frame=9007199254740992", false, 0, 50.0, "its note on image 0 is damaged"),
    ];
    for (change, is_played, known, rate, said) in cases {
        let arguments = [script("changed.py"), recording_of(&first), changed.clone(), change.into()];
        let output = Command::new(&*PYTHON).args(arguments).output().expect("Python");
        assert!(output.status.success(), "{change}: {}", String::from_utf8_lossy(&output.stderr));
        let mut server = command("server");
        server.args(["--source", source, "--print-run"]);
        let printed: toml::Table = Program::start(server).end().expect(0).stdout.join("\n").parse().expect("TOML");
        assert_eq!(printed["fps"].as_float(), Some(rate), "{change}");
        let again = Folder::new();
        let ended = unpaced(&["--source", source, "--task", "circle", "--out", again.name()]);
        let ended = ended.expect(if is_played { 0 } else { 4 });
        assert!(ended.stderr.join("\n").contains(said), "{change}: {:#?}", ended.stderr);
        assert!(!said.is_empty() || !ended.stderr.join("\n").contains("warning"), "{change}: {:#?}", ended.stderr);
        let rows = table(&again);
        assert_eq!(rows.len(), if is_played { 12 } else { 0 }, "{change}");
        assert_eq!(rows.iter().filter(|row| row["truth"] == "ball").count(), known, "{change}");
    }
}

#[test]
fn sessions_have_topics_of_their_own_and_the_first_is_replayed() {
    let folder = Folder::new();
    let mut server = Server::start(&["--fps", "max", "--frames", "10", "--record", "--out", folder.name()]);
    let clients = [server.client(&[]), server.client(&[])];
    clients.into_iter().for_each(|client| drop(client.end().expect(0)));
    let report = || serde_json::from_str(&fs::read_to_string(folder.path.join("report.json")).ok()?).ok();
    poll(|| report().filter(|report: &Value| report["sessions"][1]["end"]["kind"] == "finished")).expect("both ended");
    server.program.signal("TERM");
    server.end().expect(0);
    let found = read(&recording_of(&folder));
    let topics: Vec<_> =
        found["topics"].as_object().expect("topics").keys().filter(|topic| topic.ends_with("image")).collect();
    assert_eq!(topics.len(), 2, "{topics:?}");
    for topic in topics {
        let again = Folder::new();
        unpaced(&["--source", &source_of(&folder), "--topic", topic, "--out", again.name()]).expect(0);
        assert_eq!(table(&again).len(), 10, "{topic}");
    }
    let again = Folder::new();
    unpaced(&["--source", &source_of(&folder), "--out", again.name()]).expect(0);
    assert_eq!(table(&again).len(), 10);
}

#[test]
fn a_recording_of_a_run_that_was_killed_grows_is_played_to_its_last_chunk_and_is_completed() {
    let folder = Folder::new();
    let mut server = Server::start(&["--fps", "100", "--size", "160x120", "--record", "--out", folder.name()]);
    let client = server.client(&[]);
    let size = || fs::metadata(recording_of(&folder)).map(|file| file.len()).ok();
    let grown = poll(|| size().filter(|bytes| *bytes > 2 << 20)).expect("it grows");
    poll(|| size().filter(|bytes| *bytes > grown)).expect("it goes on growing");
    reported(&folder).expect(2).says("is still going on");
    server.program.signal("KILL");
    drop(server.end());
    drop(client.end());

    let rows = table(&folder).len();
    // Cut within a chunk, as by a crash of the machine.
    let whole = fs::read(recording_of(&folder)).expect("a recording");
    fs::write(recording_of(&folder), &whole[..whole.len() - 1000]).expect("cut");
    let again = Folder::new();
    unpaced(&["--source", &source_of(&folder), "--out", again.name()])
        .expect(0)
        .says("was not finished, as after kill -9");
    let played = table(&again).len();
    assert!(played > 100 && played + 200 > rows, "{played} of {rows}");

    reported(&folder).expect(0).says("run.mcap broke off: its ").says("messages are kept");
    let found = read(&recording_of(&folder));
    assert_eq!(found["checksums"], true);
    assert_eq!(
        (&found["summary"], found["frames"].as_object().map(serde_json::Map::len)),
        (&true.into(), Some(played))
    );
    let files: Vec<_> =
        fs::read_dir(&folder.path).expect("files").map(|file| file.expect("a file").file_name()).collect();
    assert!(files.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{files:?}");
    let completed = Folder::new();
    let ended = unpaced(&["--source", &source_of(&folder), "--out", completed.name()]).expect(0);
    assert!(!ended.stderr.join("\n").contains("not finished"), "{:#?}", ended.stderr);
    assert_eq!(truths(&table(&completed)), truths(&table(&again)));
}

#[test]
fn a_recording_of_which_a_part_cannot_be_read_is_not_completed_and_stays_as_it_is() {
    let folder = Folder::new();
    unpaced(&["--frames", "30", "--record", "--out", folder.name()]).expect(0);
    let mut bytes = fs::read(recording_of(&folder)).expect("a recording");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    // Without its end, as after a crash.
    bytes.truncate(bytes.len() - 8);
    fs::write(recording_of(&folder), &bytes).expect("written");
    reported(&folder).expect(4).says("a completed file would lack this part. It is left as it is, and all else is");
    assert!(fs::read(recording_of(&folder)).expect("a recording") == bytes);
}

#[test]
fn a_full_disk_is_reported_once_counted_and_leaves_a_recording_that_plays() {
    /// Limits files to 4 MiB, or 8 MiB if the shell counts in units of 1,024 bytes.
    const FULL_AT_4M: &str = "ulimit -f 8192";
    let folder = Folder::new();
    let options = ["--no-graphics", "--once", "--frames", "120", "--fps", "max", "--record", "--out", folder.name()];
    let server = Server::listening(Program::start(with(command_after(FULL_AT_4M, "server"), &options)));
    server.client(&[]).end().expect(0);
    let ended = server.end().expect(4);
    let said = ended.stderr.iter().filter(|line| line.contains("cannot write the recording")).count();
    assert_eq!(said, 1, "{:#?}", ended.stderr);
    let lost = |because: &str| {
        ended.stderr.iter().any(|line| line.contains("missing in the recording") && line.contains(because))
    };
    assert!(lost("it could not be written to its end") && !lost("too slow"), "{:#?}", ended.stderr);
    let session = folder.session();
    assert_eq!(session["frames"]["answered"], 120, "the stream goes on");
    let count = |name: &str| session["recording"][name].as_u64().expect("a count");
    assert_eq!(count("recorded") + count("not_recorded"), 120);
    assert!(count("recorded") >= 5 && count("not_recorded") > 0, "{}", session["recording"]);
    let again = Folder::new();
    unpaced(&["--source", &source_of(&folder), "--out", again.name()]).expect(0);
    assert_eq!(table(&again).len() as u64, count("recorded"));
    assert_eq!(truths(&table(&again))[..], truths(&table(&folder))[..again.rows().len()]);
}

#[test]
fn a_recording_that_somebody_cuts_or_deletes_is_reported_and_the_folder_has_its_report() {
    type Harm = fn(&Path) -> std::io::Result<()>;
    let harms: [(Harm, &str); 2] = [
        (|path| fs::write(path, ""), "it was cut short meanwhile"),
        (|path| fs::remove_file(path), "it was deleted meanwhile"),
    ];
    for (harm, told) in harms {
        let folder = Folder::new();
        let options = ["--once", "--frames", "180", "--record", "--out", folder.name()];
        let server = Server::start(&options);
        let client = server.client(&[]);
        let length = || fs::metadata(recording_of(&folder)).map_or(0, |file| file.len());
        // A chunk is written.
        poll(|| (length() > 1 << 20).then_some(())).expect("frames in the file");
        harm(&recording_of(&folder)).expect("done");
        client.end().expect(0);
        let ended = server.end().expect(4);
        let lines = ended.stderr.iter().filter(|line| line.contains("cannot write the recording"));
        assert_eq!(lines.filter(|line| line.contains(told)).count(), 1, "{:#?}", ended.stderr);
        assert_eq!(folder.session()["frames"]["answered"], 180, "the stream goes on");
        assert!(folder.session()["recording"]["not_recorded"].as_u64() > Some(0));
        // No gap stands for what was lost. The rest of a chunk may be there that was being written.
        assert!(length() < 1 << 20, "{} bytes", length());
        let (code, says) = if told.contains("deleted") {
            (0, "180 frames")
        } else {
            (4, "run.mcap cannot be completed: it is not an MCAP file")
        };
        let said = reported(&folder).expect(code).said();
        assert!(said.contains(says), "{said}");
        assert_eq!(folder.session()["frames"]["answered"], 180);
    }
}

#[test]
fn the_images_of_others_are_played_in_every_compression_with_truth_by_their_index() {
    let folder = tempfile::tempdir().expect("a folder");
    let truth = folder.path().join("truth.csv");
    fs::write(&truth, "frame,x,y,radius\n0,16,12,5\n5,17,12,5\n").expect("written");
    for (kind, pixel) in [("raw", "gray8"), ("zstd", "bgr8"), ("lz4", "bgr8")] {
        let again = Folder::new();
        let source = of_others(&folder, kind);
        let truth = truth.to_str().expect("UTF-8");
        unpaced(&["--source", &source, "--truth", truth, "--record", "--out", again.name()]).expect(0);
        let rows = table(&again);
        let known: Vec<_> = rows.iter().map(|row| row["truth"].as_str()).collect();
        assert_eq!(known, ["ball", "unknown", "unknown", "unknown", "unknown", "ball"], "{kind}");
        let found = read(&recording_of(&again));
        let encoding = if pixel == "gray8" { "mono8" } else { "bgr8" };
        assert_eq!(found["frames"]["5"]["/camera/image"]["encoding"], encoding);
        let mut server = command("server");
        server.args(["--source", &source, "--print-run"]);
        let printed = Program::start(server).end().expect(0).stdout.join("\n");
        assert!(printed.contains("fps = 20") && printed.contains("size = \"32x24\""), "{printed}");
    }
}

#[test]
fn files_that_cannot_be_played_are_refused_by_name_before_anything_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = folder.path().join("text.mcap");
    fs::write(&none, "no MCAP file").expect("written");
    let raw = of_others(&folder, "raw");
    let claims = folder.path().join("claims.mcap");
    let mut bytes = fs::read(&raw).expect("a file")[..8].to_vec();
    bytes.extend([6]);
    bytes.extend((1u64 << 62).to_le_bytes());
    fs::write(&claims, bytes).expect("written");
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let cases: [(Vec<String>, &str); 8] = [
        (vec![path(&none)], "is not an MCAP file"),
        (vec![path(&claims)], "has no images that can be played"),
        (
            vec![of_others(&folder, "none")],
            "has no images that can be played (it has /left/image (std_msgs/msg/String))",
        ),
        (vec![of_others(&folder, "two")], "choose one by --topic: /left/image, /right/image"),
        (vec![of_others(&folder, "bayer")], "its encoding \"bayer_rggb8\" is not supported, only mono8"),
        (vec![raw.clone(), "--topic".into(), "/nose".into()], "write --topic with one of /left/image"),
        (vec![raw.clone(), "--pixel".into(), "gray16".into()], "--pixel gray16 takes images of 16 bits"),
        (vec![raw, "--size".into(), "64x48".into()], "--size 64x48 is not the size of the images of the file"),
    ];
    for (options, says) in cases {
        let options: Vec<_> = ["--source".to_owned()].into_iter().chain(options).collect();
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        unpaced(&[&options[..], &["--frames", "5"]].concat()).expect(2).says(says);
    }
    unpaced(&["--topic", "/x"]).expect(2).says("--topic is for MCAP files only");
    unpaced(&["--record"]).expect(2).says("add --out DIR");
}

#[test]
fn a_changed_size_ends_the_session_and_damaged_chunks_are_reported_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    unpaced(&["--source", &of_others(&folder, "sizes")]).expect(4).says("image 3 is 64x12, the first is 32x24");

    let first = Folder::new();
    unpaced(&["--frames", "30", "--record", "--out", first.name()]).expect(0);
    let mut bytes = fs::read(recording_of(&first)).expect("a recording");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(recording_of(&first), bytes).expect("written");
    let again = Folder::new();
    unpaced(&["--source", &source_of(&first), "--out", again.name()])
        .expect(0)
        .says("its checksum is wrong; its images are passed over");
    let (session, rows) = (again.session(), table(&again));
    assert_eq!(session["source"]["broken"], 1);
    assert!((20..30).contains(&rows.len()), "{}", rows.len());
    assert!(rows.iter().all(|row| row["truth"] == "ball" && row["l1"].parse::<f64>().is_ok_and(|l1| l1 < 0.1)));
}
