//! Error messages about values that an option does not accept, and about anything else that is wrong with a command
//! line.
//!
//! They have one form, wherever the value came from: `PLACE: "VALUE" is not WHAT IS VALID`. The value may
//! come from anywhere, so it is escaped and cut.

use std::any::TypeId;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};
use thiserror::Error;

use crate::near::near;
use crate::text::Brief;

/// Characters shown of a value: enough to recognise it.
const SHOWN_CHARACTERS: usize = 60;

/// A value that its option does not accept.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{place}: {reason}")]
pub struct Refusal {
    /// The option or variable, as it is written.
    pub place: String,
    /// The value, what is wrong with it, and what would be right.
    pub reason: String,
}

impl From<Refusal> for clap::Error {
    fn from(refusal: Refusal) -> Self {
        Self::raw(ErrorKind::ValueValidation, format!("{refusal}\n\nFor more information, try '--help'.\n"))
    }
}

/// Parses a value with the option's own parser.
///
/// # Errors
/// What is wrong with the value, and what would be right.
pub fn check(option: &Arg, value: &OsStr) -> Result<(), String> {
    let alone = option.clone().action(ArgAction::Set).num_args(1).required(false).global(false);
    let (alone, arguments) = if option.is_positional() {
        (alone, vec!["--".into(), value.to_owned()])
    } else {
        let mut argument = OsString::from("--value=");
        argument.push(value);
        (alone.long("value"), vec![argument])
    };
    let read = Command::new("alone").no_binary_name(true).arg(alone).try_get_matches_from(arguments);
    read.map(drop).map_err(|refused| reason(option, value, &refused))
}

/// Rewrites an error in our form. Nothing in it moves the reader's cursor.
pub(super) fn in_our_form(command: &Command, arguments: &[OsString], mut refused: clap::Error) -> clap::Error {
    let text = |kind| match refused.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let mut command = command.clone();
    command.build();
    let refusal = match refused.kind() {
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let (name, value) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue));
            name.zip(value).and_then(|(name, value)| wrong_value(&command, &name, &value, &refused))
        }
        ErrorKind::InvalidUtf8 => not_text(&command, arguments),
        _ => text(ContextKind::InvalidSubcommand).and_then(|word| stray_word(&command, &word)),
    };
    if let Some(refusal) = refusal {
        return refusal.into();
    }
    if let Some(name) = text(ContextKind::InvalidArg)
        && let Some(near) = unknown_option(&command, arguments, &name, &refused)
    {
        refused.insert(ContextKind::SuggestedArg, ContextValue::String(near));
    }
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidSubcommand, ContextKind::InvalidValue] {
        if let Some(ContextValue::String(text)) = refused.get(kind) {
            let shown = shown(text);
            refused.insert(kind, ContextValue::String(shown));
        }
    }
    refused
}

fn wrong_value(command: &Command, name: &str, value: &str, refused: &clap::Error) -> Option<Refusal> {
    let option = options(command).into_iter().find(|option| option.to_string() == name)?;
    Some(Refusal { place: place(option), reason: reason(option, OsStr::new(value), refused) })
}

/// The option that may have been meant by an unknown one, if `clap` names none. Its measure finds no swapped letters in
/// short names.
fn unknown_option(command: &Command, arguments: &[OsString], name: &str, refused: &clap::Error) -> Option<String> {
    if refused.kind() != ErrorKind::UnknownArgument || refused.get(ContextKind::SuggestedArg).is_some() {
        return None;
    }
    let words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    let command = words.fold(command, |command, word| command.find_subcommand(word).unwrap_or(command));
    near_option(command, name.strip_prefix("--")?).map(|near| format!("--{near}"))
}

/// The option of a command whose name is nearest to this one, if it is near.
pub fn near_option(command: &Command, name: &str) -> Option<String> {
    let longs = command.get_arguments().filter(|option| !option.is_hide_set()).filter_map(Arg::get_long);
    near(name, longs).first().map(ToString::to_string)
}

