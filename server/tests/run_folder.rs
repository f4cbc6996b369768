//! A run's folder: after a whole run, after a crash, and after `server report`.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::Value;
use server::cli::Cli;
use server::run::{RunSpec, of_file};
use server::source;
use shared::shell::options::Environment;
use testkit::ends::{Server, with};
use testkit::folder::{Folder, unpaced};
use testkit::program::{Program, command, command_after, poll};
use testkit::report::{only_session, sessions};

/// Limits files to 32 KiB (64 KiB if the shell counts in units of 1,024 bytes), as on a disk that is then full. A report
/// of one session has room.
const FULL_AT_32K: &str = "ulimit -f 64";

/// All files of a complete run.
const ALL: [&str; 5] = ["frames.csv", "frames.parquet", "report.html", "report.json", "run.toml"];

/// The rows of the Parquet file, written as in the CSV file, and its metadata.
#[cfg(feature = "parquet")]
fn typed(folder: &Folder) -> (Vec<String>, std::collections::BTreeMap<String, String>) {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let file = fs::File::open(folder.path.join("frames.parquet")).expect("a table");
    let reader = SerializedFileReader::new(file).expect("a Parquet file");
    let text = |field: &Field| match field {
        Field::Null => String::new(),
        Field::Long(value) => value.to_string(),
        Field::Double(value) => value.to_string(),
        Field::Str(value) => value.clone(),
        other => panic!("no column is of {other:?}"),
    };
    let row = |row: parquet::record::Row| row.get_column_iter().map(|(_, field)| text(field)).collect::<Vec<_>>();
    let rows = reader.get_row_iter(None).expect("rows").map(|found| row(found.expect("a row")).join(",")).collect();
    let facts = reader.metadata().file_metadata().key_value_metadata().expect("metadata").clone();
    (rows, facts.into_iter().map(|fact| (fact.key, fact.value.expect("a value"))).collect())
}

/// Asserts that the typed table has the same rows as the text, and holds the report.
#[track_caller]
fn assert_tables_agree(folder: &Folder) {
    #[cfg(feature = "parquet")]
    {
        let (rows, facts) = typed(folder);
        assert_eq!(rows, folder.rows());
        assert_eq!(facts["plumb.report"], folder.read("report.json"));
        assert_eq!(facts["plumb.version"], env!("CARGO_PKG_VERSION"));
        assert!(facts["plumb.run"].contains(&format!("seed = {}\n", facts["plumb.seed"])), "{facts:#?}");
    }
    let _ = folder;
}

#[test]
fn a_run_leaves_its_specification_its_report_and_two_tables_of_frames() {
    let folder = Folder::new();
    let other = folder.path.with_extension("json");
    let json = other.to_str().expect("UTF-8");
    unpaced(&["--frames", "60", "--noise", "4", "--empty-rate", "0.2", "--out", folder.name(), "--json", json])
        .expect(0);
    assert_eq!(folder.files(), ALL);
    assert_eq!(folder.read("report.json"), fs::read_to_string(&other).expect("a report"), "as --json has it");
    assert_eq!(only_session(&folder.report())["frames"]["sent"], 60);
    assert_eq!(folder.rows().len(), 60);
    assert_tables_agree(&folder);
    // The page takes longest, and can be made again from the rest: it comes last.
    let written = |name: &str| fs::metadata(folder.path.join(name)).and_then(|file| file.modified()).expect("a time");
    #[cfg(feature = "parquet")]
    assert!(written("frames.parquet") <= written("report.html"));
    assert!(written("frames.csv") <= written("report.html"));
}

/// `gates` of the report without its figures.
fn verdicts(report: &Value) -> Vec<(&str, &str)> {
    let gates = report["gates"].as_array().expect("a list").iter();
    gates.map(|gate| (gate["condition"].as_str().expect("words"), gate["verdict"].as_str().expect("a word"))).collect()
}

