//! Checks the message of a program about a wrong value, for each of its options.

use std::process::Command;

use clap::{Arg, ArgAction};
use shared::shell::options;

use crate::program::{Program, command};

/// A value that is wrong for an option, and how the message repeats it.
struct Wrong {
    value: String,
    shown: String,
}

/// Phrases of Rust's own parsers. They do not say what would be right.
const OF_PARSERS: [&str; 8] = [
    "invalid digit",
    "invalid float",
    "would be zero",
    "number too",
    "cannot parse",
    "invalid IP",
    "invalid value",
    "panicked",
];

/// Words by which a message says what would be right.
const RIGHT: [&str; 10] = [
    "write ",
    "is not a ",
    "is not an ",
    "is none of ",
    "neither ",
    "there is ",
    "example ",
    " or ",
    "at most ",
    "a value is missing: ",
];

/// Asserts that a program answers every wrong value of every option, by argument and by variable, with exit code 2 and
/// a message that names the option and the value and says what would be right.
///
/// `before` stands before the option on the command line. `takes` says whether an option (by id) takes a value.
#[track_caller]
pub fn assert_answered(
    program: &str,
    before: &[&str],
    command_line: &clap::Command,
    takes: impl Fn(&str, &str) -> bool,
) -> usize {
    let mut answered = 0;
    for option in command_line.get_arguments().filter(|option| !option.is_required_set()) {
        let id = option.get_id().as_str().to_owned();
        for wrong in wrong().iter().filter(|wrong| !takes(&id, &wrong.value)) {
            for (place, call) in calls(program, before, option, &wrong.value) {
                assert_said(&place, wrong, call);
                answered += 1;
            }
        }
    }
    answered
}

fn wrong() -> Vec<Wrong> {
    let plain = ["", "abc", "-1", "1e999", "10%", "nan"].map(|value| (value.to_owned(), value.to_owned()));
    let huge = ("9".repeat(4000), "9".repeat(50));
    let hostile = ("\u{1b}[2J\u{202e}".to_owned(), "\\u{1b}[2J\\u{202e}".to_owned());
    plain.into_iter().chain([huge, hostile]).map(|(value, shown)| Wrong { value, shown }).collect()
}

/// The calls that give an option this value, with the argument or variable that the message must name.
fn calls(program: &str, before: &[&str], option: &Arg, value: &str) -> Vec<(String, Command)> {
    let call = || {
        let mut call = command(program);
        call.args(before);
        call
    };
    let mut calls = Vec::new();
    if matches!(option.get_action(), ArgAction::Set | ArgAction::SetTrue) {
        let mut by_argument = call();
        let place = option.get_long().map(|long| format!("--{long}"));
        match &place {
            Some(name) => by_argument.arg(format!("{name}={value}")),
            None => by_argument.args(["--", value]),
        };
        calls.push((place.unwrap_or_else(|| named(option)), by_argument));
    }
    // An empty variable counts as unset.
    for variable in options::variables(option).into_iter().filter(|_| !value.is_empty()) {
        let mut by_variable = call();
        by_variable.env(&variable, value);
        calls.push((variable, by_variable));
    }
    calls
}

/// The name that the help gives to an argument without `--`.
fn named(option: &Arg) -> String {
    let names = option.get_value_names().unwrap_or_default();
    names.first().map(ToString::to_string).expect("a name for its value")
}

#[track_caller]
fn assert_said(place: &str, wrong: &Wrong, call: Command) {
    let shown = format!("{call:?}").chars().take(300).collect::<String>();
    let ended = Program::start(call).end();
    let said = ended.stderr.join("\n");
    assert_eq!(ended.code, Some(2), "{shown}: {said}");
    // Mistakes found only after all options are read name the options without hyphens.
    assert!(said.contains(place) || said.contains(place.trim_start_matches('-')), "{shown}: names no {place}: {said}");
    assert!(said.contains(&wrong.shown), "{shown}: does not repeat the value: {said}");
    assert!(said.len() < 600 && !said.contains(|c: char| c.is_control() && c != '\n'), "{shown}: {said:?}");
    assert!(!said.contains('\u{202e}'), "{shown}: {said:?}");
    let parser = OF_PARSERS.iter().find(|phrase| said.contains(**phrase));
    assert_eq!(parser, None, "{shown}: {said}");
    assert!(RIGHT.iter().any(|phrase| said.contains(phrase)), "{shown}: does not say what would be right: {said}");
}
