//! `--help` teaches: every option, its default and its environment variable.

use assert_cmd::Command;

fn said(argument: &str) -> String {
    let output =
        Command::cargo_bin("server").expect("built").arg(argument).assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("UTF-8")
}

#[test]
fn help_names_every_option_with_its_environment_variable() {
    let help = said("--help");
    for option in OPTIONS {
        assert!(help.contains(option), "no {option} in {help}");
        let variable = format!("PLUMB_{}", option.trim_start_matches("--").replace('-', "_").to_uppercase());
        assert!(help.contains(&variable), "no {variable} in {help}");
    }
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(said("--version").trim(), concat!("server ", env!("CARGO_PKG_VERSION")));
}

const OPTIONS: [&str; 36] = [
    "--delivery",
    "--sctp-mtu",
    "--listen",
    "--loopback",
    "--once",
    "--frames",
    "--duration",
    "--deadline",
    "--fps",
    "--window",
    "--size",
    "--pixel",
    "--radius",
    "--speed",
    "--seed",
    "--no-graphics",
    "--json",
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
