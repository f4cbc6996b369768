//! Plumb's server, as a program.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::CommandFactory;
use server::cli::{Cli, Command};
use server::{app, calibrate, compare, health, report, sweep, token, tune};
use shared::shell::file_size;
use shared::shell::log;
use shared::shell::manual;
use shared::shell::options::{Environment, unknown_variables};
use shared::shell::standard;
use shared::shell::stop;
use tracing::warn;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // If it fails, the process waits as the kernel has it.
    let _ = stop::end_on_signals_as_first_process();
    standard::respect_dumb_terminals();
    file_size::report_files_that_are_too_large();
    let environment = Environment::of_process();
    let unknown = unknown_variables(&environment);
    let cli = match Cli::read(std::env::args_os(), environment) {
        Ok(cli) => cli,
        // Includes help and version, which are not errors.
        Err(said) => said.exit(),
    };
    let _logging = log::start("server", cli.verbose, cli.quiet);
    unknown.iter().for_each(|unknown| warn!("{unknown}"));
    match &cli.command {
        Some(Command::Health { address }) => health::run(&address.0).into(),
        Some(Command::Report { folder }) => report::run(folder).into(),
        Some(Command::Token { file }) => token::run(file.as_deref()).into(),
        Some(Command::Completions { shell }) => manual::completions(Cli::command(), *shell).into(),
        Some(Command::Man { folder }) => manual::man(Cli::completed_command(), folder.as_deref()).into(),
        Some(Command::Compare(options)) => compare::run(options).into(),
        Some(Command::Sweep(options)) => sweep::run(options, cli.quiet).into(),
        Some(Command::Tune(options)) => tune::run(options).into(),
        Some(Command::Calibrate(options)) => calibrate::run(options).into(),
        None => app::run(cli).into(),
    }
}
