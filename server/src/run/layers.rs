//! Files below the command line: their values become the defaults of its options.
//!
//! The order of precedence (command line, environment, file, default) is therefore that of `clap`. Each value is first
//! read by its option's own parser, so that errors name the file and not the command line.

use std::ffi::OsStr;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Args, Command};
use shared::shell::options;

use super::file::{Entry, FileError, printable, read, shown};
use super::origins::Origins;
use super::spec::RunSpec;
use crate::camera::CAMERA_HEADING;

/// The option that names a camera's file; a run's file may give it too.
const CAMERA: &str = "camera";

/// Takes defaults from a run's file and, below it, from a camera's file, which is named here or in the run's file.
/// Returns the command with these defaults, and which options the files set.
///
/// # Errors
/// [`FileError`] names the file, the key, what was wrong and what would be right.
pub fn layered(command: Command, run: Option<&Path>, camera: Option<&Path>) -> Result<(Command, Origins), FileError> {
    let mut origins = Origins::default();
    let entries = run.map(|path| read("--run", path)).transpose()?.unwrap_or_default();
    let named = entries.iter().find(|entry| entry.id == CAMERA && !entry.is_switch);
    let camera = camera.or_else(|| named.map(|entry| Path::new(&entry.text)));
    let command = match camera {
        Some(path) => with_entries(command, path, read("--camera", path)?, FileKind::Camera, &mut origins)?,
        None => command,
    };
    let command = match run {
        Some(path) => with_entries(command, path, entries, FileKind::Run, &mut origins)?,
        None => command,
    };
    Ok((command, origins))
}

/// The options that a file may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Run,
    Camera,
}

/// The command with these entries of a file as the defaults of its options.
pub(super) fn with_entries(
    mut command: Command,
    path: &Path,
    entries: Vec<Entry>,
    kind: FileKind,
    origins: &mut Origins,
) -> Result<Command, FileError> {
    let refused = |reason: String| FileError::Entry { path: path.into(), reason: printable(&reason) };
    let mut seen = Vec::new();
    for Entry { id, text, is_switch } in entries {
        if seen.contains(&id) {
            return Err(refused(format!("{id} is given twice, as {id} and as {}", id.replace('_', "-"))));
        }
        let option = belongs(&command, &id, kind).map_err(refused)?;
        check(option, &text, is_switch).map_err(|reason| refused(format!("{id}: {reason}")))?;
        command = with_default(command, &id, text);
        origins.set_by(&id, path.display().to_string());
        seen.push(id);
    }
    Ok(command)
}

/// The command with another default for an option, which was checked.
pub(super) fn with_default(command: Command, id: &str, text: String) -> Command {
    command.mut_arg(id, |option| option.default_value(text))
}

/// The option with this id, if a file may hold it.
fn belongs<'a>(command: &'a Command, id: &str, kind: FileKind) -> Result<&'a Arg, String> {
    let spec = RunSpec::augment_args(Command::new("run"));
    let Some(option) = command.get_arguments().find(|option| option.get_id() == id) else {
        let near = near(&spec, id).map_or_else(
            || ": its keys are the names in server --help, with _ for -".into(),
            |name| format!(": did you mean {name}?"),
        );
        return Err(format!("\"{}\" is not an option{near}", shown(id)));
    };
    let in_run = spec.get_arguments().any(|option| option.get_id() == id);
    match kind {
        FileKind::Run if in_run || id == CAMERA => Ok(option),
        FileKind::Run => Err(format!("{id} is not part of a run: give it on the command line")),
        FileKind::Camera if in_run && option.get_help_heading() == Some(CAMERA_HEADING) => Ok(option),
        FileKind::Camera => {
            Err(format!("{id} is not part of a camera: give it on the command line or in a run's file"))
        }
    }
}

/// The option that may have been meant.
pub(super) fn near(command: &Command, id: &str) -> Option<String> {
    let asked = ["run".to_owned(), format!("--{}", id.replace('_', "-"))];
    let refused = command.clone().no_binary_name(false).try_get_matches_from(asked).err();
    match refused.as_ref().and_then(|refused| refused.get(ContextKind::SuggestedArg)) {
        Some(ContextValue::String(name)) => Some(name.trim_start_matches('-').replace('-', "_")),
        _ => options::near_option(command, &id.replace('_', "-")).map(|name| name.replace('-', "_")),
    }
}

/// Reads the value as the option's own parser does.
pub(super) fn check(option: &Arg, text: &str, is_switch: bool) -> Result<(), String> {
    let takes_switch = matches!(option.get_action(), ArgAction::Set) && option.is_require_equals_set();
    match (takes_switch, is_switch) {
        (true, false) => Err(format!("\"{text}\" is neither true nor false, without quotes")),
        (false, true) => Err(format!("{text} is for switches: write a number, or a text in quotes")),
        _ => options::check(option, OsStr::new(text)),
    }
}
