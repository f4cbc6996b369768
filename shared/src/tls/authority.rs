//! The certificates that a caller trusts.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::{TlsError, TlsFileError};
use super::{HTTP_2, pem};
use crate::door::address::host_and_port;
use crate::link::Kind;
use crate::protocol::HELLO_LIMIT;
use crate::socket::Socket;

/// The certificates that a caller trusts.
#[derive(Clone)]
pub struct Authority(Arc<ClientConfig>);

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    /// Reads the trusted certificates. A peer's certificate must be signed by one of them, or be one of them.
    ///
    /// # Errors
    /// [`TlsFileError`] if the file cannot be read, or holds no certificate.
    pub fn read(path: &Path) -> Result<Self, TlsFileError> {
        let unusable = TlsFileError::Unusable;
        let mut trusted = RootCertStore::empty();
        for certificate in pem::certificates(path)? {
            trusted.add(certificate).map_err(unusable)?;
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Self(Arc::new(config)))
    }

    /// Makes the handshake with the peer at HOST:PORT, whose certificate must be for that host.
    pub(super) async fn call(&self, tcp: TcpStream, address: &str, link: Kind) -> Result<Socket, TlsError> {
        let host = host_of(address);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::NoName(host.into()))?;
        let mut config = self.0.clone();
        if link == Kind::Grpc {
            Arc::make_mut(&mut config).alpn_protocols = vec![HTTP_2.into()];
        }
        let connection = ClientConnection::new(config, name).map_err(TlsError::Failed)?;
        let encrypted = timeout(HELLO_LIMIT, Socket::encrypt(tcp, connection.into())).await;
        encrypted.map_err(|_| TlsError::Silence(HELLO_LIMIT))?.map_err(|error| TlsError::of(error, Some(host)))
    }
}

/// The host of an address as a certificate names it: without brackets and without the zone of an IPv6 address.
fn host_of(address: &str) -> &str {
    let host = host_and_port(address).map_or(address, |(host, _)| host);
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.split_once('%').map_or(host, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_written_as_in_a_certificate() {
        for (address, host) in [
            ("plumb.example:8080", "plumb.example"),
            ("192.0.2.7:80", "192.0.2.7"),
            ("[2001:db8::7]:80", "2001:db8::7"),
            ("[fe80::1%eth0]:80", "fe80::1"),
        ] {
            assert_eq!(host_of(address), host);
            assert!(ServerName::try_from(host).is_ok());
        }
    }
}
