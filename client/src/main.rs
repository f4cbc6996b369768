//! Plumb's client, as a program.

use std::process::ExitCode;

use clap::Parser;
use client::cli::{Cli, Command};
use client::{app, files};
use shared::shell::log;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let _logging = log::start("client", cli.verbose, cli.quiet);
    match cli.command {
        Some(Command::Detect(detect)) => files::run(&detect).into(),
        None => app::run(&cli.session).into(),
    }
}
