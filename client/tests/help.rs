//! `--help` teaches: every option, its default and its environment variable.

use assert_cmd::Command;

fn said(argument: &str) -> String {
    let output =
        Command::cargo_bin("client").expect("built").arg(argument).assert().success().get_output().stdout.clone();
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
    assert_eq!(said("--version").trim(), concat!("client ", env!("CARGO_PKG_VERSION")));
}

const OPTIONS: [&str; 10] = [
    "--sctp-mtu",
    "--no-graphics",
    "--wait",
    "--detector",
    "--min-radius",
    "--max-radius",
    "--workers",
    "--policy",
    "--verbose",
    "--quiet",
];

#[test]
fn help_says_how_a_server_is_named_or_found() {
    let help = said("--help");
    assert!(help.contains("HOST:PORT") && help.contains("PLUMB_SERVER") && help.contains("found"), "{help}");
}
