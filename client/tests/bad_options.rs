//! The client's command line refuses bad options at once, with a helpful message and exit code 2.

use testkit::program::{Ended, Program, command};

fn run(options: &[&str]) -> Ended {
    let mut client = command("client");
    client.arg("--no-graphics").args(options);
    Program::start(client).end()
}

#[test]
fn impossible_options_are_refused_with_the_figure_and_the_limit() {
    let cases: [(&[&str], &str); 31] = [
        (&["--sctp-mtu", "0"], "from 576 to 16000"),
        (&["--sctp-mtu", "wide"], "from 576 to 16000"),
        (&["--workers", "0"], "from 1"),
        (&["--workers", "-1"], "from 1"),
        (&["--workers", "1000000"], "1024"),
        (&["--min-radius", "30", "--max-radius", "20"], "30 px, exceeds the largest, 20 px"),
        (&["--min-radius", "0"], "above 0"),
        (&["--max-radius", "-5"], "above 0"),
        (&["--min-radius", "NaN"], "NaN"),
        (&["--max-radius", "inf"], "inf"),
        (
            &["--pipeline", "crystal-ball"],
            "\"crystal-ball\" is not a pipeline: write one of auto, hough, hough-classic, ack, annotate, edges, exec:COMMAND",
        ),
        (&["--detector", "crystal-ball"], "one of auto, hough, hough-classic, ack, annotate, edges, exec:COMMAND"),
        (&["--pipeline", "exec:"], "exec: needs a command"),
        (&["--pipeline", "exec:sh 'x"], "a quote has no end"),
        (&["--pipeline", "exec:no-such-program"], "no program \"no-such-program\" is on the PATH ("),
        (&["--pipeline-timeout", "0s"], "from 1ms to 1h"),
        (&["--pipeline-timeout", "2s"], "is for programs, and --pipeline auto is not one"),
        (&["--policy", "some"], "latest"),
        (&["--wait", "30"], "30s"),
        (&["--wait", "-1s"], "-1s"),
        (&["localhost"], "localhost:8080"),
        (&["localhost:0"], "HOST:PORT"),
        (&["localhost:65536"], "HOST:PORT"),
        (&[":8080"], "HOST:PORT"),
        (&["::1"], "brackets around the address: [::1]:8080"),
        (&["http://localhost:8080/"], "write localhost:8080"),
        (&["localhost", "8080"], "write localhost:8080"),
        (&["::1", "8080"], "write [::1]:8080"),
        (&["8080"], "127.0.0.1:8080"),
        (&["\u{1b}[2J:1"], "\\u{1b}[2J:1"),
        (&["--colour"], "--colour"),
    ];
    for (options, word) in cases {
        let ended = run(options).expect(2).says(word);
        assert_eq!(ended.stdout, Vec::<String>::new(), "{options:?}");
    }
}

#[test]
fn the_older_variable_names_the_pipeline_if_the_newer_one_is_unset() {
    let run = |pipeline: &str, detector: &str| {
        let mut client = command("client");
        client.args(["--no-graphics", "127.0.0.1:1", "--wait", "1ms"]);
        client.envs([("PLUMB_PIPELINE", pipeline), ("PLUMB_DETECTOR", detector)]);
        Program::start(client).end()
    };
    run("", "crystal-ball").expect(2).says("\"crystal-ball\"");
    run("glass-ball", "crystal-ball").expect(2).says("\"glass-ball\"");
    run("hough", "crystal-ball").expect(3).says("127.0.0.1:1");
    run("", "").expect(3).says("127.0.0.1:1");
}

#[test]
fn a_host_without_an_address_counts_as_an_absent_peer() {
    let ended = run(&["no-such-host.invalid:8080", "--wait", "100ms"]).expect(3).says("no-such-host.invalid:8080");
    assert!(ended.stderr.len() <= 2, "says once that it waits, and that it gave up: {:#?}", ended.stderr);
}

#[test]
fn help_and_version_are_not_errors() {
    for option in ["--help", "-h", "--version"] {
        assert!(!run(&[option]).expect(0).stdout.is_empty());
    }
    assert!(run(&["--help"]).stdout.iter().any(|line| line.contains("PLUMB_SERVER")));
}
