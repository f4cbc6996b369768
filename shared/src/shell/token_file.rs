//! The option `--token-file`, and the warning of a port that anybody can reach.

use std::net::SocketAddr;
use std::path::Path;

use tracing::warn;

use crate::admission::{Token, TokenError};
use crate::door::admission::Admission;

/// Reads the token of the option `--token-file`. Warns if other users can read the file.
///
/// # Errors
/// [`TokenError`] if the file holds no token.
pub fn admission(path: Option<&Path>) -> Result<Admission, TokenError> {
    let Some(path) = path else { return Ok(Admission::default()) };
    let token = Token::read(path)?;
    if is_for_others(path) {
        warn!("other users can read the token in {}: chmod 600 fixes that", path.display());
    }
    Ok(Admission::of(token))
}

/// Warns if peers on other machines can reach one of these addresses without a token.
pub fn warn_if_exposed(admission: &Admission, addresses: &[SocketAddr]) {
    let is_reachable = addresses.iter().any(|address| !address.ip().to_canonical().is_loopback());
    if admission.is_open() && is_reachable {
        warn!("whoever reaches this port can use it: --token-file FILE lets in only peers that hold the token");
    }
}

/// Whether group or others may read or write it.
#[cfg(unix)]
fn is_for_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path);
    metadata.is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_for_others(_: &Path) -> bool {
    false
}
