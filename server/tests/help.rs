//! `--help` explains every option with its default and environment variable, and gives examples and exit codes.

use server::cli::Cli;
use shared::shell::options::SERVER;
use testkit::help;

#[test]
fn help_names_every_option_with_its_environment_variable() {
    help::assert_help_names("server", &Cli::completed_command(), SERVER);
}

#[test]
fn the_version_is_the_packages() {
    help::assert_tells_version("server", env!("CARGO_PKG_VERSION"));
}
