//! Commands of the two programs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The command of a program of this workspace, without a display for graphics and without options from the environment.
///
/// The program is one folder above the test itself. Cargo builds only the programs of the package whose tests it runs.
/// So the other program must already be there and up to date; `cargo test --workspace` ensures that.
pub fn command(name: &str) -> Command {
    command_at(&path(name))
}

/// The same for a program in another place.
pub fn command_at(program: &Path) -> Command {
    let mut command = Command::new(program);
    unset_options(&mut command);
    command
}

/// The same command, run by a shell after `line`: the program inherits the limits and signals that the line sets.
pub fn command_after(line: &str, name: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{line}; exec \"$0\" \"$@\"")]).arg(path(name));
    unset_options(&mut command);
    command
}

/// Removes the display and Plumb's options from the environment of a command.
pub(crate) fn unset_options(command: &mut Command) {
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("PLUMB_") {
            command.env_remove(variable);
        }
    }
    command.env_remove("DISPLAY");
}

fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test's own path");
    let directory = test.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>");
    let path = directory.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.is_file(), "{} is not built: run `cargo build --workspace` first", path.display());
    path
}
