//! A run of which some options vary: the others are read once.

use std::collections::BTreeSet;
use std::path::Path;

use clap::{Args, Command, FromArgMatches};

use super::file::Entry;
use super::layers::{check, layered, with_default};
use super::named::{NamedError, find, value};
use super::spec::RunSpec;
use crate::options::{self, TakesAll};

/// The option that names a camera's file.
const CAMERA: &str = "camera";

/// The options that all runs share.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    command: Command,
    given: BTreeSet<String>,
}

impl Template {
    /// Reads the options that all runs share. One of them may be `camera`, the file of a camera.
    ///
    /// # Errors
    /// [`NamedError`] names the option, what was wrong and what would be right.
    pub(crate) fn new(entries: &[Entry]) -> Result<Self, NamedError> {
        let command = RunSpec::augment_args(Command::new("run").no_binary_name(true));
        let command = options::completed(command, &TakesAll::of::<RunSpec>());
        let camera = entries.iter().find(|entry| entry.id == CAMERA).map(|entry| Path::new(&entry.text));
        let (command, origins) = layered(command, None, camera)?;
        let given = command.get_arguments().map(|option| option.get_id().to_string());
        let given = given.filter(|id| origins.names(id)).collect();
        let mut template = Self { command, given };
        for entry in entries.iter().filter(|entry| entry.id != CAMERA) {
            template.check(entry)?;
            template.command = with_default(template.command, &entry.id, entry.text.clone());
            template.given.insert(entry.id.clone());
        }
        Ok(template)
    }

    /// Checks the value of one option.
    ///
    /// # Errors
    /// [`NamedError`] names the option, what was wrong and what would be right.
    pub(crate) fn check(&self, Entry { id, text, is_switch }: &Entry) -> Result<(), NamedError> {
        check(find(&self.command, id)?, text, *is_switch).map_err(|reason| value(id, &reason))
    }

    /// Ids of the options that are given.
    pub(crate) fn given(&self) -> &BTreeSet<String> {
        &self.given
    }

    /// The run with these options too. Each was checked.
    ///
    /// # Errors
    /// [`NamedError`] names the option, what was wrong and what would be right.
    pub(crate) fn with(&self, entries: &[Entry]) -> Result<RunSpec, NamedError> {
        let arguments = entries.iter().map(|Entry { id, text, .. }| {
            let option = find(&self.command, id)?;
            let name = option.get_long().unwrap_or(id);
            Ok(format!("--{name}={text}"))
        });
        let arguments = arguments.collect::<Result<Vec<_>, NamedError>>()?;
        let read = self.command.clone().try_get_matches_from(arguments);
        read.and_then(|matches| RunSpec::from_arg_matches(&matches))
            .map_err(|wrong| value("options", &wrong.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, text: &str) -> Entry {
        Entry { id: id.into(), text: text.into(), is_switch: ["true", "false"].contains(&text) }
    }

    #[test]
    fn options_that_vary_override_those_that_all_runs_share() {
        let template = Template::new(&[entry("noise", "3"), entry("border", "true"), entry("size", "64x48")]).unwrap();
        let spec = template.with(&[entry("noise", "5"), entry("contrast", "-40"), entry("border", "false")]).unwrap();
        assert_eq!((spec.camera.noise, spec.camera.contrast, spec.sent.border), (5.0, -40.0, false));
        assert_eq!(template.with(&[]).unwrap().camera.noise, 3.0);
        assert_eq!(template.given().iter().map(String::as_str).collect::<Vec<_>>(), ["border", "noise", "size"]);
        assert_eq!(spec.lines(["noise", "size"]), "noise = 5.0\nsize = \"64x48\"\n");
    }

    #[test]
    fn a_wrong_option_is_answered_with_what_would_be_right() {
        let wrong = Template::new(&[entry("radus", "3")]).unwrap_err().to_string();
        assert_eq!(wrong, "\"radus\" is not an option: did you mean radius?");
        let wrong = Template::new(&[]).unwrap().check(&entry("noise", "-1")).unwrap_err().to_string();
        assert!(wrong.starts_with("noise: \"-1\" is not ") && wrong.contains("0 to "), "{wrong}");
    }

    #[test]
    fn the_options_of_a_cameras_file_are_given_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("camera.toml");
        std::fs::write(&path, "noise = 3\nblur = 1\n").unwrap();
        let template = Template::new(&[entry("camera", &path.display().to_string()), entry("noise", "5")]).unwrap();
        let spec = template.with(&[]).unwrap();
        assert_eq!((spec.camera.noise, spec.camera.blur), (5.0, 1.0));
        assert!(template.given().contains("blur") && template.given().contains("noise"));
    }
}
