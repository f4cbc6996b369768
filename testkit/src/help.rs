//! Checks of `--help` and `--version` for both programs.

use crate::program::command;

/// Runs a program with one argument and returns its stdout.
#[track_caller]
pub fn said(program: &str, argument: &str) -> String {
    let output = command(program).arg(argument).output().expect("started");
    assert!(output.status.success(), "{program} {argument} ended with {}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Asserts that the help names each of these options with its environment variable, and that the command line has no
/// other option.
#[track_caller]
pub fn assert_teaches(program: &str, command_line: &clap::Command, options: &[&str]) {
    let named = |name: &str| options.iter().any(|option| option.strip_prefix("--") == Some(name));
    let all: Vec<_> = command_line.get_arguments().filter_map(|argument| argument.get_long()).collect();
    assert!(all.iter().all(|name| named(name)), "the command line has {all:?}, but this test names only {options:?}");
    let help = said(program, "--help");
    for option in options {
        assert!(help.contains(option), "no {option} in {help}");
        let variable = format!("PLUMB_{}", option.trim_start_matches("--").replace('-', "_").to_uppercase());
        assert!(help.contains(&variable), "no {variable} in {help}");
    }
}

/// Asserts the version of a program, which is the caller's `env!("CARGO_PKG_VERSION")`.
#[track_caller]
pub fn assert_tells_version(program: &str, version: &str) {
    assert_eq!(said(program, "--version").trim(), format!("{program} {version}"));
}
