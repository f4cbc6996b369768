//! TLS: a listening end presents a certificate, and a caller checks it.
//!
//! [`Certificate`] and [`Authority`] come from files. A certificate paces the handshakes of each address. [`Tls`] holds
//! those of one end. A connection inside TLS is a [`Socket`] like any other, so every door and link works inside it.

mod authority;
mod certificate;
mod error;
mod pace;
pub mod pem;

use tokio::net::TcpStream;

use crate::link::Kind;
use crate::socket::Socket;

pub use authority::Authority;
pub use certificate::Certificate;
pub use error::{TlsError, TlsFileError};

/// The protocol inside TLS that a caller over gRPC asks for (ALPN): stock clients of gRPC insist on it.
const HTTP_2: &[u8] = b"h2";

/// HTTP/1. A browser and a monitor offer both, and get this one.
const HTTP_1: &[u8] = b"http/1.1";

/// The TLS settings of one end.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// The certificate for callers (`--tls-cert`, `--tls-key`). Without it, connections that begin with TLS are
    /// refused.
    pub certificate: Option<Certificate>,
    /// The certificates that it trusts when it calls (`--tls-ca`). Without them, it calls in the clear.
    pub authority: Option<Authority>,
}

impl Tls {
    /// Makes the handshake with a caller that begins with TLS.
    ///
    /// # Errors
    /// [`TlsError`] if there is no certificate, or the handshake fails.
    pub async fn accept(&self, tcp: TcpStream) -> Result<Socket, TlsError> {
        match &self.certificate {
            Some(certificate) => certificate.accept(tcp).await,
            None => Err(error::refuse(tcp).await),
        }
    }

    /// Begins a call to HOST:PORT on this connection, for this kind of link: inside TLS if there is an authority.
    ///
    /// # Errors
    /// [`TlsError`] if the peer has no TLS, or no valid certificate for this host.
    pub async fn call(&self, tcp: TcpStream, address: &str, link: Kind) -> Result<Socket, TlsError> {
        match &self.authority {
            Some(authority) => authority.call(tcp, address, link).await,
            None => Ok(tcp.into()),
        }
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