#[test]
fn the_gates_are_in_the_runs_file_and_their_verdicts_in_the_folder() {
    let folder = Folder::new();
    let other = folder.path.with_extension("xml");
    let gates = ["--gate", "frames.sent == 30; frames.answered == 29", "--junit", other.to_str().expect("UTF-8")];
    unpaced(&[&["--frames", "40", "--warmup", "10", "--out", folder.name()][..], &gates].concat()).expect(1);
    assert_eq!(folder.files(), ["frames.csv", "frames.parquet", "junit.xml", "report.html", "report.json", "run.toml"]);
    assert_tables_agree(&folder);
    let before = folder.report();
    let expected = [("frames.sent == 30", "pass"), ("frames.answered == 29", "fail")];
    assert_eq!(verdicts(&before), expected);
    let xml = folder.read("junit.xml");
    let is_case = |line: &&str| line.trim_start().starts_with("<testcase");
    let cases = |text: &str| text.lines().filter(is_case).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(cases(&xml).len(), 2);
    assert_eq!(cases(&xml), cases(&fs::read_to_string(&other).expect("verdicts")));

    // Renewed, the verdicts and the warnings stay; the same run is judged by the same gates.
    folder.renew().expect(0);
    assert_eq!(folder.report(), before);
    assert_eq!(folder.read("junit.xml"), xml);
    let again = Folder::new();
    let mut server = command("server");
    server.args(["--no-graphics", "--out", again.name(), "--run"]).arg(folder.path.join("run.toml"));
    Program::start(server).end().expect(1);
    assert_eq!(verdicts(&again.report()), verdicts(&before));
}

#[test]
fn a_gate_on_a_figure_that_was_lost_with_the_report_has_no_data() {
    let folder = Folder::new();
    let gates = ["--gate", "bytes.frames_wire <= 10; frames.skipped == 0; frames.sent == 60"];
    unpaced(&[&["--frames", "60", "--out", folder.name()][..], &gates].concat()).expect(1);
    fs::remove_file(folder.path.join("report.json")).expect("removed");
    let expected =
        [("bytes.frames_wire <= 10", "no_data"), ("frames.skipped == 0", "no_data"), ("frames.sent == 60", "pass")];
    for _ in 0..2 {
        folder.renew().expect(0);
        assert_eq!(verdicts(&folder.report()), expected);
    }
}

#[test]
fn renewing_a_complete_run_changes_nothing() {
    let folder = Folder::new();
    unpaced(&["--frames", "30", "--out", folder.name()]).expect(0);
    let before = folder.read("report.json");
    fs::remove_file(folder.path.join("frames.parquet")).expect("removed");
    let ended = folder.renew().expect(0);
    assert!(ended.stdout.join("\n").contains("30 frames, complete"), "{:#?}", ended.stdout);
    assert_eq!(folder.read("report.json"), before);
    assert_eq!(folder.files(), ALL);
    assert_tables_agree(&folder);
}

/// The warnings caused by the answers, not by the clock.
fn of_answers(session: &Value) -> Vec<&Value> {
    let warnings = session["warnings"].as_array().expect("a list").iter();
    warnings.filter(|warning| !warning["kind"].as_str().is_some_and(|kind| kind.starts_with("clock_"))).collect()
}

#[test]
fn frames_that_are_scored_again_give_the_same_figures_to_the_last_digit_in_every_task() {
    let circle = ["--noise", "4", "--empty-rate", "0.2", "--radius", "10..20"];
    let cases: [&[&str]; 5] = [
        &circle,
        &["--task", "count", "--balls", "0..4"],
        &["--task", "ack"],
        &["--task", "image"],
        &["--source", "depth", "--depth-noise", "3"],
    ];
    for options in cases {
        let folder = Folder::new();
        let always =
            ["--frames", "40", "--warmup", "7", "--gate", "frames.sent == 33", "--gate", "frames.lost_rate <= 20%"];
        unpaced(&[&always[..], &["--size", "160x120", "--out", folder.name()], options].concat()).expect(0);
        let before = only_session(&folder.report()).clone();
        fs::remove_file(folder.path.join("report.json")).expect("removed");
        folder.renew().expect(0).says("there is no readable report");
        let report = folder.report();
        let after = only_session(&report);
        for figure in ["error_px", "fps", "task", "circle", "count", "ack", "image", "bounds", "gates"] {
            assert_eq!(after[figure], before[figure], "{figure} of {options:?}");
        }
        for figure in [
            "sent",
            "warmup",
            "answered",
            "dropped",
            "lost",
            "circle",
            "no_circle",
            "missed",
            "empty",
            "false_positive",
        ] {
            assert_eq!(after["frames"][figure], before["frames"][figure], "{figure} of {options:?}");
        }
        for figure in ["p50", "p95", "p99", "max", "stages"] {
            assert_eq!(after["latency_us"][figure], before["latency_us"][figure], "{figure} of {options:?}");
        }
        assert_eq!(of_answers(after), of_answers(&before), "{options:?}");
        assert_eq!(report["gates"], after["gates"]);
        assert_eq!(after["end"]["kind"], "broken_off");
        assert_eq!(report["incomplete"]["reason"], "broken_off");
        let unknown = report["incomplete"]["unknown"].as_array().expect("a list");
        assert!(unknown.contains(&"clock".into()) && unknown.contains(&"frames.skipped".into()), "{unknown:?}");
        assert_tables_agree(&folder);
    }
}

