//! `--help` teaches: every option, its default and its environment variable.

use clap::CommandFactory;
use server::cli::Cli;
use testkit::help;

#[test]
fn help_names_every_option_with_its_environment_variable() {
    help::assert_teaches("server", &Cli::command(), OPTIONS);
}

#[test]
fn the_version_is_the_packages() {
    help::assert_tells_version("server", env!("CARGO_PKG_VERSION"));
}

/// Their names are a promise.
const OPTIONS: &[&str] = &[
    "--run",
    "--print-run",
    "--source",
    "--task",
    "--delivery",
    "--sctp-mtu",
    "--listen",
    "--loopback",
    "--link",
    "--once",
    "--wait",
    "--frames",
    "--duration",
    "--deadline",
    "--fps",
    "--window",
    "--size",
    "--pixel",
    "--encoding",
    "--radius",
    "--speed",
    "--seed",
    "--no-graphics",
    "--json",
    "--csv",
    "--no-announce",
    "--advertise",
    "--udp-port",
    "--camera",
    "--contrast",
    "--background",
    "--invert",
    "--occlude",
    "--border",
    "--empty-rate",
    "--exposure",
    "--blur",
    "--vignette",
    "--shot-noise",
    "--noise",
    "--gamma",
    "--jpeg",
    "--verbose",
    "--quiet",
];
