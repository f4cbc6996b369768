//! Every option of the server answers a wrong value with an error that says what is valid.

use server::cli::Cli;
use testkit::wrong_values::assert_answered;

/// Whether an option takes a value that is wrong elsewhere: a contrast may be below the background, a host may have
/// almost any name, and any text may name a file to be written, a topic, or the file of a token, key or certificate,
/// which is read only when the run begins.
fn takes(id: &str, value: &str) -> bool {
    matches!(
        (id, value),
        ("contrast", "-1")
            // Names of hosts.
            | ("allow_host", "abc" | "1e999" | "nan")
            | (
                "json"
                    | "csv"
                    | "junit"
                    | "out"
                    | "topic"
                    | "token_file"
                    | "identity"
                    | "tls_cert"
                    | "tls_key"
                    | "tls_ca",
                _
            )
    )
}

#[test]
fn every_wrong_value_is_named_with_its_option_and_what_is_valid() {
    let command_line = Cli::completed_command();
    assert!(
        assert_answered("server", &["--print-run"], &command_line, |id, value| takes(id, value) || id == "print_run")
            > 300
    );
    let health = command_line.find_subcommand("health").expect("the subcommand");
    assert!(assert_answered("server", &["health"], health, takes) >= 8);
    let tune = command_line.find_subcommand("tune").expect("the subcommand");
    assert!(assert_answered("server", &["tune", "plan.toml", "--out=out"], tune, takes) >= 8);
}
