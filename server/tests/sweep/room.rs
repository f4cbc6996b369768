//! A folder for sweeps, and what the tests read from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use testkit::program::{Ended, Program, command};
use testkit::room::Room;

use crate::table::{Row, rows};

/// A plan of 12 trials, each of a few milliseconds.
pub(crate) const PLAN: &str =
    "repeats = 2\n[run]\nframes = 20\nsize = \"96x72\"\nradius = 12\n[axes]\nnoise = [0, 5, 20]\nblur = [0, 1.5]\n";

/// A plan of 60 trials, each of about ten milliseconds.
pub(crate) const LONGER: &str = "repeats = 3\n[run]\nframes = 60\nsize = \"160x120\"\nradius = 12\n[axes]\nnoise = [0, 2, 5, 10]\nblur = [0, 0.5, 1, 1.5, 2]\n";

/// A folder with a plan.
pub(crate) fn with_plan(plan: &str) -> Room {
    let room = Room::new();
    room.write("plan.toml", plan);
    room
}

/// The command `server sweep` with these arguments, in this folder.
pub(crate) fn sweeping(room: &Room, arguments: &[&str]) -> Command {
    room.server(&[&["sweep"], arguments].concat())
}

pub(crate) fn sweep(room: &Room, arguments: &[&str]) -> Ended {
    Program::start(sweeping(room, arguments)).end()
}

/// The rows of a sweep's table.
pub(crate) fn table(room: &Room, folder: &str) -> Vec<Row> {
    rows(&room.path(folder).join("sweep.parquet"))
}

/// The same table without the columns that differ from machine to machine.
pub(crate) fn figures(room: &Room, folder: &str) -> Vec<Row> {
    let is_of_time = |name: &str| ["latency", "fps", "host", "version"].iter().any(|start| name.starts_with(start));
    let mut rows = table(room, folder);
    rows.iter_mut().for_each(|row| row.retain(|name, _| !is_of_time(name)));
    rows
}

/// The folders of the trials that are done.
pub(crate) fn trials(room: &Room, folder: &str) -> BTreeSet<String> {
    let groups = fs::read_dir(room.path(folder).join("trials")).into_iter().flatten().flatten();
    let names = groups.flat_map(|group| fs::read_dir(group.path()).expect("a folder").flatten());
    names.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| !name.starts_with('.')).collect()
}

/// The folder of a trial, by its number.
pub(crate) fn trial(room: &Room, folder: &str, number: usize) -> PathBuf {
    let row = table(room, folder).into_iter().find(|row| row["trial"] == number.to_string()).expect("the trial");
    let id = row["id"].trim_matches('"').to_owned();
    room.path(folder).join("trials").join(&id[..2]).join(id)
}

/// `PATH`, with the folder of the programs first.
pub(crate) fn path_with_programs() -> std::ffi::OsString {
    let server = PathBuf::from(command("server").get_program());
    let folder = server.parent().expect("a folder").to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&others))).expect("a path")
}
