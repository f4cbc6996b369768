//! A run from options given by name: the arguments of a function in another language.
//!
//! Each value is read by its option's own parser, so that names, defaults, ranges and errors are those of the command
//! line. Options override the files of a run and of a camera, as on the command line.

use std::path::Path;

use clap::{Arg, Args, Command, FromArgMatches};
use thiserror::Error;

use super::file::{Entry, FileError, printable, shown};
use super::layers::{check, layered, near, with_default};
use super::origins::Origins;
use super::spec::RunSpec;
use crate::options::{self, TakesAll};

/// The options that name files. All other options override the values in these files.
const FILES: [&str; 2] = ["run", "camera"];

/// Why options given by name were refused.
#[derive(Debug, Error)]
pub enum NamedError {
    /// No option has this name.
    #[error("\"{name}\" is not an option{}", .near.as_ref().map_or_else(String::new, |near| format!(": did you mean {near}?")))]
    Unknown {
        /// The name.
        name: String,
        /// The option that may have been meant.
        near: Option<String>,
    },
    /// An option does not take this value.
    #[error("{name}: {reason}")]
    Value {
        /// The option.
        name: String,
        /// The value, what is wrong with it and what would be right.
        reason: String,
    },
    /// The file of a run or of a camera was refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Reads options given by name, such as those of a [`RunSpec`]. Also returns which options a file set.
///
/// `defaults` replace the options' own defaults. The files override `defaults`, and `entries` override the files. An
/// entry equal to one of `defaults` counts as not given, so a file overrides it.
///
/// # Errors
/// [`NamedError`] names the option, what was wrong and what would be right.
pub fn named<T: Args>(defaults: &[Entry], entries: Vec<Entry>) -> Result<(T, Origins), NamedError> {
    let command = T::augment_args(Command::new("run").no_binary_name(true));
    let command = options::completed(command, &TakesAll::of::<RunSpec>());
    let command =
        defaults.iter().fold(command, |command, Entry { id, text, .. }| with_default(command, id, text.clone()));
    let [run, camera] = FILES.map(|id| entries.iter().find(|entry| entry.id == id).map(|entry| Path::new(&entry.text)));
    let (mut command, mut origins) = layered(command, run, camera)?;
    for Entry { id, text, is_switch } in entries.into_iter().filter(|entry| is_own(entry, defaults)) {
        let option = find(&command, &id)?;
        check(option, &text, is_switch).map_err(|reason| value(&id, &reason))?;
        command = with_default(command, &id, text);
        origins.set_by_the_command_line(&id);
    }
    let none: [&str; 0] = [];
    let read = command.try_get_matches_from(none).and_then(|matches| T::from_arg_matches(&matches));
    // Each value was checked separately, and no two options exclude each other.
    Ok((read.map_err(|wrong| value("options", &wrong.to_string()))?, origins))
}

/// Reads a run from its file alone. Errors name `option` as what named the file.
///
/// # Errors
/// [`FileError`] names the file, the key, what was wrong and what would be right.
pub fn of_file(option: &str, path: &Path) -> Result<RunSpec, FileError> {
    let command = RunSpec::augment_args(Command::new("run").no_binary_name(true));
    let command = options::completed(command, &TakesAll::of::<RunSpec>());
    let (command, _) =
        layered(command, Some(path), None).map_err(|wrong| wrong.naming_source(|_| Some(option.to_owned())))?;
    let none: [&str; 0] = [];
    let read = command.try_get_matches_from(none).and_then(|matches| RunSpec::from_arg_matches(&matches));
    // Each value was checked separately, and no two options exclude each other.
    read.map_err(|wrong| FileError::Entry { path: path.into(), reason: printable(&wrong.to_string()) })
}

/// Whether an entry sets an option of its own: it neither names a file nor repeats a default.
fn is_own(entry: &Entry, defaults: &[Entry]) -> bool {
    !FILES.contains(&&*entry.id) && !defaults.contains(entry)
}

/// Name and help text of each option of a type.
pub fn names<T: Args>() -> Vec<(String, String)> {
    let command = options::completed(T::augment_args(Command::new("run")), &TakesAll::of::<RunSpec>());
    let help = |option: &Arg| option.get_help().map(ToString::to_string).unwrap_or_default();
    command.get_arguments().map(|option| (option.get_id().to_string(), help(option))).collect()
}

pub(super) fn find<'a>(command: &'a Command, name: &str) -> Result<&'a Arg, NamedError> {
    let has_id = |id: &str| command.get_arguments().find(|option| option.get_id() == id);
    let unknown = || {
        // The name may be written as on the command line, with hyphens.
        let id = name.replace('-', "_");
        let near = if has_id(&id).is_some() { Some(id) } else { near(command, name) };
        NamedError::Unknown { name: shown(name), near }
    };
    has_id(name).ok_or_else(unknown)
}

