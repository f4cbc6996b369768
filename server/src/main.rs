//! Plumb's server, as a program.

use std::process::ExitCode;

use server::cli::{Cli, Command};
use server::{app, health};
use shared::shell::log;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        // Also help and version, which are no errors.
        Err(said) => said.exit(),
    };
    let _logging = log::start("server", cli.verbose, cli.quiet);
    match &cli.command {
        Some(Command::Health { address }) => health::run(&address.0).into(),
        None => app::run(cli).into(),
    }
}
