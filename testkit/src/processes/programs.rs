//! The release builds of the two programs.

use std::io;
use std::process::Command;

use super::error::ProcessError;
use crate::program::unset_options;

/// Builds both programs as a user would, so that benchmarks measure this version.
pub fn build() -> Result<(), ProcessError> {
    let arguments = ["build", "--quiet", "--release", "--locked", "-p", "client", "-p", "server", "--bins"];
    let built = Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).status()?;
    if built.success() { Ok(()) } else { Err(ProcessError::Build(built.to_string())) }
}

/// The command of a program of this workspace, in its release build, without options from the environment.
pub fn program(name: &str) -> Result<Command, ProcessError> {
    let benchmark = std::env::current_exe()?;
    // target/<profile>/deps/<benchmark>
    let target = benchmark.ancestors().nth(3).ok_or_else(|| io::Error::other("the benchmark has no target folder"))?;
    let mut command = Command::new(target.join("release").join(name));
    unset_options(&mut command);
    Ok(command)
}

/// Whether a program has this option.
pub fn has_option(name: &str, option: &str) -> Result<bool, ProcessError> {
    let help = program(name)?.arg("--help").output()?;
    Ok(String::from_utf8_lossy(&help.stdout).split_whitespace().any(|word| word == option))
}
