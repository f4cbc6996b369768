//! Where the programs are, and how they are called.

use std::path::PathBuf;
use std::process::Command;

/// A program of this workspace, without a display for graphics and without options from the environment.
///
/// It stands one folder above the test itself. Cargo builds only the programs of the package whose tests it runs, so the
/// other one must be there already, and fresh: `cargo test --workspace` sees to that.
pub fn command(name: &str) -> Command {
    let mut command = Command::new(path(name));
    unset_options(&mut command);
    command
}

/// The same, after a line of shell: limits and signals that the program inherits. It is the shell's process.
pub fn command_after(line: &str, name: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{line}; exec \"$0\" \"$@\"")]).arg(path(name));
    unset_options(&mut command);
    command
}

/// Takes a display and Plumb's options out of the environment a command passes on.
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
