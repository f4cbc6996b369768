//! A server's host and port that were given as two words.

use std::ffi::OsString;
use std::net::Ipv6Addr;

use clap::error::ErrorKind;
use shared::shell::options::Refusal;

use crate::config::ServerAddress;

/// Replaces the error if a host and a port were given as two arguments. Any other error is returned unchanged.
pub(super) fn in_two_words(arguments: &[OsString], refused: clap::Error) -> clap::Error {
    let is_one_too_many = matches!(
        refused.kind(),
        ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict | ErrorKind::InvalidSubcommand
    );
    let words: Vec<_> = arguments.iter().skip(1).filter_map(|argument| argument.to_str()).collect();
    match words.windows(2).find_map(|words| joined(words[0], words[1])) {
        Some((words, right)) if is_one_too_many => {
            Refusal { place: "SERVER".into(), reason: format!("\"{words}\" is not a server: write {right}") }.into()
        }
        _ => refused,
    }
}

/// Returns both words as written, and the server address they make when joined by a colon.
fn joined(host: &str, port: &str) -> Option<(String, String)> {
    port.parse::<u16>().ok().filter(|_| !host.starts_with('-'))?;
    let bracketed = if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() };
    let right: ServerAddress = format!("{bracketed}:{port}").parse().ok()?;
    Some((format!("{host} {port}"), right.0))
}
