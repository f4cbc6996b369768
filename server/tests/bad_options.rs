//! What the server's command line refuses: at once, in words that help, with exit code 2.

mod common;

use std::net::TcpListener;

use common::program::{Ended, Program, command};
use common::with;

fn run(options: &[&str]) -> Ended {
    Program::start(with(command("server"), &[&["--no-graphics"], options].concat())).end()
}

#[test]
fn impossible_options_are_refused_with_the_figure_and_the_limit() {
    let cases: [(&[&str], &str); 31] = [
        (&["--size", "0x480"], "0x480"),
        (&["--size", "640x0"], "640x0"),
        (&["--size", "8193x480"], "8192"),
        (&["--size", "640x8193"], "8192"),
        (&["--size", "640"], "WIDTHxHEIGHT"),
        (&["--size", "-640x480"], "-640x480"),
        (&["--size", "99999999999x480"], "99999999999x480"),
        (&["--radius", "241"], "480"),
        (&["--radius", "0"], "0"),
        (&["--radius", "-20"], "-20"),
        (&["--radius", "NaN"], "NaN"),
        (&["--radius", "inf"], "inf"),
        (&["--speed", "NaN"], "NaN"),
        (&["--speed", "-1"], "-1"),
        (&["--speed", "inf"], "inf"),
        (&["--fps", "0"], "0"),
        (&["--fps", "-60"], "-60"),
        (&["--fps", "NaN"], "NaN"),
        (&["--fps", "inf"], "inf"),
        (&["--fps", "fast"], "max"),
        (&["--window", "0"], "from 1"),
        (&["--window", "100000"], "4096"),
        (&["--frames", "0"], "'0'"),
        (&["--duration", "0s"], "longer than 0"),
        (&["--duration", "10"], "10s"),
        (&["--deadline", "0s"], "longer than 0"),
        (&["--pixel", "rgb24"], "bgr8"),
        (&["--seed", "-1"], "-1"),
        (&["--udp-port", "0"], "1 to 65535"),
        (&["--listen", "8080"], "HOST:PORT"),
        (&["--advertise", "example"], "example"),
    ];
    for (options, word) in cases {
        let ended = run(options).expect(2).says(word);
        assert_eq!(ended.stdout, Vec::<String>::new(), "{options:?}");
        assert!(!ended.stderr.iter().any(|line| line.contains("panicked")), "{:#?}", ended.stderr);
    }
}

#[test]
fn an_unknown_option_or_command_is_refused() {
    run(&["--colour"]).expect(2);
    let mut server = command("server");
    server.arg("serve");
    Program::start(server).end().expect(2);
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    let ended = run(&["--listen", &address]).expect(3).says(&address).says("--listen");
    assert_eq!(ended.stderr.len(), 1, "one line: {:#?}", ended.stderr);
}

#[test]
fn an_address_of_another_machine_is_refused() {
    // 192.0.2.0/24 is kept for documentation (RFC 5737).
    run(&["--listen", "192.0.2.1:0"]).expect(2).says("192.0.2.1:0");
}

#[test]
fn a_host_without_address_is_refused() {
    run(&["--listen", "no-such-host.invalid:0"]).expect(2).says("no-such-host.invalid");
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_the_run() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let missing = directory.path().join("missing").join("report.json");
    for path in [missing.as_path(), directory.path()] {
        let path = path.to_str().expect("UTF-8");
        let ended = run(&["--loopback", "--frames", "5", "--json", path]).expect(2).says(path);
        assert_eq!(ended.stdout, Vec::<String>::new());
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for option in ["--help", "-h", "--version"] {
        assert!(!run(&[option]).expect(0).stdout.is_empty());
    }
    assert!(run(&["--help"]).stdout.iter().any(|line| line.contains("PLUMB_LISTEN")));
}
