//! A folder for sweeps, and what the tests read from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;
use testkit::program::{Ended, Program, command};
use testkit::python;

/// A plan of 12 trials, each of a few milliseconds.
pub(crate) const PLAN: &str =
    "repeats = 2\n[run]\nframes = 20\nsize = \"96x72\"\nradius = 12\n[axes]\nnoise = [0, 5, 20]\nblur = [0, 1.5]\n";

/// A plan of 60 trials, each of about ten milliseconds.
pub(crate) const LONGER: &str = "repeats = 3\n[run]\nframes = 60\nsize = \"160x120\"\nradius = 12\n[axes]\nnoise = [0, 2, 5, 10]\nblur = [0, 0.5, 1, 1.5, 2]\n";

/// A folder with a plan.
pub(crate) struct Room(pub(crate) TempDir);

impl Room {
    pub(crate) fn new(plan: &str) -> Self {
        let room = Self(tempfile::tempdir().expect("a temporary directory"));
        room.plan(plan);
        room
    }

    pub(crate) fn plan(&self, text: &str) {
        fs::write(self.path("plan.toml"), text).expect("written");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command `server sweep` with these arguments, in this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut server = command("server");
        server.arg("sweep").args(arguments).current_dir(self.0.path());
        server
    }

    pub(crate) fn sweep(&self, arguments: &[&str]) -> Ended {
        Program::start(self.command(arguments)).end()
    }

    /// The rows of a folder's table, each with the values that are not null.
    pub(crate) fn table(&self, folder: &str) -> Vec<BTreeMap<String, String>> {
        let file = File::open(self.path(folder).join("sweep.parquet")).expect("a table");
        let reader = SerializedFileReader::new(file).expect("Parquet");
        let rows = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row"));
        let named = |row: parquet::record::Row| {
            let cells = row.get_column_iter().map(|(name, cell)| (name.clone(), cell.to_string()));
            cells.filter(|(_, cell)| cell != "null").collect()
        };
        rows.map(named).collect()
    }

    /// The same table without the columns that differ from machine to machine.
    pub(crate) fn figures(&self, folder: &str) -> Vec<BTreeMap<String, String>> {
        let is_of_time = |name: &str| ["latency", "fps", "host", "version"].iter().any(|start| name.starts_with(start));
        let mut rows = self.table(folder);
        rows.iter_mut().for_each(|row| row.retain(|name, _| !is_of_time(name)));
        rows
    }

    /// The folders of the trials that are done.
    pub(crate) fn trials(&self, folder: &str) -> BTreeSet<String> {
        let groups = fs::read_dir(self.path(folder).join("trials")).into_iter().flatten().flatten();
        let names = groups.flat_map(|group| fs::read_dir(group.path()).expect("a folder").flatten());
        names
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with('.'))
            .collect()
    }

    /// The folder of a trial, by its number.
    pub(crate) fn trial(&self, folder: &str, number: usize) -> PathBuf {
        let row = self.table(folder).into_iter().find(|row| row["trial"] == number.to_string()).expect("the trial");
        let id = row["id"].trim_matches('"').to_owned();
        self.path(folder).join("trials").join(&id[..2]).join(id)
    }
}

pub(crate) fn said(ended: &Ended) -> String {
    ended.stdout.iter().chain(&ended.stderr).map(|line| line.clone() + "\n").collect()
}

pub(crate) fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sweep_requirements.txt");
    python::environment(folder, "sweep-venv", &requirements).unwrap_or_else(|error| panic!("{error}"))
}

/// `PATH`, with the folder of the programs first.
pub(crate) fn path_with_programs() -> std::ffi::OsString {
    let server = PathBuf::from(command("server").get_program());
    let folder = server.parent().expect("a folder").to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&others))).expect("a path")
}
