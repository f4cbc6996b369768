//! Plumb's client, as a program.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::CommandFactory;
use client::cli::{Cli, Command};
use client::{app, files};
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
        // Help and version come here too. They are not errors.
        Err(said) => said.exit(),
    };
    let _logging = log::start("client", cli.verbose, cli.quiet);
    unknown.iter().for_each(|unknown| warn!("{unknown}"));
    match cli.command {
        Some(Command::Detect(detect)) => files::run(&detect).into(),
        Some(Command::Completions { shell }) => manual::completions(Cli::command(), shell).into(),
        Some(Command::Man { folder }) => manual::man(Cli::completed_command(), folder.as_deref()).into(),
        None => app::run(&cli.session).into(),
    }
}
