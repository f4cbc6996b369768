//! What greeting works with: the greeter, a visitor's connection, and a guest.

use shared::connect::Path;
use shared::door::lines::Signaling;
use shared::door::strangers::Strangers;
use shared::link::{Kind, Link};
use shared::protocol::fragment::MAX_HEADER;
use shared::socket::Socket;

use super::config::ServeConfig;
use super::http::Requests;
use super::limits::Visits;
use super::places::{Place, Places};

/// Greets visitors.
#[derive(Clone, Copy)]
pub(super) struct Greeter<'a> {
    pub(super) config: &'a ServeConfig,
    pub(super) places: &'a Places,
    pub(super) strangers: &'a Strangers,
    pub(super) requests: &'a Requests,
    pub(super) waiting: &'a Strangers,
    pub(super) visits: &'a Visits,
}

/// A visitor with an open link.
pub(super) struct Guest {
    pub(super) link: Link,
    pub(super) place: Place,
    /// Optional features that its hello named.
    pub(super) features: Vec<String>,
    /// What carries frames and answers.
    pub(super) kind: &'static str,
    /// Address, for log lines and reports.
    pub(super) address: String,
}

/// A connection to a visitor that is still unknown or has no link yet.
pub(super) struct Connection {
    pub(super) signaling: Signaling,
    /// Whether it is inside TLS.
    pub(super) is_encrypted: bool,
    /// Its `mtu` is the configured one, if any.
    pub(super) path: Path,
}

impl Greeter<'_> {
    /// A connection on which signaling begins.
    pub(super) fn connection(&self, socket: Socket, path: Path) -> Connection {
        let mtu = self.config.sctp_mtu.unwrap_or(path.mtu);
        let is_encrypted = socket.is_encrypted();
        Connection { signaling: Signaling::new(socket), is_encrypted, path: Path { mtu, ..path } }
    }

    /// Largest message that is accepted over a stream, in bytes: an answer in one fragment, with its header.
    pub(super) fn largest_message(&self) -> usize {
        self.config.session.largest_answer() + MAX_HEADER
    }
}

impl Guest {
    pub(super) fn over_grpc(link: Link, place: Place, features: Vec<String>, path: Path) -> Self {
        Self { link, place, features, kind: Kind::Grpc.name(), address: path.peer.to_string() }
    }
}
