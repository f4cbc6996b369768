//! Ranges of the server's numeric options ([`Takes`]). What all programs' options have in common is in
//! [`shared::shell::options`].
//!
//! An option is one field. Its doc comment is the help, its type parses the value, and its attributes give default,
//! range and unit.

mod takes;
mod whole;

use clap::{Args, Command};
use shared::shell::options;

pub use takes::{NotTaken, OutOfRange, Takes, TakesAll};
pub(crate) use whole::whole;

/// The command with the common settings of all options and the ranges of its numbers.
#[must_use]
pub fn completed(command: Command, ranges: &TakesAll) -> Command {
    options::completed(limited(command, ranges))
}

/// The default options, from the fields' attributes.
pub fn defaults<T: Args>() -> T {
    let command = T::augment_args(Command::new("defaults").no_binary_name(true));
    let none: [&str; 0] = [];
    // invariant: every field has a default or may be absent, and each default is one its type reads (`run`'s tests).
    let matches = command.try_get_matches_from(none).expect("every option has a default");
    T::from_arg_matches(&matches).expect("every default is sound")
}

fn limited(command: Command, ranges: &TakesAll) -> Command {
    let command = command.mut_args(|option| match ranges.get(option.get_id().as_str()) {
        Some(takes) => takes.limit(option),
        None => option,
    });
    command.mut_subcommands(|subcommand| limited(subcommand, ranges))
}
