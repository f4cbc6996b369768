//! The certificate that a listening end presents to its callers.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{Error, ServerConfig, ServerConnection};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::{TlsError, TlsFileError};
use super::pace::Pace;
use super::{HTTP_1, HTTP_2};
use crate::protocol::HELLO_LIMIT;
use crate::socket::Socket;

/// A certificate with its key. Copies share the pace of handshakes.
#[derive(Clone)]
pub struct Certificate {
    config: Arc<ServerConfig>,
    pace: Arc<Pace>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

impl Certificate {
    /// A certificate, followed by the intermediate ones up to its authority, and its key.
    ///
    /// # Errors
    /// [`TlsFileError`] if they do not belong together, or are of an unknown kind.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsFileError> {
        let unusable = |error: Error| match error {
            Error::InconsistentKeys(_) => TlsFileError::Mismatch,
            error => TlsFileError::Unusable(error),
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(unusable)?;
        config.alpn_protocols = vec![HTTP_1.into(), HTTP_2.into()];
        // Sessions are long, so resuming them would gain nothing.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self { config: Arc::new(config), pace: Arc::default() })
    }

    /// Makes the handshake with a caller, once it is the turn of the caller's address.
    pub(super) async fn accept(&self, tcp: TcpStream) -> Result<Socket, TlsError> {
        // A connection without an address is broken, and its handshake fails at once.
        if let Ok(peer) = tcp.peer_addr() {
            self.pace.turn(peer.ip()).await;
        }
        let connection = ServerConnection::new(self.config.clone()).map_err(TlsError::Failed)?;
        let encrypted = timeout(HELLO_LIMIT, Socket::encrypt(tcp, connection.into())).await;
        encrypted.map_err(|_| TlsError::Silence(HELLO_LIMIT))?.map_err(|error| TlsError::of(error, None))
    }
}
