//! The options `--tls-cert`, `--tls-key` and `--tls-ca`.

use std::path::Path;

use thiserror::Error;
use tracing::warn;

use super::token_file::is_for_others;
use crate::tls::{Authority, Certificate, Tls, TlsFileError, pem};

/// What is wrong with the file of an option.
#[derive(Debug, Error)]
#[error("--{option} or PLUMB_{}: {wrong}", .option.replace('-', "_").to_uppercase())]
pub struct WrongFile {
    option: &'static str,
    wrong: TlsFileError,
}

/// Reads the files of the options. Warns if other users can read the key.
///
/// # Errors
/// [`WrongFile`] if a file cannot be used, or a certificate is given without its key.
pub fn tls(certificate: Option<&Path>, key: Option<&Path>, authority: Option<&Path>) -> Result<Tls, WrongFile> {
    let of = |option| move |wrong| WrongFile { option, wrong };
    let chain = certificate.map(pem::certificates).transpose().map_err(of("tls-cert"))?;
    let secret = key.map(pem::key).transpose().map_err(of("tls-key"))?;
    if let Some(key) = key.filter(|key| is_for_others(key)) {
        warn!("other users can read the key in {}: chmod 600 fixes that", key.display());
    }
    let certificate = match (chain, secret) {
        (Some(chain), Some(secret)) => Some(Certificate::new(chain, secret).map_err(of("tls-key"))?),
        (None, None) => None,
        (Some(_), None) => return Err(of("tls-cert")(TlsFileError::Half)),
        (None, Some(_)) => return Err(of("tls-key")(TlsFileError::Half)),
    };
    let authority = authority.map(Authority::read).transpose().map_err(of("tls-ca"))?;
    Ok(Tls { certificate, authority })
}