#[test]
fn a_run_that_was_killed_is_completed_from_its_files() {
    let folder = Folder::new();
    let judged = ["--warmup", "10", "--gate", "frames.sent > 0"];
    let options = ["--fps", "100", "--noise", "4", "--seed", "7", "--out", folder.name()];
    let mut server = Server::start(&[&options[..], &judged].concat());
    let client = server.client(&[]);
    folder.wait_for_frames(100);
    assert_eq!(folder.report()["incomplete"]["reason"], "running");
    folder.renew().expect(2).says("still going on");
    server.program.signal("KILL");
    drop(server.end());
    drop(client.end());
    let before = folder.report();
    // The last row is incomplete.
    let mut rows = fs::OpenOptions::new().append(true).open(folder.path.join("frames.csv")).expect("rows");
    rows.write_all(b"1,99999,9").expect("written");
    drop(rows);
    fs::write(folder.path.join(".frames.parquet.x.part"), "half").expect("written");

    let ended = folder.renew().expect(0).says("9 bytes are cut off");
    assert!(ended.stdout.join("\n").contains("broken off in 1 sessions"), "{:#?}", ended.stdout);
    assert_eq!(folder.files(), ALL);
    assert_tables_agree(&folder);
    let report = folder.report();
    let (session, before) = (only_session(&report), only_session(&before));
    let rows = folder.rows().len() as u64;
    assert_eq!(session["frames"]["sent"], rows - 10, "without the warm-up");
    let gate = &report["gates"][0];
    assert_eq!((&gate["session"], &gate["verdict"]), (&1.into(), &"no_data".into()), "{gate:#}");
    assert!(gate["message"].as_str().expect("words").contains("the server ended after"), "{gate:#}");
    assert!(before["frames"]["answered"].as_u64().expect("a count") <= rows, "nothing of the last report is lost");
    assert_eq!(session["end"]["kind"], "broken_off");
    for known in ["client", "connect_us", "first_score_us", "clock"] {
        assert_eq!(session[known], before[known], "{known}");
    }
    let incomplete = &report["incomplete"];
    let expected = serde_json::json!({"reason": "broken_off", "not_written": 0, "unknown": []});
    assert_eq!(incomplete, &expected);
    // Once more: nothing changes.
    let text = folder.read("report.json");
    folder.renew().expect(0);
    assert_eq!(folder.read("report.json"), text);
}

#[test]
fn a_server_that_is_stopped_leaves_a_complete_folder() {
    let folder = Folder::new();
    let mut server = Server::start(&["--fps", "100", "--out", folder.name()]);
    let client = server.client(&[]);
    folder.wait_for_frames(50);
    server.program.signal("TERM");
    server.end().expect(0);
    client.end().expect(0);
    assert_eq!(folder.files(), ALL);
    assert!(folder.report().get("incomplete").is_none());
    assert_tables_agree(&folder);
}

