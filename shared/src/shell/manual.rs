//! Completions for shells and man pages, made from the command line itself.
//!
//! Both are printed by the program that they describe, so they fit its version and its features.

use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use tracing::{error, info};

use super::exit::Exit;
use super::standard::unless_reader_left;

pub use clap_complete::Shell;

/// Text at the end of `completions --help` of this program.
pub fn completions_help(program: &str) -> String {
    format!(
        "\
Examples:
  {program} completions bash > ~/.local/share/bash-completion/completions/{program}
  {program} completions zsh > ~/.zfunc/_{program}      with ~/.zfunc in $fpath
  {program} completions fish > ~/.config/fish/completions/{program}.fish

Exit codes:
  0  the script is printed
  2  wrong usage
  4  stdout cannot be written"
    )
}

/// Text at the end of `man --help` of this program.
pub fn man_help(program: &str) -> String {
    format!(
        "\
Examples:
  {program} man | man -l -
  {program} man ~/.local/share/man/man1

Exit codes:
  0  the pages are made
  2  wrong usage
  4  a page cannot be written"
    )
}

/// Prints the completions of a program's command line for this shell. Switches in `command` must not accept a value,
/// because the scripts would then require one.
pub fn completions(mut command: Command, shell: Shell) -> Exit {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    if shell == Shell::Fish {
        script = with_values(&String::from_utf8_lossy(&script)).into_bytes();
    }
    printed(&script)
}

/// Lets the script for fish complete the value of an option, as in `--policy `. The script checks whether the words so
/// far name a command. If the last word is an option without its value, the check fails with an error instead of a no.
fn with_values(script: &str) -> String {
    script.replace("2>/dev/null\n    or return\n", "2>/dev/null\n    or return 0\n")
}

/// Writes the man pages of a program and its subcommands into `folder`, or prints the program's own page.
pub fn man(command: Command, folder: Option<&Path>) -> Exit {
    // Built like the pages in a folder, so that both are the same.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    match folder {
        None => {
            let mut page = Vec::new();
            // Writing to memory cannot fail.
            let _ = clap_mangen::Man::new(command).render(&mut page);
            printed(&page)
        }
        Some(folder) => {
            match std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder)) {
                Ok(()) => {
                    info!("man pages are in {}", folder.display());
                    Exit::Fine
                }
                Err(wrong) => {
                    error!(
                        "cannot write man pages to {}: {wrong}; name a folder that can be written",
                        folder.display()
                    );
                    Exit::Other
                }
            }
        }
    }
}

fn printed(text: &[u8]) -> Exit {
    match unless_reader_left(io::stdout().write_all(text)) {
        Ok(()) => Exit::Fine,
        Err(wrong) => {
            error!("cannot write to stdout: {wrong}");
            Exit::Other
        }
    }
}
