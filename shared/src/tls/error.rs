//! The errors of TLS files and handshakes.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::text::{Brief, REASON};

/// Most characters of a path that a message repeats.
const SHOWN_CHARACTERS: usize = 200;

/// The alert `handshake_failure` as a complete record (RFC 8446, sections 5.1 and 6).
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// What is wrong with a file for TLS.
#[derive(Debug, Error)]
pub enum TlsFileError {
    /// The file cannot be read.
    #[error(
        "cannot read {}: {error}; write the path of a file in PEM form",
        Brief(.path.display(), SHOWN_CHARACTERS)
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The file is far larger than any list of certificates.
    #[error("{} is larger than 1 MiB: is it a file in PEM form?", Brief(.path.display(), SHOWN_CHARACTERS))]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// There is no certificate in it.
    #[error("{} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----): is it another file?", Brief(.path.display(), SHOWN_CHARACTERS))]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// There is no private key in it.
    #[error("{} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----): is it another file?", Brief(.path.display(), SHOWN_CHARACTERS))]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is not the certificate's.
    #[error("that is not the key of the certificate in --tls-cert: give a certificate and the key that belongs to it")]
    Mismatch,
    /// A certificate or key is damaged, or of an unknown kind.
    #[error("it cannot be used: {}; RSA, ECDSA and Ed25519 are supported", Brief(.0, REASON))]
    Unusable(rustls::Error),
    /// One of the two options is missing.
    #[error("a certificate needs its key: give both --tls-cert FILE and --tls-key FILE, or neither")]
    Half,
}

/// Why a TLS handshake failed.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The connection broke.
    #[error("the connection ended during the TLS handshake: {0}")]
    Io(io::Error),
    /// The handshake took too long.
    #[error("no TLS handshake within {} s", .0.as_secs())]
    Silence(Duration),
    /// The caller begins with TLS, but this end has no certificate.
    #[error(
        "the caller speaks TLS, but this end has no certificate: give it --tls-cert and --tls-key, or call it without \
         --tls-ca"
    )]
    NoCertificate,
    /// The peer answered in the clear.
    #[error("the peer does not speak TLS: start it with --tls-cert and --tls-key, or this end without --tls-ca")]
    NotTls,
    /// The peer sent an alert.
    #[error("the peer refused TLS ({0:?}): does it have a certificate (--tls-cert)?")]
    Refused(AlertDescription),
    /// The peer does not trust our certificate.
    #[error("the peer does not accept this certificate ({0:?}): its --tls-ca must name the authority that signed it")]
    NotAccepted(AlertDescription),
    /// The host is not a name that a certificate can have.
    #[error("\"{}\" is not a name that a certificate can have: connect by a host name or an address", Brief(.0, REASON))]
    NoName(String),
    /// The peer's certificate has expired.
    #[error("the peer's certificate has expired: it needs a new one (--tls-cert)")]
    Expired,
    /// The peer's certificate is not valid yet.
    #[error("the peer's certificate is not valid yet: compare the clocks of both machines")]
    NotYetValid,
    /// The peer's certificate is not signed by a trusted one.
    #[error(
        "the peer's certificate is not signed by one in the file of --tls-ca; a self-signed one must itself be in \
         that file"
    )]
    Untrusted,
    /// The peer's certificate is for other names.
    #[error("the peer's certificate is not for {host}{}: connect by a name that it has, or make a certificate for {host}", names(.has))]
    OtherName {
        /// The host that was called.
        host: String,
        /// The names that it has, if they are known.
        has: Vec<String>,
    },
    /// The peer's certificate is that of an authority.
    #[error(
        "the peer's certificate is an authority's and may only sign others (CA:TRUE): make one with \
         basicConstraints=CA:FALSE (docs/security.md)"
    )]
    IsAuthority,
    /// Anything else.
    #[error("TLS: {}", Brief(.0, REASON))]
    Failed(rustls::Error),
}

fn names(has: &[String]) -> String {
    if has.is_empty() { String::new() } else { format!(", but for {}", Brief(has.join(", "), REASON)) }
}

impl TlsError {
    /// The reason for a failed handshake. `host` is the name by which the peer was called; `None` if the peer called.
    pub(super) fn of(error: io::Error, host: Option<&str>) -> Self {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        match (cause, host) {
            (None, _) => Self::Io(error),
            (Some(cause), Some(host)) => Self::of_call(cause, host),
            (Some(rustls::Error::AlertReceived(alert)), None) => Self::NotAccepted(*alert),
            (Some(cause), None) => Self::Failed(cause.clone()),
        }
    }

    fn of_call(cause: &rustls::Error, host: &str) -> Self {
        match cause {
            rustls::Error::InvalidCertificate(wrong) => Self::of_certificate(wrong, host),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            rustls::Error::AlertReceived(alert) => Self::Refused(*alert),
            other => Self::Failed(other.clone()),
        }
    }

    fn of_certificate(wrong: &CertificateError, host: &str) -> Self {
        match wrong {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Untrusted,
            CertificateError::NotValidForName => Self::OtherName { host: host.into(), has: Vec::new() },
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::OtherName { host: host.into(), has: presented.clone() }
            }
            CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => Self::IsAuthority,
            other => Self::Failed(rustls::Error::InvalidCertificate(other.clone())),
        }
    }

    /// Whether a later attempt may succeed, because the peer may still be starting.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Io(_) | Self::Silence(_))
    }
}

/// Tells a caller that this end has no TLS.
pub(super) async fn refuse(mut tcp: TcpStream) -> TlsError {
    // The caller may be gone.
    let _ = tcp.write_all(&HANDSHAKE_FAILURE).await;
    // Closing a connection with unread bytes resets it, and the caller could lose the alert.
    let _ = tcp.try_read(&mut [0; 4096]);
    let _ = tcp.shutdown().await;
    TlsError::NoCertificate
}
