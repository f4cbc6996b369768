//! Checks of `--help` and `--version` for both programs.

use std::collections::BTreeSet;

use shared::shell::options;

use crate::program::command;

/// Runs a program with one argument and returns its stdout.
#[track_caller]
pub fn said(program: &str, argument: &str) -> String {
    let output = command(program).arg(argument).output().expect("started");
    assert!(output.status.success(), "{program} {argument} ended with {}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Asserts that a program's help names each of these options and positional arguments with its environment variable,
/// and that its command line, subcommands included, has no others.
#[track_caller]
pub fn assert_help_names(program: &str, command_line: &clap::Command, options: &[&str]) {
    let named = names(command_line);
    assert_eq!(named, options.iter().map(ToString::to_string).collect(), "the names of {program}'s options");
    let subcommands = command_line.get_subcommands().map(|subcommand| helped(program, Some(subcommand.get_name())));
    let help: Vec<_> = [helped(program, None)].into_iter().chain(subcommands).collect();
    for variable in options.iter().map(|option| options::variable(option)) {
        assert!(help.iter().any(|help| help.contains(&variable)), "no {variable} in {help:#?}");
    }
}

/// Returns the output of `--help`. Asserts that it ends with examples and exit codes, that it fits a terminal of 80
/// columns, and that each option is under a heading.
#[track_caller]
fn helped(program: &str, subcommand: Option<&str>) -> String {
    let mut help = command(program);
    let output = help.args(subcommand).arg("--help").env("COLUMNS", "80").output().expect("started");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    let end = help.find("\nExamples:\n").map(|start| &help[start..]).unwrap_or_else(|| panic!("no examples in {help}"));
    assert!(end.contains(&format!("\n  {program} ")) && end.contains("\nExit codes:\n  0  "), "{end}");
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    // Only `--help` and `--version` have no heading of their own.
    let (_, plain) = help.split_once("\nOptions:\n").expect("options");
    let plain = plain.split("\n\n").take_while(|paragraph| !paragraph.trim_start().ends_with(':'));
    let plain: String = plain.take_while(|paragraph| paragraph.starts_with("  ")).collect();
    assert!(plain.matches("--").count() <= 2, "options without a heading: {plain}");
    help
}

/// All names of all options and positional arguments, except the required ones.
fn names(command_line: &clap::Command) -> BTreeSet<String> {
    let own = command_line.get_arguments().filter(|option| !option.is_required_set());
    let own = own.flat_map(|option| {
        let others = option.get_all_aliases().into_iter().flatten();
        [option.get_id().as_str()].into_iter().chain(others).map(|name| name.replace('_', "-")).collect::<Vec<_>>()
    });
    own.chain(command_line.get_subcommands().flat_map(names)).collect()
}

/// Asserts the version of a program, which is the caller's `env!("CARGO_PKG_VERSION")`.
#[track_caller]
pub fn assert_tells_version(program: &str, version: &str) {
    assert_eq!(said(program, "--version").trim(), format!("{program} {version}"));
}
