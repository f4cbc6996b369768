//! What `--help` and `--version` of either program must say.

use crate::program::command;

/// What a program says to one argument, on stdout.
#[track_caller]
pub fn said(program: &str, argument: &str) -> String {
    let output = command(program).arg(argument).output().expect("started");
    assert!(output.status.success(), "{program} {argument} ended with {}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Its help names each of these options, with its environment variable, and its command line has no other.
#[track_caller]
pub fn assert_teaches(program: &str, command_line: &clap::Command, options: &[&str]) {
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

/// Its version is this one: the caller's `env!("CARGO_PKG_VERSION")`.
#[track_caller]
pub fn assert_tells_version(program: &str, version: &str) {
    assert_eq!(said(program, "--version").trim(), format!("{program} {version}"));
}
