//! The options `--token-file`, `--identity` and `--server-id`, and the warning about a port that anybody can reach.

use std::net::SocketAddr;
use std::path::Path;

use thiserror::Error;
use tracing::{info, warn};

use crate::admission::{Identity, IdentityError, ServerId, Token, TokenError};
use crate::door::admission::Admission;

/// Reads the token of the option `--token-file`. Warns if other users can read the file.
///
/// # Errors
/// [`TokenError`] if the file holds no token.
pub fn admission(path: Option<&Path>) -> Result<Admission, TokenError> {
    Ok(match path {
        Some(path) => Admission::of(read(path)?),
        None => Admission::default(),
    })
}

fn read(path: &Path) -> Result<Token, TokenError> {
    let token = Token::read(path)?;
    if is_for_others(path) {
        warn!("other users can read the token in {}: chmod 600 fixes that", path.display());
    }
    Ok(token)
}

/// Why nobody can be admitted.
#[derive(Debug, Error)]
pub enum AdmissionError {
    /// The file of the token.
    #[error("--token-file or PLUMB_TOKEN_FILE: {0}")]
    Token(#[from] TokenError),
    /// The file of the identity.
    #[error("--identity or PLUMB_IDENTITY: {0}")]
    Identity(#[from] IdentityError),
    /// An identity without a token.
    #[error("--identity: a server signs its proof of a token: add --token-file FILE, or leave it out")]
    IdentityAlone,
    /// The identity of a server without a token.
    #[error("--server-id: a server signs its proof of a token: add --token-file FILE, or leave it out")]
    ServerIdAlone,
}

/// Like [`admission`], for a server that keeps its key in the file `identity`. Logs the fingerprint by which clients
/// name it.
///
/// # Errors
/// [`AdmissionError`] if a file cannot be used, or an identity is given without a token.
pub fn admission_of_server(token: Option<&Path>, identity: Option<&Path>) -> Result<Admission, AdmissionError> {
    let Some(token) = token else {
        return if identity.is_some() { Err(AdmissionError::IdentityAlone) } else { Ok(Admission::default()) };
    };
    let Some(path) = identity else { return Ok(admission(Some(token))?) };
    let token = read(token)?;
    let identity = Identity::read_or_make(path)?;
    if is_for_others(path) {
        warn!("other users can read the key in {}: chmod 600 fixes that", path.display());
    }
    info!("clients name this server by --server-id {}", identity.id());
    Ok(Admission::with(token, Some(identity), None))
}

/// Like [`admission`], for a client that accepts only this server, if one is named.
///
/// # Errors
/// [`AdmissionError`] if the file cannot be used, or a server is named without a token.
pub fn admission_of_client(token: Option<&Path>, server: Option<ServerId>) -> Result<Admission, AdmissionError> {
    match (token, server) {
        (None, Some(_)) => Err(AdmissionError::ServerIdAlone),
        (None, None) => Ok(Admission::default()),
        (Some(token), server) => Ok(Admission::with(read(token)?, None, server)),
    }
}

/// Warns if peers on other machines can reach one of these addresses without a token.
pub fn warn_if_exposed(admission: &Admission, addresses: &[SocketAddr]) {
    let is_reachable = addresses.iter().any(|address| !address.ip().to_canonical().is_loopback());
    if admission.is_open() && is_reachable {
        warn!("anyone who reaches this port can use it: --token-file FILE admits only peers that hold the token");
    }
}

/// Whether group or others may read or write it.
#[cfg(unix)]
pub(super) fn is_for_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path);
    metadata.is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_for_others(_: &Path) -> bool {
    false
}
