//! Programs that may start only a few threads, as in a container with a limit of processes.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use testkit::program::{Ended, Program, command, command_at};

/// A program that may have this many threads. Root has no such limit, so it runs as another user, who has no other
/// processes: the limit is on all threads of a user.
fn with_threads(limit: u32, name: &str) -> Command {
    static USERS: AtomicU32 = AtomicU32::new(0);
    // A run of these tests takes fewer than 100 of them.
    let user = 50_000 + std::process::id() % 100 * 100 + USERS.fetch_add(1, Ordering::Relaxed);
    let mut limited = command_at(Path::new("prlimit"));
    limited.arg(format!("--nproc={limit}")).args(["setpriv", "--clear-groups"]);
    limited.arg(format!("--reuid={user}")).arg(format!("--regid={user}")).arg(command(name).get_program());
    limited
}

/// Whether this user may run the programs like this.
fn is_possible() -> bool {
    let mut version = with_threads(100, "server");
    let is_possible = version.arg("--version").output().is_ok_and(|ended| ended.status.success());
    if !is_possible {
        eprintln!("not tested: this needs root, prlimit, setpriv, and programs that other users can reach");
    }
    is_possible
}

/// Checks that a program with few threads has done its work, as this exit code says, or names what it lacks.
fn check(name: &str, limit: u32, ended: &Ended, done: i32) {
    let said = ended.stderr.join("\n");
    let names_threads = said.contains("the system starts no more threads") || said.contains("fewer --workers may do");
    assert!(!said.contains("panicked"), "{name}, {limit}: {said}");
    assert!(ended.code == Some(done) || names_threads, "{name}, {limit}: {ended:#?}");
    assert!([Some(done), Some(3), Some(4)].contains(&ended.code), "{name}, {limit}: {ended:#?}");
}

#[test]
fn a_run_with_few_threads_works_with_those_or_says_what_helps() {
    if !is_possible() {
        return;
    }
    // With the smallest limits not even the log begins; the largest is enough for any number of workers.
    for limits in [1..7, 7..13, 13..19, 10_000..10_001] {
        let start = |limit| {
            let mut program = with_threads(limit, "server");
            program.args(["--loopback", "--no-graphics", "--no-announce", "--frames", "3", "--once"]);
            (limit, Program::start(program))
        };
        let programs: Vec<_> = limits.map(start).collect();
        for (limit, program) in programs {
            let ended = program.end();
            check("server", limit, &ended, 0);
            assert!(ended.code == Some(0) || limit < 10_000, "{ended:#?}");
        }
    }
}

#[test]
fn two_programs_with_few_threads_work_with_those_or_say_what_helps() {
    if !is_possible() {
        return;
    }
    for (name, options) in [("server", ["--listen", "127.0.0.1:0"]), ("client", ["127.0.0.1:9", "--workers=2"])] {
        for limit in 1..12 {
            let mut program = with_threads(limit, name);
            program.args(options).args(["--no-graphics", "--wait", "0s"]);
            // Nobody calls, and nobody is there.
            check(name, limit, &Program::start(program).end(), 3);
        }
    }
}
