//! A folder of a test: its files, and the programs that run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::folder::unpaced;
use crate::program::{Ended, command};

/// A temporary folder.
pub struct Room(TempDir);

impl Room {
    /// An empty folder.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    /// Its own path.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The path of one of its files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The path of one of its files, as the value of an option.
    pub fn name(&self, name: &str) -> String {
        self.path(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// Writes a file.
    #[track_caller]
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Writes a file. Returns its path, as the value of an option.
    #[track_caller]
    pub fn file(&self, name: &str, text: &str) -> String {
        self.write(name, text);
        self.name(name)
    }

    /// The text of a file.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The command `server` with these arguments, in this folder.
    pub fn server(&self, arguments: &[&str]) -> Command {
        let mut server = command("server");
        server.args(arguments).current_dir(self.folder());
        server
    }

    /// A whole run whose folder is `name`: of 60 small, noisy frames with seed 7, unless the options say otherwise.
    pub fn run(&self, name: &str, options: &[&str]) -> Ended {
        let usual = [["--frames", "60"], ["--seed", "7"], ["--size", "160x120"], ["--noise", "10"]];
        let missing: Vec<_> = usual.into_iter().filter(|[option, _]| !options.contains(option)).flatten().collect();
        unpaced(&[&["--out", &self.name(name)], &missing[..], options].concat())
    }
}
