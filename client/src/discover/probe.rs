//! Asks a place whether a server is there, with a `ping`. A `ping` starts no session.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use shared::door::discovery::Identity;
use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::Signal;
use shared::shell::descriptors::is_out_of_descriptors;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Time limit for an answer. Every place is on this machine or its network.
pub(super) const PROBE_LIMIT: Duration = Duration::from_millis(400);

/// Maximum length of a server's name and id, in characters. The rest is cut off.
const KEPT: usize = 64;

/// A server that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Who it is.
    pub identity: Identity,
    /// Where it answered.
    pub address: SocketAddr,
}

/// Result of asking a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Probed {
    Found(Found),
    Nobody,
    /// Not asked, because this process has no descriptors left.
    NotAsked,
}

/// Asks whether a server is there, and which one.
pub(super) async fn probe(address: SocketAddr) -> (SocketAddr, Probed) {
    let probed = match timeout(PROBE_LIMIT, ask(address)).await {
        Ok(Ok(found)) => Probed::Found(found),
        Ok(Err(SignalingError::Io(error))) if is_out_of_descriptors(&error) => Probed::NotAsked,
        Ok(Err(_)) | Err(_) => Probed::Nobody,
    };
    (address, probed)
}

async fn ask(address: SocketAddr) -> Result<Found, SignalingError> {
    let mut signaling = Signaling::new(TcpStream::connect(address).await?);
    signaling.send(&Signal::Ping {}).await?;
    match signaling.receive().await? {
        Signal::Pong { name, id } => Ok(Found { identity: identity(name, id, address), address }),
        _ => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
    }
}

/// The server's identity. A server that gives no name or id is identified by its address.
fn identity(name: Option<String>, id: Option<String>, address: SocketAddr) -> Identity {
    let kept = |text: String| text.escape_debug().take(KEPT).collect::<String>();
    let said = |text: Option<String>| text.map_or_else(|| address.to_string(), kept);
    Identity { name: said(name), id: said(id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_name_cannot_move_the_cursor_and_long_names_and_ids_are_cut() {
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let named = identity(Some(format!("\x1b[2J{}", "x".repeat(500))), Some("y".repeat(60_000)), address);
        assert!(named.name.starts_with("\\u{1b}[2J") && named.name.len() <= KEPT, "{}", named.name);
        assert_eq!(named.id.len(), KEPT);
        assert_eq!(identity(None, None, address).id, "127.0.0.1:9");
    }
}
