//! What `--help` and `--version` of either program must say.
//!
//! Included by path from the tests of both programs' crates.

use assert_cmd::Command;

/// What a program of this crate says to one argument, on stdout.
pub(crate) fn said(program: &str, argument: &str) -> String {
    let mut command = Command::cargo_bin(program).expect("built");
    let output = command.arg(argument).assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("UTF-8")
}

/// Its help names each of these options, with its environment variable, and its command line has no other.
#[track_caller]
pub(crate) fn assert_teaches(program: &str, command_line: &clap::Command, options: &[&str]) {
    let named = |name: &str| options.iter().any(|option| option.strip_prefix("--") == Some(name));
    let others: Vec<_> = command_line.get_arguments().filter_map(|argument| argument.get_long()).collect();
    assert!(others.iter().all(|name| named(name)), "all of {others:?} are promised, but only these named: {options:?}");
    let help = said(program, "--help");
    for option in options {
        assert!(help.contains(option), "no {option} in {help}");
        let variable = format!("PLUMB_{}", option.trim_start_matches("--").replace('-', "_").to_uppercase());
        assert!(help.contains(&variable), "no {variable} in {help}");
    }
}

/// Its version is that of the package it is tested in.
#[track_caller]
pub(crate) fn assert_tells_version(program: &str) {
    assert_eq!(said(program, "--version").trim(), format!("{program} {}", env!("CARGO_PKG_VERSION")));
}
