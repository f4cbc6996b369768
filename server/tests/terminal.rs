//! Both programs at a terminal: rows that fit it, the key `q`, a pause, and a terminal that is restored afterwards.

#![allow(unsafe_code, reason = "signals")]

use std::fs::File;
use std::io::Read;
use std::process::Command;
use std::thread;
use std::time::Duration;

use testkit::ends::{Server, client, free_address, with};
use testkit::program::{AtTerminal, Program, command, poll};
use testkit::report::rows;

fn at_terminal(command: Command, columns: u16) -> AtTerminal {
    AtTerminal::start(command, columns)
}

/// Starts a server without graphics, on a free port of this machine.
fn server(options: &[&str], columns: u16) -> AtTerminal {
    at_terminal(with(command("server"), &[&["--no-graphics"], options].concat()), columns)
}

/// The rows on a screen, and their header.
fn table(screen: &str) -> Vec<String> {
    let lines: Vec<_> = screen.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect();
    let header = lines.iter().filter(|line| line.trim_start().starts_with("frame ")).cloned();
    header.chain(rows(&lines).into_iter().map(str::to_owned)).collect()
}

#[test]
fn rows_fit_their_terminal_and_80_columns_elsewhere() {
    for (columns, most) in [(80, 80), (200, 200)] {
        let mut server = server(&["--loopback", "--rows", "--frames", "20"], columns);
        assert_eq!(server.end(), Some(0));
        let longest = table(&server.screen()).iter().map(String::len).max().expect("rows");
        assert!(longest <= most && longest > 70, "{longest} characters on {columns} columns");
        assert_eq!(longest > 80, columns > 80, "more where there is room");
    }
    let piped =
        Program::start(with(command("server"), &["--no-graphics", "--loopback", "--frames", "20"])).end().expect(0);
    assert!(rows(&piped.stdout).iter().all(|row| row.len() <= 80), "{:#?}", piped.stdout);
}

#[test]
fn q_ends_the_run_of_either_program_and_the_terminal_is_as_it_was() {
    let mut server = server(&["--once"], 80);
    let listening = server.wait_for("listening on ");
    let address = testkit::ends::address(&listening).expect("an address").to_owned();
    let mut client = command("client");
    client.args([&address, "--no-graphics"]);
    let mut client = at_terminal(client, 80);
    client.wait_for("estimate x");
    assert!(!client.is_as_shells_have_it(), "keys are given at once");
    client.press("xq");
    assert_eq!(client.end(), Some(0));
    assert!(client.screen().contains("frames received"), "{}", client.screen());
    assert_eq!(server.end(), Some(0));
    assert!(server.screen().contains("the client left"), "{}", server.screen());

    let mut waiting = self::server(&[], 80);
    waiting.wait_for("listening on ");
    poll(|| (!waiting.is_as_shells_have_it()).then_some(())).expect("keys are given at once");
    waiting.press("q");
    assert_eq!(waiting.end(), Some(0));
    for program in [&client, &server, &waiting] {
        assert!(program.is_as_shells_have_it(), "the terminal's modes are restored");
    }
}

#[test]
fn the_terminal_is_restored_after_every_signal_that_ends_the_run() {
    for (signal, code) in [(libc::SIGINT, Some(0)), (libc::SIGTERM, Some(0)), (libc::SIGQUIT, None)] {
        let mut server = server(&[], 80);
        poll(|| (!server.is_as_shells_have_it()).then_some(())).expect("keys are given at once");
        server.signal(signal);
        assert_eq!(server.end(), code, "signal {signal}");
        assert!(server.is_as_shells_have_it(), "signal {signal}");
    }
}

#[test]
fn another_ctrl_c_ends_a_stop_that_takes_long_and_the_terminal_is_restored() {
    let room = tempfile::tempdir().expect("a folder");
    let slow = room.path().join("slow");
    assert!(Command::new("mkfifo").arg(&slow).status().expect("mkfifo").success());
    let rows = slow.clone();
    // A reader that takes little keeps the stop waiting for 8 s.
    thread::spawn(move || {
        let mut file = File::open(rows).expect("the pipe");
        while file.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
            thread::sleep(Duration::from_millis(500));
        }
    });
    let slow = slow.to_str().expect("UTF-8");
    let mut server = server(&["--loopback", "--fps", "max", "--size", "64x48", "--csv", slow], 80);
    server.wait_for("listening on ");
    poll(|| (!server.is_as_shells_have_it()).then_some(())).expect("keys are given at once");
    // Long enough to fill the pipe.
    thread::sleep(Duration::from_secs(2));
    server.signal(libc::SIGINT);
    // A second press at once is the same request.
    server.signal(libc::SIGINT);
    thread::sleep(Duration::from_millis(1_500));
    server.signal(libc::SIGINT);
    assert_eq!(server.end(), Some(128 + libc::SIGINT), "{}", server.screen());
    assert!(server.is_as_shells_have_it());
}

#[test]
fn a_stopped_program_gives_the_terminal_back_until_it_continues() {
    let mut server = server(&[], 80);
    poll(|| (!server.is_as_shells_have_it()).then_some(())).expect("keys are given at once");
    // Ctrl-Z.
    server.press("\x1a");
    poll(|| server.is_as_shells_have_it().then_some(())).expect("given back");
    server.signal(libc::SIGCONT);
    poll(|| (!server.is_as_shells_have_it()).then_some(())).expect("taken again");
    server.press("q");
    assert_eq!(server.end(), Some(0));
}

