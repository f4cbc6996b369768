//! The progress line at a terminal, log lines elsewhere, and rows where they are read.

use testkit::ends::{Server, with};
use testkit::program::{AtTerminal, Program, command};
use testkit::report::rows;

fn at_terminal(options: &[&str], columns: u16) -> AtTerminal {
    let mut server = with(command("server"), &[&["--no-graphics", "--loopback"], options].concat());
    server.env("TERM", "xterm").env_remove("NO_COLOR");
    AtTerminal::start(server, columns)
}

fn lines(screen: &str) -> Vec<String> {
    screen.split(['\n', '\r']).map(str::to_owned).collect()
}

#[test]
fn a_terminal_shows_a_line_with_frames_rate_time_left_error_losses_and_gates_until_the_end() {
    let mut server =
        at_terminal(&["--frames", "150", "--gate", "frames.lost == 0", "--gate", "latency_us.p50 >= 9s"], 200);
    let line = server.wait_for(" fps, ETA ");
    for part in [" fps", "ETA ", "mean error 0.", "0 lost", "gates: ", "["] {
        assert!(line.contains(part), "{part} in {line}");
    }
    server.wait_for("gates: 1 FAIL + 1 pass");
    assert_eq!(server.end(), Some(1));
    let screen = server.screen();
    assert!(rows(&lines(&screen)).is_empty(), "{screen}");
    assert!(screen.contains("session 1 with "), "{screen}");
    let last = screen.rfind("/150 frames").map(|last| &screen[last..]).expect("a line");
    assert!(last.contains("\x1b[2K"), "the line is taken away at the end: {screen}");
}

#[test]
fn a_line_is_cut_to_its_terminal() {
    let mut server = at_terminal(&["--frames", "60"], 40);
    server.wait_for("/60 frames");
    assert_eq!(server.end(), Some(0));
    let screen = server.screen();
    assert!(!screen.contains("mean error"), "no room for it: {screen}");
}

#[test]
fn rows_at_a_terminal_are_asked_for() {
    let mut server = at_terminal(&["--frames", "20", "--rows"], 80);
    assert_eq!(server.end(), Some(0));
    let screen = server.screen();
    assert_eq!(rows(&lines(&screen)).len(), 20, "{screen}");
    assert!(!screen.contains("/20 frames"), "{screen}");
}

#[test]
fn a_terminal_without_a_cursor_and_a_quiet_run_have_rows() {
    for (options, term) in [(&["--frames", "20"][..], "dumb"), (&["--frames", "20", "--quiet"], "xterm")] {
        let mut server = with(command("server"), &[&["--no-graphics", "--loopback"], options].concat());
        server.env("TERM", term);
        let mut server = AtTerminal::start(server, 80);
        assert_eq!(server.end(), Some(0));
        assert_eq!(rows(&lines(&server.screen())).len(), 20, "{}", server.screen());
    }
}

#[test]
fn a_log_has_a_line_each_ten_seconds_and_stdout_its_rows() {
    let ended = Server::start(&["--once", "--duration", "11s", "--fps", "20"]);
    let client = ended.client(&[]);
    let server = ended.end().expect(0);
    client.end().expect(0);
    let said: Vec<_> = server.stderr.iter().filter(|line| line.contains(" fps, ETA ")).collect();
    assert_eq!(said.len(), 1, "{:#?}", server.stderr);
    assert!(said[0].starts_with("server: ") && said[0].contains(" frames, "), "{said:?}");
    assert!(!server.stderr.iter().any(|line| line.contains('\u{1b}')), "{:#?}", server.stderr);
    assert!(rows(&server.stdout).len() > 200, "{}", server.stdout.len());
    assert!(!server.stdout.iter().any(|line| line.contains("ETA")));
}

#[test]
fn a_short_run_without_a_terminal_logs_no_progress() {
    let quick = ["--no-graphics", "--loopback", "--frames", "20", "--fps", "max"];
    let ended = Program::start(with(command("server"), &quick)).end().expect(0);
    assert!(!ended.stderr.iter().any(|line| line.contains(" fps")), "{:#?}", ended.stderr);
    assert_eq!(rows(&ended.stdout).len(), 20);
}

#[test]
fn a_waiting_server_ends_even_on_a_paused_terminal() {
    let server = with(command("server"), &["--no-graphics"]);
    let mut server = AtTerminal::start(server, 80);
    server.wait_for("waiting for a client");
    // Ctrl-S.
    server.press("\x13");
    server.signal(libc::SIGTERM);
    assert_eq!(server.end(), Some(0));
}
