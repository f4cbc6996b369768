//! Relays signaling. Descriptions name the relay's sockets instead of the ends' own.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

/// Index of the address among the words of a candidate's line (RFC 8839, section 5.1).
const CANDIDATE_ADDRESS: usize = 4;

/// Index of the port among the same words.
const CANDIDATE_PORT: usize = 5;

/// Passes lines on, with descriptions changed by `rewrite`.
pub(super) fn pass_on(from: &TcpStream, mut to: &TcpStream, mut rewrite: impl FnMut(&str) -> String) -> io::Result<()> {
    for line in BufReader::new(from).lines() {
        let line = line?;
        let signal: Option<Value> = serde_json::from_str(&line).ok();
        let passed = match signal {
            Some(mut signal) if signal["sdp"].is_string() => {
                signal["sdp"] = rewrite(signal["sdp"].as_str().unwrap_or_default()).into();
                signal.to_string()
            }
            _ => line,
        };
        to.write_all(format!("{passed}\n").as_bytes())?;
    }
    Ok(())
}

/// Replaces the candidate on loopback by the relay's address and removes all other candidates. Returns the description
/// and the address replaced.
pub(super) fn rewritten(description: &str, ours: SocketAddr) -> (String, Option<SocketAddr>) {
    let mut own = None;
    let mut rewrite = |line: &str| -> Option<String> {
        if !line.starts_with("a=candidate:") {
            return Some(line.to_owned());
        }
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let address = format!("{}:{}", words.get(CANDIDATE_ADDRESS)?, words.get(CANDIDATE_PORT)?);
        let address: SocketAddr = address.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback())?;
        if own.replace(address).is_some() {
            return None;
        }
        words[CANDIDATE_ADDRESS] = ours.ip().to_string();
        words[CANDIDATE_PORT] = ours.port().to_string();
        Some(words.join(" "))
    };
    let lines: Vec<String> = description.split("\r\n").filter_map(&mut rewrite).collect();
    (lines.join("\r\n"), own)
}
