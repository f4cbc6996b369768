//! HOST:PORT as people write it, and suggestions for near misses.

use std::str::FromStr;

use thiserror::Error;

/// Where a server listens by default.
const DEFAULT_PORT: u16 = 8080;

/// Longest host name, in characters (RFC 1035, 2.3.4).
const LONGEST_HOST: usize = 253;

/// Parses `HOST:PORT` or `[IPv6]:PORT` into host and port.
///
/// # Errors
/// A text that says what to write instead.
pub fn host_and_port(text: &str) -> Result<(&str, u16), String> {
    let (host, port) = text.rsplit_once(':').ok_or_else(|| instead(text))?;
    let is_bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
    let is_host = !host.is_empty() && (is_bracketed || !host.contains([':', '/', '[', ']'])) && !has_space(host);
    match port.parse() {
        Ok(port) if is_host && text.as_bytes()[host.len() + 1].is_ascii_digit() => Ok((host, port)),
        _ => Err(instead(text)),
    }
}

/// A host and port to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress(pub String);

/// Why an address was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{text}\" is not an address to listen on: write {right}")]
pub struct NotAnAddress {
    text: String,
    right: String,
}

impl FromStr for ListenAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        match host_and_port(text) {
            Ok(_) => Ok(Self(text.into())),
            Err(right) => Err(NotAnAddress { text: text.into(), right }),
        }
    }
}

fn has_space(text: &str) -> bool {
    text.contains(|character: char| character.is_whitespace() || character.is_control())
}

/// A suggestion for what was probably meant, or else the expected form.
fn instead(text: &str) -> String {
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
    let bare = bare.split(['/', '?', '#']).next().unwrap_or_default().trim();
    let host = bare.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<u16>() {
        _ if has_space(bare) || bare.is_empty() || bare.len() > LONGEST_HOST => form(),
        Ok(port) => format!("HOST:PORT, for example 127.0.0.1:{port}"),
        Err(_) if host.parse::<std::net::Ipv6Addr>().is_ok() => {
            format!("the port too, with brackets around the address: [{host}]:{DEFAULT_PORT}")
        }
        Err(_) if bare != text && host_and_port(bare).is_ok() => {
            format!("{bare}: only HOST:PORT, without the rest of the URL")
        }
        Err(_) if bare != text && !host.contains(':') => {
            format!("{host}:{DEFAULT_PORT}: only HOST:PORT, without the rest of the URL")
        }
        Err(_) if !host.contains(':') => format!("the port too: {host}:{DEFAULT_PORT}"),
        Err(_) => form(),
    }
}

fn form() -> String {
    format!("HOST:PORT, for example 127.0.0.1:{DEFAULT_PORT}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_host_and_a_port_are_read() {
        for (text, host, port) in [
            ("host:1", "host", 1),
            ("127.0.0.1:8080", "127.0.0.1", 8080),
            ("[::1]:65535", "[::1]", 65535),
            ("[fe80::1%eth0]:80", "[fe80::1%eth0]", 80),
            ("a-b.example:0", "a-b.example", 0),
        ] {
            assert_eq!(host_and_port(text), Ok((host, port)));
        }
    }

    #[test]
    fn a_near_miss_is_refused_with_what_to_write_instead() {
        for (text, right) in [
            ("::1", "the port too, with brackets around the address: [::1]:8080"),
            ("[::1]", "the port too, with brackets around the address: [::1]:8080"),
            ("2001:db8::7", "the port too, with brackets around the address: [2001:db8::7]:8080"),
            ("http://host:9000/", "host:9000: only HOST:PORT, without the rest of the URL"),
            ("ws://host/signaling", "host:8080: only HOST:PORT, without the rest of the URL"),
            ("http://[::1]:8080/", "[::1]:8080: only HOST:PORT, without the rest of the URL"),
            ("host", "the port too: host:8080"),
            ("192.0.2.7", "the port too: 192.0.2.7:8080"),
            ("host/path", "host:8080: only HOST:PORT, without the rest of the URL"),
            ("8080", "HOST:PORT, for example 127.0.0.1:8080"),
            (":8080", "HOST:PORT, for example 127.0.0.1:8080"),
            ("host:", "HOST:PORT, for example 127.0.0.1:8080"),
            ("host:65536", "HOST:PORT, for example 127.0.0.1:8080"),
            ("host:+80", "HOST:PORT, for example 127.0.0.1:8080"),
            ("host:http", "HOST:PORT, for example 127.0.0.1:8080"),
            ("127.0.0.1 8080", "HOST:PORT, for example 127.0.0.1:8080"),
            ("", "HOST:PORT, for example 127.0.0.1:8080"),
        ] {
            assert_eq!(host_and_port(text), Err(right.into()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_is_refused_in_printable_characters(text in ".*") {
            match host_and_port(&text) {
                Ok((host, port)) => prop_assert!(text.starts_with(host) && text.ends_with(&port.to_string())),
                Err(right) => prop_assert!(!right.contains(char::is_control), "{right}"),
            }
        }
    }
}