pub(super) fn value(name: &str, reason: &str) -> NamedError {
    NamedError::Value { name: name.to_owned(), reason: printable(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &[(&str, &str)]) -> Result<RunSpec, String> {
        let entry = |(id, text): &(&str, &str)| Entry {
            id: (*id).into(),
            text: (*text).into(),
            is_switch: ["true", "false"].contains(text),
        };
        let read = named::<RunSpec>(&[], options.iter().map(entry).collect());
        read.map(|(spec, _)| spec).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn options_by_name_are_those_of_the_command_line() {
        assert_eq!(read(&[]), Ok(RunSpec::default()));
        let spec = read(&[("noise", "5"), ("radius", "10..40"), ("border", "true"), ("fps", "max")]).unwrap();
        assert_eq!((spec.camera.noise, spec.radius().max, spec.sent.border), (5.0, 40.0, true));
    }

    #[test]
    fn a_wrong_name_or_value_is_refused_and_the_error_says_what_is_valid() {
        assert_eq!(read(&[("radus", "5")]).unwrap_err(), "\"radus\" is not an option: did you mean radius?");
        assert_eq!(
            read(&[("empty-rate", "0")]).unwrap_err(),
            "\"empty-rate\" is not an option: did you mean empty_rate?"
        );
        assert_eq!(read(&[("q\u{1b}", "5")]).unwrap_err(), "\"q\\u{1b}\" is not an option");
        let wrong = read(&[("noise", "-1")]).unwrap_err();
        assert!(wrong.starts_with("noise: \"-1\" is not ") && wrong.contains("0 to "), "{wrong}");
        assert_eq!(
            read(&[("border", "yes")]).unwrap_err(),
            "border: \"yes\" is neither true nor false, without quotes"
        );
        assert!(read(&[("noise", "true")]).unwrap_err().starts_with("noise: true is for switches"));
        assert!(read(&[("run", "/there/is/none.toml")]).unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn options_override_the_file_of_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        std::fs::write(&path, "noise = 3\nspeed = 100\n").unwrap();
        let spec = read(&[("noise", "5"), ("run", &path.display().to_string())]).unwrap();
        assert_eq!((spec.camera.noise, spec.sent.speed), (5.0, 100.0));
        let entry = |id: &str, text: &str| Entry { id: id.into(), text: text.into(), is_switch: false };
        let (defaults, run) =
            ([entry("speed", "50"), entry("border", "true")], entry("run", &path.display().to_string()));
        let read = named::<RunSpec>(&defaults, vec![entry("speed", "50"), run]);
        let (spec, _) = read.unwrap();
        assert_eq!((spec.sent.speed, spec.camera.noise), (100.0, 3.0), "a default lies below the file");
        assert!(spec.sent.border, "and above the option's own");
    }

    #[test]
    fn every_option_has_a_name_and_a_help() {
        let names = names::<RunSpec>();
        assert!(names.iter().any(|(name, _)| name == "empty_rate") && names.iter().all(|(_, help)| !help.is_empty()));
    }
}
