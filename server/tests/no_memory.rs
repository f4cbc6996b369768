//! Where there is no memory for a large buffer, both programs say so instead of being aborted, and whatever else they do goes
//! on.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use testkit::ends::{Server, with};
use testkit::folder::Folder;
use testkit::program::{Ended, Program, command_after};
use testkit::report::rows;

/// Limits the addresses of a program to 400 MB: several times what a run with small frames takes.
const LITTLE: &str = "ulimit -v 400000";

/// A run in one process, in little memory.
fn run(options: &[&str]) -> Ended {
    let always = ["--loopback", "--link", "memory", "--no-graphics", "--frames", "2", "--task", "ack"];
    Program::start(with(command_after(LITTLE, "server"), &[&always[..], options].concat())).end()
}

/// A client with these arguments, after a line that limits its memory.
fn client(limit: &str, arguments: &[&str]) -> Ended {
    let mut client = command_after(limit, "client");
    client.args(arguments);
    Program::start(client).end()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn frames_that_do_not_fit_into_memory_end_the_run_with_4_and_say_how_much_they_need() {
    run(&[]).expect(0);
    for (options, words) in [
        (&["--pixel", "bgr8"][..], "there is no memory for frames of 8192x8192 bgr8"),
        (&["--blur", "2"], "there is no memory for the light of a frame, which needs "),
        (&["--source", "depth"], "there is no memory for frames of 8192x8192"),
    ] {
        let ended = run(&[&["--size", "8192x8192"], options].concat()).expect(4);
        ended.says(words).says("use smaller frames, or give this process more memory (ulimit -v)");
    }
}

#[test]
fn a_record_that_does_not_fit_into_memory_is_named_by_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("long.mcap");
    // A chunk (0x06) of 400 MiB, and a message (0x05) of 120 MiB, which is copied out of its record.
    for (opcode, mebibytes, words) in [
        (6, 400, "there is no memory for the record at byte 8, which needs 419430400 bytes"),
        (5, 120, "there is no memory for a message of the record at byte 8, which needs 125829098 bytes"),
    ] {
        recording(&path, opcode, mebibytes << 20, &[]);
        run(&["--source", text(&path)]).expect(2).says(words);
    }
}

/// Makes a file that has the start of an MCAP file and one record. The record is that long, and zero after its first bytes;
/// it takes no disk.
fn recording(path: &Path, opcode: u8, bytes: u64, first: &[u8]) {
    let mut file = File::create(path).expect("a file");
    file.write_all(&[b"\x89MCAP0\r\n", &[opcode][..], &bytes.to_le_bytes(), first].concat()).expect("written");
    file.set_len(17 + bytes).expect("a long file");
}

#[test]
fn a_recording_whose_chunk_does_not_fit_into_memory_is_left_as_it_is() {
    let folder = Folder::new();
    run(&["--out", folder.name()]).expect(0);
    let path = folder.path.join("run.mcap");
    // The fields of a chunk before its records: two times, the size of its records, no checksum and no compression.
    let (bytes, fields) = (80_u64 << 20, 40);
    let records = (bytes - fields).to_le_bytes();
    recording(&path, 6, bytes, &[&[0; 16], &records[..], &[0; 8], &records].concat());
    let mut report = command_after(LITTLE, "server");
    report.args(["report", folder.name()]);
    let ended = Program::start(report).end().expect(4);
    ended
        .says("run.mcap cannot be completed: ")
        .says("there is no memory for what the chunk at byte 8 unpacks to")
        .says("It is left as it is");
    assert_eq!(fs::metadata(&path).expect("a recording").len(), 17 + bytes);
}

#[test]
fn a_picture_that_does_not_fit_into_memory_is_reported_and_the_next_one_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let (large, small) = (folder.path().join("large.ppm"), folder.path().join("small.pgm"));
    let mut file = File::create(&large).expect("a file");
    // A picture of 201 MB, which takes no disk.
    file.write_all(b"P6 8192 8192 255\n").expect("written");
    file.set_len(17 + 3 * 8192 * 8192).expect("a long file");
    fs::write(&small, [b"P5 64 48 255\n", &[40; 64 * 48][..]].concat()).expect("written");
    let ended = client(LITTLE, &["detect", text(&large), text(&small)]).expect(4);
    let ended = ended.says("large.ppm: there is no memory for a picture of 8192x8192 px, which needs 402653184 bytes");
    assert!(ended.stdout.iter().any(|line| line.contains("small.pgm: no circle")), "{:#?}", ended.stdout);
}

#[test]
fn a_client_without_memory_for_the_frames_says_so_to_the_server_which_serves_the_next() {
    let server =
        Server::start(&["--size", "8192x8192", "--frames", "2", "--fps", "1", "--task", "ack", "--deadline", "20s"]);
    let arguments = [&*server.address, "--no-graphics", "--link", "tcp", "--workers", "2"];
    let ended =
        client("ulimit -v 200000", &arguments).says("there is no memory for frames of 8192x8192 gray8 and a worker");
    assert_ne!(ended.code, Some(0));
    server.program.stderr.wait_for("there is no memory for frames of 8192x8192 gray8");
    let next = server.client(&["--link", "tcp"]).end().expect(0);
    assert_eq!(rows(&next.stdout).len(), 2);
}
