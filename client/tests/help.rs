//! `--help` explains every option with its default and environment variable, and gives examples and exit codes.

use client::cli::Cli;
use shared::shell::options::CLIENT;
use testkit::help;

#[test]
fn help_names_every_option_with_its_environment_variable() {
    help::assert_help_names("client", &Cli::completed_command(), CLIENT);
}

#[test]
fn the_version_is_the_packages() {
    help::assert_tells_version("client", env!("CARGO_PKG_VERSION"));
}

#[test]
fn help_says_how_a_server_is_named_or_found() {
    let help = help::said("client", "--help");
    assert!(help.contains("HOST:PORT") && help.contains("PLUMB_SERVER") && help.contains("found"), "{help}");
}
