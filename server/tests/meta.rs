//! Metadata of the stream, from the server's options to clients, programs and the report.

use std::path::Path;

use serde_json::json;
use testkit::ends::{Server, with};
use testkit::program::{Ended, Program, command};
use testkit::report::{ReportFile, only_session};

const FILE: &str = "camera = \"right\"\nserial = \"007\"\n\n[event]\nid = 42\nstart = 2026-01-02T03:04:05Z\n";

fn run(options: &[&str]) -> Ended {
    Program::start(with(command("server"), &[&["--no-graphics"], options].concat())).end()
}

#[test]
fn metadata_of_the_stream_reaches_the_log_the_program_and_the_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("meta.toml");
    std::fs::write(&file, FILE).expect("written");
    let report = ReportFile::new();
    let run = ["--once", "--frames", "10", "--task", "ack", "--deadline", "60s", "--json", report.name()];
    let meta = ["--meta-file", file.to_str().expect("UTF-8"), "--meta", "camera=left", "--meta", "gain=2.5"];
    let server = Server::start(&[&run[..], &meta].concat());
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/meta.py");
    let pipeline = format!("exec:python3 '{}'", program.display());
    let client = server.client(&["-v", "--pipeline", &pipeline, "--pipeline-timeout", "20s"]);
    client.end().expect(0).says("camera=left, event.id=42, event.start=2026-01-02T03:04:05Z, gain=2.5, serial=007");
    server.end().expect(0);
    let report = report.read();
    assert_eq!(only_session(&report)["ack"]["codes"], json!({ "42": 10 }));
    let expected = json!({
        "camera": "left", "event.id": 42, "event.start": "2026-01-02T03:04:05Z", "gain": 2.5, "serial": "007",
    });
    assert_eq!(report["run"]["config"]["meta"], expected);
}

#[test]
fn a_printed_run_holds_the_metadata_of_options_and_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::write(path("meta.toml"), FILE).expect("written");
    let asked = ["--meta-file", &path("meta.toml"), "--meta", "camera=a,b=\"c\"", "--meta", "gain=2.0", "--seed", "7"];
    let printed = run(&[&asked[..], &["--print-run"]].concat()).expect(0).stdout;
    let line = "meta = { \"camera\" = 'a,b=\"c\"', \"event.id\" = 42, \"event.start\" = \"2026-01-02T03:04:05Z\", \"gain\" = 2.0, \
                \"serial\" = \"007\" }";
    assert!(printed.iter().any(|printed| printed == line), "{printed:#?}");
    std::fs::write(path("run.toml"), printed.join("\n")).expect("written");
    let again = run(&["--run", &path("run.toml"), "--print-run"]).expect(0).stdout;
    assert_eq!(again, printed);
    // A separate table has the same effect, and the command line replaces it.
    std::fs::write(path("run.toml"), "seed = 7\n[meta]\ncamera = 'left'\nevent.id = 42\n").expect("written");
    let printed = run(&["--run", &path("run.toml"), "--print-run"]).expect(0).stdout;
    assert!(printed.iter().any(|line| line == "meta = { \"camera\" = \"left\", \"event.id\" = 42 }"), "{printed:#?}");
    let printed = run(&["--run", &path("run.toml"), "--meta", "a=1", "--print-run"]).expect(0).stdout;
    assert!(printed.iter().any(|line| line == "meta = { \"a\" = 1 }"), "{printed:#?}");
}

#[test]
fn wrong_metadata_is_refused_before_the_server_listens() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("meta.toml");
    let file = file.to_str().expect("UTF-8");
    let long = format!("text={}", "x".repeat(5_000));
    for (options, words) in [
        (["--meta", "camera"], ["--meta: \"camera\" is not KEY=VALUE", "camera=left"]),
        (["--meta", "=left"], ["--meta: \"=left\": a key is empty", "such as camera"]),
        (["--meta", "a b=1"], ["\"a b\" is not a key", "letters, digits, _, - or ."]),
        (["--meta", "gain=nan"], ["gain: \"nan\" is not finite", "in quotes"]),
        (["--meta", "id=9223372036854775808"], ["is too large", "-2^63 to 2^63 - 1"]),
        (["--meta", "a=\u{1b}[2J"], ["control character \\u{1b}", "leave it out"]),
        (["--meta", "{a = [1]}"], ["an array is not a value", "a text in quotes"]),
        (["--meta", &long], ["--meta: metadata of 5009 bytes", "at most 4096"]),
        (["--meta-file", "no-such.toml"], ["--meta-file: \"no-such.toml\" cannot be read", "the name of a TOML file"]),
    ] {
        let ended = run(&options).expect(2).says(words[0]).says(words[1]);
        assert!(ended.stdout.is_empty() && !ended.stderr.join("\n").contains('\u{1b}'), "{:#?}", ended.stderr);
    }
    run(&["--meta", "a=1", "--meta", "a=2"]).expect(2).says("--meta: the key a is given twice: give each key once");
    for (text, words) in [
        ("a = 1\nb", ["meta.toml: line 2 (\"b\"): not TOML", ""]),
        ("a = 1\n[event]\nlist = [1]", ["meta.toml: line 3 (\"list = [1]\"): \"event.list\"", "a text in quotes"]),
        ("gain = inf", ["line 1", "is not finite"]),
        ("'a b' = 1", ["\"a b\" is not a key", "letters, digits"]),
    ] {
        std::fs::write(file, text).expect("written");
        run(&["--meta-file", file]).expect(2).says(words[0]).says(words[1]);
    }
    let many: String = (0..65).map(|key| format!("k{key} = 1\n")).collect();
    std::fs::write(file, many).expect("written");
    run(&["--meta-file", file]).expect(2).says("--meta-file: metadata of 65 keys: at most 64 are allowed");
    run(&["--meta-file", file, "--meta", "a=1"]).expect(2).says("--meta-file with --meta: metadata of 66 keys");
    std::fs::write(file, "meta = { 'a b' = 1 }").expect("written");
    run(&["--run", file]).expect(2).says("meta.toml: meta: ").says("\"a b\" is not a key");
}
