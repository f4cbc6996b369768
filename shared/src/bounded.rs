//! Reads files up to a limit, because a path may lead to an endless device.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use thiserror::Error;

/// Why a file was not read.
#[derive(Debug, Error)]
pub enum BoundedError {
    /// The system reported an error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is larger than its limit.
    #[error("larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// [`BoundedError`] if the file cannot be read or is larger.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, BoundedError> {
    let mut bytes = Vec::new();
    open(path, limit)?.file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(BoundedError::TooLarge { limit }) } else { Ok(bytes) }
}

/// Opens a file of at most `limit` bytes.
///
/// # Errors
/// Those of [`read`]. A device has no size, so one that holds more than `limit` bytes fails only while it is read.
pub fn open(path: &Path, limit: u64) -> Result<BoundedFile, BoundedError> {
    let file = File::open(path)?;
    if file.metadata()?.len() > limit {
        return Err(BoundedError::TooLarge { limit });
    }
    Ok(BoundedFile { file, at: 0, limit })
}

/// A file that returns an error when it is read beyond its limit.
#[derive(Debug)]
pub struct BoundedFile {
    file: File,
    at: u64,
    limit: u64,
}

impl Read for BoundedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.at += read as u64;
        if self.at > self.limit {
            return Err(io::Error::other(BoundedError::TooLarge { limit: self.limit }));
        }
        Ok(read)
    }
}

impl Seek for BoundedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(bytes: u64) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![7; bytes as usize]).unwrap();
        file
    }

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        assert_eq!(read(file(5_000).path(), 5_000).unwrap(), [7; 5_000]);
        assert!(matches!(read(file(5_001).path(), 5_000), Err(BoundedError::TooLarge { limit: 5_000 })));
        assert!(matches!(read(Path::new("/no/such/file"), 5_000), Err(BoundedError::Io(_))));
    }

    #[test]
    fn an_endless_device_ends_at_the_bound() {
        let refused = read(Path::new("/dev/zero"), 3 << 20).unwrap_err();
        assert_eq!(refused.to_string(), "larger than 3 MiB");
        let mut opened = open(Path::new("/dev/zero"), 3 << 20).unwrap();
        let error = io::copy(&mut opened, &mut io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "larger than 3 MiB");
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_ends_at_the_bound() {
        let mut growing = file(10);
        let mut opened = open(growing.path(), 20).unwrap();
        growing.write_all(&[8; 30]).unwrap();
        assert!(io::copy(&mut opened, &mut io::sink()).is_err());
        assert_eq!(opened.seek(SeekFrom::Start(15)).unwrap(), 15);
        let mut few = [0; 5];
        opened.read_exact(&mut few).unwrap();
        assert_eq!(few, [8; 5]);
    }
}