#[test]
fn a_column_distinguishes_two_sessions_in_one_folder() {
    let folder = Folder::new();
    let mut server = Server::start(&["--fps", "max", "--frames", "40", "--out", folder.name()]);
    let clients = [server.client(&[]), server.client(&[])];
    clients.into_iter().for_each(|client| drop(client.end().expect(0)));
    poll(|| (sessions(&folder.report()).len() == 2).then_some(())).expect("both in the report");
    server.program.signal("TERM");
    server.end().expect(0);
    let of = |session: &str| folder.rows().iter().filter(|row| row.starts_with(&format!("{session},"))).count();
    assert_eq!((of("1"), of("2")), (40, 40));
    assert_eq!(sessions(&folder.report()).len(), 2);
    assert_tables_agree(&folder);
}

#[cfg(unix)]
#[test]
fn a_run_file_that_somebody_deletes_is_reported_at_the_end() {
    let folder = Folder::new();
    let mut server = Server::start(&["--out", folder.name(), "--once", "--frames", "600"]);
    let client = server.client(&[]);
    folder.wait_for_frames(1);
    fs::remove_file(folder.path.join("run.toml")).expect("removed");
    server.program.signal("TERM");
    server.end().expect(4).says("run.toml: it was deleted meanwhile; write it again");
    drop(client);
    assert!(folder.files().contains(&"report.html".to_owned()), "the rest is written");
}

#[test]
fn a_full_disk_is_reported_once_counted_and_stops_no_frame() {
    let folder = Folder::new();
    let options = ["--no-graphics", "--once", "--frames", "900", "--fps", "max", "--out", folder.name()];
    let server = Server::listening(Program::start(with(command_after(FULL_AT_32K, "server"), &options)));
    server.client(&[]).end().expect(0);
    let ended = server.end().expect(4);
    let said = ended.stderr.iter().filter(|line| line.contains("frames.csv")).count();
    assert_eq!(said, 1, "{:#?}", ended.stderr);
    assert_eq!(testkit::report::rows(&ended.stdout).len(), 900, "the other outputs have everything");
    let (rows, report) = (folder.rows().len() as u64, folder.report());
    assert!(rows > 0, "what found room is there");
    assert_eq!(only_session(&report)["frames"]["answered"], 900, "and in the report");
    let expected = serde_json::json!({"reason": "not_written", "not_written": 900 - rows, "unknown": []});
    assert_eq!(report["incomplete"], expected);
    // Later there is room again.
    let ended = folder.renew().expect(0);
    assert!(ended.stdout.join("\n").contains("more frames were not written"), "{:#?}", ended.stdout);
    assert_eq!(folder.report(), report);
    assert_eq!(folder.files(), ALL);
    assert_tables_agree(&folder);
}

#[test]
fn a_folder_that_is_not_empty_a_file_and_one_that_cannot_be_made_are_refused_before_the_run() {
    let folder = Folder::new();
    fs::create_dir(&folder.path).expect("made");
    let file = folder.path.join("note");
    fs::write(&file, "kept").expect("written");
    let file = file.to_str().expect("UTF-8");
    let cases = [
        (folder.name().to_owned(), "it is not empty (it has note): name a folder that is absent or empty"),
        (file.to_owned(), "it is a file, not a folder"),
        (format!("{file}/run"), "cannot write the run to"),
        ("/proc/run".to_owned(), "cannot write the run to"),
    ];
    for (out, wrong) in cases {
        // The seed makes each word of the log known.
        let said = unpaced(&["--frames", "3", "--out", &out]).expect(2).stderr.join("\n");
        assert!(said.contains(wrong) && !said.contains("listening"), "{out}: {said}");
    }
    assert_eq!(folder.files(), ["note"]);
    // The same by environment.
    let mut server = command("server");
    server.args(["--loopback", "--no-graphics"]).env("PLUMB_OUT", folder.name());
    Program::start(server).end().expect(2).says("it is not empty");
}

