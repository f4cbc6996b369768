//! Completes the options of a command.

use clap::builder::{BoolishValueParser, StringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, Command, ValueHint};

/// Adds to a command what all options share.
#[must_use]
pub fn completed(command: Command) -> Command {
    command.mut_args(completed_option).mut_subcommands(completed)
}

/// The environment variable of the option with this id.
pub fn variable(id: &str) -> String {
    format!("PLUMB_{}", id.to_uppercase().replace('-', "_"))
}

/// The environment variables of an option: its own, then those of its aliases. Required options, help and version have
/// none.
pub fn variables(option: &Arg) -> Vec<String> {
    let is_asked_for = matches!(option.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::Version);
    if is_asked_for || option.is_required_set() {
        return Vec::new();
    }
    let others = option.get_all_aliases().into_iter().flatten();
    [option.get_id().as_str()].into_iter().chain(others).map(variable).collect()
}

fn completed_option(option: Arg) -> Arg {
    let option = match option.get_action() {
        ArgAction::SetTrue => switch(option),
        ArgAction::Set | ArgAction::Append => value(option),
        ArgAction::Count => option.value_parser(StringValueParser::new().try_map(|text| count(&text))),
        _ => option,
    };
    with_variables(option)
}

/// Lets a switch also take `=false`, so that a switch set in a file or the environment can be turned off.
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

/// Accepts `-1` as a value, so that the error is about the value. A hyphen at the start of a file name is more likely
/// an option after a forgotten file name.
fn value(option: Arg) -> Arg {
    let names_a_file = option.get_value_hint() != ValueHint::Unknown;
    if option.is_positional() || names_a_file { option } else { option.allow_hyphen_values(true) }
}

/// Parses how often a repeatable switch counts, as an environment variable gives it.
fn count(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not a whole number from 0 to {}", u8::MAX))
}

/// Lists the variables in the help.
fn with_variables(option: Arg) -> Arg {
    let names = variables(&option);
    if names.is_empty() {
        return option;
    }
    let named = |help: &dyn ToString| format!("{} [env: {}]", help.to_string(), names.join(", "));
    let (help, long) = (option.get_help().map(|help| named(help)), option.get_long_help().map(|help| named(help)));
    let option = match help {
        Some(help) => option.help(help),
        None => option,
    };
    match long {
        Some(long) => option.long_help(long),
        None => option,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        let switch = Arg::new("once").long("once").action(ArgAction::SetTrue).help("One");
        let count = Arg::new("verbose").short('v').action(ArgAction::Count).help("More");
        let named = Arg::new("eye").long("eye").visible_alias("old-eye").help("What looks");
        let files = Arg::new("files").required(true).num_args(1..);
        completed(Command::new("it").args([switch, count, named, files]))
    }

    #[test]
    fn every_option_that_may_be_left_out_names_its_variables_in_the_help() {
        let help = command().render_help().to_string();
        for text in ["One [env: PLUMB_ONCE]", "More [env: PLUMB_VERBOSE]", "[env: PLUMB_EYE, PLUMB_OLD_EYE]"] {
            assert!(help.contains(text), "no {text} in {help}");
        }
        assert!(!help.contains("PLUMB_FILES") && !help.contains("PLUMB_HELP"), "{help}");
    }

    #[test]
    fn a_switch_may_be_false_and_a_value_may_begin_with_a_hyphen() {
        let matches = command().get_matches_from(["it", "--once=false", "--eye", "-1", "-vv", "file"]);
        assert_eq!(matches.get_one::<bool>("once"), Some(&false));
        assert_eq!(matches.get_one::<String>("eye").map(String::as_str), Some("-1"));
        assert_eq!(matches.get_one::<u8>("verbose"), Some(&2));
    }
}