/// A word that is neither an option nor a subcommand of a program without positional arguments.
fn stray_word(command: &Command, word: &str) -> Option<Refusal> {
    let names: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
    if names.contains(&word) || command.get_positionals().next().is_some() {
        return None;
    }
    let listens = command.get_arguments().any(|option| option.get_long() == Some("listen"));
    let hint = match word.parse::<SocketAddr>() {
        Ok(address) if listens => format!("--listen {address} listens there"),
        _ => format!("options begin with --, and the commands are {}", names.join(", ")),
    };
    Some(Refusal {
        place: "argument".into(),
        reason: format!("\"{}\" is neither an option nor a command: {hint}", shown(word)),
    })
}

/// The first argument that is not UTF-8 but must be. File names need not be.
fn not_text(command: &Command, arguments: &[OsString]) -> Option<Refusal> {
    let options = options(command);
    let refused = (1..arguments.len()).filter(|position| arguments[*position].to_str().is_none());
    refused.map(|position| (option_at(&options, arguments, position), arguments[position].to_string_lossy())).find_map(
        |(option, argument)| {
            let names_files =
                option.is_some_and(|option| option.get_value_parser().type_id() == TypeId::of::<PathBuf>());
            let value =
                if argument.starts_with("--") { argument.split('=').nth(1).unwrap_or(&argument) } else { &argument };
            let place = option.map_or_else(|| "argument".to_owned(), place);
            (!names_files).then(|| Refusal { place, reason: no_text(value) })
        },
    )
}

/// The option of the value at this position: after `=`, after its name, or positional.
fn option_at<'a>(options: &[&'a Arg], arguments: &[OsString], position: usize) -> Option<&'a Arg> {
    let name = |argument: &OsString| argument.to_string_lossy().split('=').next().unwrap_or_default().to_owned();
    let called = |name: &str| {
        let is_called = |option: &&&Arg| {
            let longs = option.get_long_and_visible_aliases().into_iter().flatten();
            longs.chain(option.get_long()).any(|long| name.strip_prefix("--") == Some(long))
        };
        options.iter().find(is_called).copied()
    };
    let own = called(&name(&arguments[position]));
    own.or_else(|| called(arguments[position - 1].to_str()?)).or_else(|| {
        let mut positional = options.iter().filter(|option| option.is_positional());
        positional.next_back().filter(|_| !name(&arguments[position]).starts_with("--")).copied()
    })
}

fn no_text(value: &str) -> String {
    format!("\"{}\" is not UTF-8 text", shown(value))
}

/// The options of a command and of its subcommands.
fn options(command: &Command) -> Vec<&Arg> {
    command.get_arguments().chain(command.get_subcommands().flat_map(|subcommand| options(subcommand))).collect()
}

/// The option as it is written: `--seed`, or `SERVER` for a positional argument.
fn place(option: &Arg) -> String {
    match option.get_long() {
        Some(long) => format!("--{long}"),
        None => option.get_value_names().and_then(|names| names.first()).map(ToString::to_string).unwrap_or_default(),
    }
}

fn reason(option: &Arg, value: &OsStr, refused: &clap::Error) -> String {
    let (text, known) = (value.to_string_lossy(), option.get_possible_values());
    let quoted = format!("\"{}\"", shown(&text));
    match refused.source() {
        _ if value.to_str().is_none() => no_text(&text),
        // What else a switch accepts need not be listed.
        _ if is_switch(option) => format!("{quoted} is neither true nor false"),
        Some(reason) => with_value(&reason.to_string(), &text, &quoted),
        None if !known.is_empty() => {
            let names: Vec<_> = known.iter().map(PossibleValue::get_name).collect();
            format!("{quoted} is none of {}", names.join(", "))
        }
        None => format!("a value is missing: {}", option.get_value_names().unwrap_or_default().join(" ")),
    }
}

fn is_switch(option: &Arg) -> bool {
    option.is_require_equals_set() && option.get_default_values().iter().any(|value| value == "false")
}

/// Shows the value at the start of a reason as it may be printed.
fn with_value(reason: &str, value: &str, quoted: &str) -> String {
    match reason.strip_prefix(&format!("\"{value}\"")) {
        Some(rest) => format!("{quoted}{rest}"),
        None => format!("{quoted}: {}", crate::text::Escaped(reason)),
    }
}

fn shown(text: &str) -> String {
    Brief(text, SHOWN_CHARACTERS).to_string()
}