#[test]
fn the_error_for_a_folder_that_no_run_wrote_says_what_is_missing() {
    let folder = Folder::new();
    folder.renew().expect(2).says("is not the folder of a run: it is not a folder");
    fs::create_dir(&folder.path).expect("made");
    folder.renew().expect(2).says("it has no run.toml");
    fs::write(folder.path.join("run.toml"), "fps = 60\n").expect("written");
    folder.renew().expect(2).says("it has no frames.csv");
    fs::write(folder.path.join("frames.csv"), "a,b\n1,2\n").expect("written");
    folder
        .renew()
        .expect(2)
        .says("line 1 is not a row of the task circle: it has the column a, which this version does not know");
    // What is no table stays as it is, also behind its last line break.
    for other in [&b"\x7fELF\x02\x01\x01\0\0"[..], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"session,frame\n1,2\n3"] {
        fs::write(folder.path.join("frames.csv"), other).expect("written");
        folder.renew().expect(2).says("line 1 is not a row of the task circle");
        assert_eq!(fs::read(folder.path.join("frames.csv")).expect("still there"), other);
    }
    fs::write(folder.path.join("run.toml"), "fsp = 60\n").expect("written");
    folder.renew().expect(2).says("\"fsp\" is not an option");
    assert_eq!(folder.files(), ["frames.csv", "run.toml"]);
}

/// The run of this command line.
fn asked(options: &[&str]) -> RunSpec {
    let line = ["server"].iter().chain(options).map(OsString::from);
    Cli::read(line, Environment::default()).unwrap_or_else(|wrong| panic!("{wrong}")).spec
}

/// Bytes and truth of a run's first frames.
fn frames(spec: RunSpec) -> Vec<(Vec<u8>, String)> {
    let (_, supply) = source::settled(spec).expect("a possible run");
    let mut source = supply.open().expect("a source");
    let mut frames = Vec::new();
    while frames.len() < 25 {
        let frame = source.next().expect("a frame").expect("no end");
        frames.push((frame.image.bytes().to_vec(), format!("{:?}", frame.truth)));
    }
    frames
}

fn run_file(folder: &Folder) -> RunSpec {
    of_file("run", Path::new(&folder.path.join("run.toml"))).unwrap_or_else(|wrong| panic!("{wrong}"))
}

#[test]
fn the_runs_file_renders_the_same_frames_bit_for_bit() {
    let effects = [
        "--noise",
        "6.1",
        "--shot-noise",
        "0.3",
        "--blur",
        "1.3",
        "--exposure",
        "0.7",
        "--background",
        "clutter",
        "--vignette",
        "0.4",
        "--gamma",
        "2.2",
        "--occlude",
        "--empty-rate",
        "0.1",
        "--jpeg",
        "80",
        "--radius",
        "10.3..30.7",
        "--speed",
        "333.3",
        "--pixel",
        "bgr8",
        "--meta",
        "camera=left",
        "--meta",
        "gain=2.5",
    ];
    let cases: [&[&str]; 3] = [
        &effects,
        &["--task", "count", "--balls", "1..5", "--overlap", "0.3", "--noise", "2"],
        &["--source", "depth", "--depth-noise", "4.4", "--size", "256x212"],
    ];
    for options in cases {
        let folder = Folder::new();
        unpaced(&[&["--frames", "3", "--seed", "18446744073709551615", "--out", folder.name()], options].concat())
            .expect(0);
        let always = ["--fps", "max", "--seed", "18446744073709551615"];
        let first = frames(asked(&[&always[..], options].concat()));
        assert_eq!(frames(run_file(&folder)), first, "{options:?}");
        // A seed that nobody chose is in the file too: the second run is that of the first one's file.
        let (drawn, again) = (Folder::new(), Folder::new());
        unpaced(&[&["--frames", "9", "--out", drawn.name()], options].concat()).expect(0);
        let file = drawn.path.join("run.toml");
        let mut server = command("server");
        server.args(["--no-graphics", "--out", again.name(), "--run"]).arg(file);
        Program::start(server).end().expect(0);
        assert_eq!(frames(run_file(&again)), frames(run_file(&drawn)), "{options:?}");
        let without_comments = |folder: &Folder| {
            let text = folder.read("run.toml");
            text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(without_comments(&again), without_comments(&drawn));
    }
}

#[test]
fn version_and_machine_are_comments_in_the_runs_file() {
    let folder = Folder::new();
    unpaced(&["--frames", "3", "--out", folder.name()]).expect(0);
    let text = folder.read("run.toml");
    for line in ["# version: ", "# started: ", "# machine: ", "seed = ", "frames = 3"] {
        assert!(text.lines().any(|said| said.starts_with(line)), "no {line} in {text}");
    }
}
