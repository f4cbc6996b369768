//! Clocks of the machine that are set while a session runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::ends::{Server, with};
use testkit::program::{Program, command};
use testkit::report::{ReportFile, only_session};

use crate::over_every_link;

/// Sets a program's clock four times a second, by up to ten years in both directions. Time that only runs forward is left
/// alone, as it is when an administrator or NTP sets the clock.
const SET: &str = r#"
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define YEARS 315360000L
#define SAID "the clock of this program is set now and then\n"

__attribute__((constructor)) static void begin(void) { (void)!write(2, SAID, sizeof SAID - 1); }

static long set(void) {
    static const long by[] = {0, 3600, -3600, YEARS, -YEARS};
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return by[(now.tv_sec * 4 + now.tv_nsec / 250000000) % 5];
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    long status = syscall(SYS_clock_gettime, clock, at);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += set();
    return (int)status;
}

int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"#;

/// The library that sets clocks.
fn library() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("clocks-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (source, library) = (folder.join("set.c"), folder.join("set.so"));
    fs::write(&source, SET).expect("the source");
    // Rust's linker is a C compiler.
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).status();
    assert!(built.expect("cc").success(), "the library does not build");
    library
}

#[test]
fn clocks_that_are_set_at_either_end_change_no_outcome_and_no_latency() {
    let library = library();
    over_every_link(|link| {
        let report = ReportFile::new();
        let folder = tempfile::tempdir().expect("a folder");
        let junit = folder.path().join("run.xml");
        let options = ["--no-graphics", "--once", "--frames", "180", "--deadline", "30s", "--json", report.name()];
        let mut server = with(command("server"), &options);
        server.arg("--junit").arg(&junit).args(["--gate", "frames.sent == 180"]).env("LD_PRELOAD", &library);
        let server = Server::listening(Program::start(server));
        let mut client = command("client");
        client.args([&server.address, "--no-graphics", "--link", link]).env("LD_PRELOAD", &library);
        let set = "the clock of this program is set now and then";
        Program::start(client).end().expect(0).says(set);
        server.end().expect(0).says(set);
        let report = report.read();
        let session = only_session(&report);
        assert_eq!(session["frames"]["circle"], 180, "{link}: {session:#}");
        // A frame that takes longer than its deadline is lost, and an hour is the smallest step.
        let longest = session["latency_us"]["max"].as_u64();
        assert!(longest.is_some_and(|us| us < 30_000_000), "{link}: {session:#}");
        assert!(fs::read_to_string(&junit).expect("JUnit").contains("<testsuite"), "{link}");
    });
    fs::remove_dir_all(library.parent().expect("its folder")).expect("its folder");
}
