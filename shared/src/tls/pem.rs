//! Reads files in PEM form.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::TlsFileError;

/// Largest file, in bytes. The list of all authorities that Debian trusts has 220 kB.
const LARGEST: u64 = 1 << 20;

/// The certificates in a file, at least one.
///
/// # Errors
/// [`TlsFileError`] if the file cannot be read, or holds none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let bytes = read(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(TlsFileError::NoCertificate { path: path.to_owned() }),
    }
}

/// The first private key in a file.
///
/// # Errors
/// [`TlsFileError`] if the file cannot be read, or holds none.
pub fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| TlsFileError::NoKey { path: path.to_owned() })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsFileError> {
    let unreadable = |error| TlsFileError::Unreadable { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    File::open(path).map_err(unreadable)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(TlsFileError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}
