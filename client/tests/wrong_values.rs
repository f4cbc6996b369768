//! Every option of the client answers a wrong value with an error that says what is valid.

use client::cli::Cli;
use testkit::wrong_values::assert_answered;

#[test]
fn every_wrong_value_is_named_with_its_option_and_what_is_valid() {
    let command_line = Cli::completed_command();
    assert!(assert_answered("client", &[], &command_line, |_, _| false) > 100);
    let detect = command_line.find_subcommand("detect").expect("the subcommand");
    // Any name except an empty one can be the name of a folder.
    let takes = |option: &str, value: &str| option == "draw" && !value.is_empty();
    assert!(assert_answered("client", &["detect", "picture.png"], detect, takes) > 40);
}
