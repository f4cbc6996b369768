//! What all options have in common, whatever they are for.
//!
//! An option is one field: its doc comment is the help, its type parses, its attributes say default, range and unit. What
//! follows from that is added here to the `clap` command and restated nowhere: the environment variable, `=false` after
//! a switch, values that begin with a hyphen, and the range of a number ([`Takes`]).

mod takes;

use std::env;

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, Args, Command, ValueHint};

pub use takes::{OutOfRange, Takes, TakesAll};

/// The command with what all its options have in common.
#[must_use]
pub fn completed(command: Command, ranges: &TakesAll) -> Command {
    let command = command.mut_args(|option| completed_option(option, ranges));
    command.mut_subcommands(|subcommand| completed(subcommand, ranges))
}

/// The environment variable of an option.
pub fn variable(id: &str) -> String {
    format!("PLUMB_{}", id.to_uppercase())
}

/// Options that nobody gave: the defaults that the fields' attributes name.
pub fn defaults<T: Args>() -> T {
    let command = T::augment_args(Command::new("defaults").no_binary_name(true));
    let none: [&str; 0] = [];
    // invariant: every field has a default or may be absent, and each default is one its type reads (`run`'s tests).
    let matches = command.try_get_matches_from(none).expect("every option has a default");
    T::from_arg_matches(&matches).expect("every default is sound")
}

fn completed_option(option: Arg, ranges: &TakesAll) -> Arg {
    let option = match option.get_action() {
        ArgAction::SetTrue => switch(option),
        ArgAction::Set => value(option),
        _ => option,
    };
    let option = match ranges.get(option.get_id().as_str()) {
        Some(takes) => takes.limit(option),
        None => option,
    };
    from_environment(option)
}

/// A switch also takes `=false`, so that what a file or the environment switches on can be switched off.
fn switch(option: Arg) -> Arg {
    option
        .action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_value("false")
        .default_missing_value("true")
        .hide_default_value(true)
        .value_name("BOOL")
        .value_parser(BoolishValueParser::new())
        .hide_possible_values(true)
}

/// `-1` is a value, so that the message is about it. The name of a file that begins with a hyphen is more likely an
/// option after a forgotten name.
fn value(option: Arg) -> Arg {
    let names_a_file = option.get_value_hint() != ValueHint::Unknown;
    if option.is_positional() || names_a_file { option } else { option.allow_hyphen_values(true) }
}

/// Reads an option from its environment variable too; an empty one is an unset one.
fn from_environment(option: Arg) -> Arg {
    let variable = variable(option.get_id().as_str());
    if env::var_os(&variable).is_none_or(|value| !value.is_empty()) {
        return option.env(variable);
    }
    let help = option.get_help().map(ToString::to_string).unwrap_or_default();
    option.help(format!("{help} [env: {variable}=]"))
}
