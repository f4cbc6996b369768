//! The release builds of the two programs.

use std::io;
use std::process::Command;

use super::error::ProcessError;
use crate::program::unset_options;

/// Prefixes of the environment variables that cargo sets for the programs it runs ("Environment variables Cargo sets
/// for crates", Cargo's reference). A cargo that such a program starts must not inherit them: some build scripts
/// (`ring`'s) run again if one of them has changed, so each benchmark would compile the WebRTC stack twice. Variables
/// that people set themselves are kept, such as `CARGO_HOME`, `CARGO_TARGET_DIR` or `CARGO_NET_OFFLINE`.
const OF_ITS_PACKAGE: [&str; 6] =
    ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR"];

/// Builds the programs as a user would, so that this version is measured.
pub fn build() -> Result<(), ProcessError> {
    let built = cargo().status()?;
    if built.success() { Ok(()) } else { Err(ProcessError::Build(built.to_string())) }
}

fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--release", "--locked", "-p", "client", "-p", "server", "--bins"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let is_of_a_package = |name: &str| OF_ITS_PACKAGE.iter().any(|beginning| name.starts_with(beginning));
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_a_package(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    cargo
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_in_a_benchmark_starts_without_the_variables_of_the_benchmarks_package() {
        // Cargo sets variables about the package for this test.
        let told: Vec<_> = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().contains("CARGO_")).collect();
        let (cargo, is_told) = (cargo(), |name: &str| told.iter().any(|(told, _)| told == name));
        let taken: Vec<_> = cargo.get_envs().map(|(name, value)| (name.to_string_lossy(), value)).collect();
        for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
            assert!(is_told(name) && taken.contains(&(name.into(), None)), "{name} of {told:?}; {taken:?}");
        }
        for name in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_NET_OFFLINE", "RUSTUP_TOOLCHAIN"] {
            assert!(taken.iter().all(|(taken, _)| taken != name), "{name} is the user's");
        }
    }
}