#[test]
fn a_paused_terminal_delays_no_session_and_no_end() {
    let address = free_address().to_string();
    let mut server = server(&["--rows", "--listen", &address, "--frames", "20"], 80);
    server.wait_for("listening on ");
    // Ctrl-S.
    server.press("\x13");
    for _ in 0..3 {
        let ended = client(&address, &[]).end().expect(0);
        assert_eq!(rows(&ended.stdout).len(), 20, "{ended:#?}");
    }
    server.signal(libc::SIGTERM);
    // Rows that the terminal did not take are missing, and the exit code says so.
    assert_eq!(server.end(), Some(4));
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let screens = |variables: &[(&str, &str)]| {
        let mut server = command("server");
        server.args(["--listen", "203.0.113.1:1"]).env("TERM", "xterm").env_remove("NO_COLOR").env_remove("CLICOLOR");
        server.env_remove("CLICOLOR_FORCE").args(["--no-graphics"]).envs(variables.iter().copied());
        let mut help = command("server");
        help.arg("--help").env("TERM", "xterm").env_remove("NO_COLOR").envs(variables.iter().copied());
        let [failed, help] = [server, help].map(|command| {
            let mut program = at_terminal(command, 80);
            program.end();
            program
        });
        failed.wait_for("cannot listen");
        help.wait_for("Exit codes");
        [failed.screen(), help.screen()]
    };
    // SGR: digits and semicolons, then `m`. The progress line's own sequences move the cursor.
    let is_colour = |rest: &str| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m');
    let coloured =
        |variables: &[(&str, &str)]| screens(variables).map(|screen| screen.split("\x1b[").skip(1).any(is_colour));
    let escaped = |variables: &[(&str, &str)]| screens(variables).map(|screen| screen.contains('\x1b'));
    assert_eq!(coloured(&[]), [true, true]);
    assert_eq!(coloured(&[("NO_COLOR", "")]), [true, true], "an empty variable counts as unset");
    assert_eq!(coloured(&[("NO_COLOR", "1")]), [false, false]);
    assert_eq!(escaped(&[("TERM", "dumb")]), [false, false]);
    assert_eq!(
        escaped(&[("TERM", "dumb"), ("CI", "true")]),
        [false, false],
        "a machine of CI has no more of a terminal"
    );
}

#[test]
fn an_unread_stderr_delays_no_session() {
    let address = free_address().to_string();
    let (unread, stderr) = std::io::pipe().expect("a pipe");
    let mut command = with(command("server"), &["--no-graphics", "--listen", &address, "--frames", "20", "-vvv"]);
    // With -vvv, the logged packets fill a pipe of 64 KiB many times over.
    let mut server = command.stderr(stderr).stdout(std::process::Stdio::null()).spawn().expect("a server");
    drop(command);
    for _ in 0..3 {
        let ended = client(&address, &[]).end().expect(0);
        assert_eq!(rows(&ended.stdout).len(), 20, "{ended:#?}");
    }
    // SAFETY: no memory is involved. The child is this test's own and has not been waited for.
    assert_eq!(unsafe { libc::kill(server.id().cast_signed(), libc::SIGTERM) }, 0);
    let status = poll(|| server.try_wait().expect("our own child"));
    assert_eq!(status.and_then(|status| status.code()), Some(0));
    drop(unread);
}

#[test]
fn a_servers_words_are_escaped_on_the_clients_terminal() {
    use std::io::Write;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let reason = r#"{"type":"error","reason":"no\u001b[2J\r\nclient: connected\u202e"}"#;
        stream.write_all(reason.as_bytes()).and_then(|()| stream.write_all(b"\n")).expect("sent");
        stream
    });
    let mut command = command("client");
    command.args([&address, "--no-graphics", "--wait", "0s"]).env("NO_COLOR", "1");
    let mut client = at_terminal(command, 200);
    client.end();
    let said = client.wait_for("refused");
    assert!(said.contains(r"no\u{1b}[2J\r\nclient: connected\u{202e}"), "{said}");
    drop(answering);
}

#[test]
fn a_flood_of_nonsense_is_logged_in_a_few_short_lines() {
    use std::io::{Read, Write};
    let mut server = Server::start(&["--frames", "3", "--fps", "max"]);
    for number in 0..100 {
        let mut visitor = server.connect();
        let line = format!("{{\"type\":\"{}{number}\"}}\n", "\u{7f}".repeat(60_000));
        let _ = visitor.write_all(line.as_bytes());
        // Until the server has closed.
        let _ = visitor.read_to_end(&mut Vec::new());
    }
    assert_eq!(rows(&server.client(&[]).end().expect(0).stdout).len(), 3);
    server.program.signal("TERM");
    let ended = server.end().expect(0);
    let lines: Vec<_> = ended.stderr.iter().filter(|line| line.contains("not a signaling message")).collect();
    assert!(lines.len() < 20, "one a second, in far less than 20: {}", lines.len());
    let more = |line: &&String| line.split("(and ").nth(1)?.split(' ').next()?.parse::<usize>().ok();
    let counted = lines.iter().copied().filter_map(|line| more(&line)).sum::<usize>();
    assert_eq!(counted + lines.len(), 100, "each is told or counted: {lines:#?}");
    assert!(ended.stderr.iter().all(|line| line.chars().count() < 250), "{:#?}", ended.stderr);
}
