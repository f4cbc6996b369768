//! The token: a secret that both ends read from a file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::hmac::{HMAC_SHA256, Key};
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

use crate::text::Brief;

/// Smallest length of a token, in bytes. Anyone who records an exchange of proofs can try tokens offline, so a token
/// must be hard to guess.
pub const LEAST_TOKEN: usize = 16;

/// Largest length of a token, in bytes: far more than any secret has. A longer file is not a token file.
pub const MOST_TOKEN: usize = 4096;

/// Most characters of a path that a message repeats.
const SHOWN_CHARACTERS: usize = 200;

/// Random bytes of a new token: as many as an HMAC-SHA256 has.
const NEW_TOKEN: usize = 32;

/// A token. It is never shown: `Debug` hides it, and there is no way to get it back.
#[derive(Clone)]
pub struct Token(Arc<Key>);

/// Why there is no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error(
        "cannot read the token from {}: {error}; write the path of a file with a token (`server token FILE` makes one)",
        Brief(.path.display(), SHOWN_CHARACTERS)
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The file holds nothing.
    #[error("{} holds no token: `server token FILE` makes a file that does", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The token can be guessed.
    #[error(
        "the token in {} has {length} bytes, at least {LEAST_TOKEN} are needed, or a listener could guess it: `server \
         token FILE` makes one",
        .path.display()
    )]
    Short {
        /// The file.
        path: PathBuf,
        /// Its bytes, without the end of the line.
        length: usize,
    },
    /// The text is not a token.
    #[error("{} is larger than {MOST_TOKEN} bytes: is it the file with the token?", .path.display())]
    Long {
        /// The file.
        path: PathBuf,
    },
    /// The system has no random bytes.
    #[error("the system gives no random bytes")]
    NoRandom,
}

impl Token {
    /// Reads the token from a file, without the line end of its last line.
    ///
    /// # Errors
    /// [`TokenError`] if the file cannot be read, is empty, or holds fewer than [`LEAST_TOKEN`] bytes or more than
    /// [`MOST_TOKEN`].
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let unreadable = |error| TokenError::Unreadable { path: path.to_owned(), error };
        let file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        // Two for the end of the line, and one to see that there is more.
        file.take(MOST_TOKEN as u64 + 3).read_to_end(&mut bytes).map_err(unreadable)?;
        let bytes = without_line_end(&bytes);
        match bytes.len() {
            0 => Err(TokenError::Empty { path: path.to_owned() }),
            length if length < LEAST_TOKEN => Err(TokenError::Short { path: path.to_owned(), length }),
            length if length > MOST_TOKEN => Err(TokenError::Long { path: path.to_owned() }),
            _ => Ok(Self::of(bytes)),
        }
    }

    /// The token of these bytes, whose length was checked.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Arc::new(Key::new(HMAC_SHA256, bytes)))
    }

    /// Makes the text of a new token: 64 characters, and the end of the line.
    ///
    /// # Errors
    /// [`TokenError::NoRandom`] if the system gives no random bytes.
    pub fn make() -> Result<String, TokenError> {
        let mut bytes = [0; NEW_TOKEN];
        SystemRandom::new().fill(&mut bytes).map_err(|_| TokenError::NoRandom)?;
        let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        text.push('\n');
        Ok(text)
    }

    pub(super) fn key(&self) -> &Key {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(contents: &[u8]) -> Result<Token, TokenError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, contents).unwrap();
        Token::read(&path)
    }

    #[test]
    fn a_token_is_the_files_content_without_its_final_line_break() {
        let wanted = ring::hmac::sign(Token::of(b"0123456789abcdef").key(), b"x");
        for contents in [&b"0123456789abcdef"[..], b"0123456789abcdef\n", b"0123456789abcdef\r\n"] {
            let token = read(contents).unwrap();
            assert_eq!(ring::hmac::sign(token.key(), b"x").as_ref(), wanted.as_ref());
        }
        assert!(read(&[b'x'; MOST_TOKEN]).is_ok());
    }

    #[test]
    fn a_file_without_a_token_is_refused_without_quoting_it() {
        let said = |contents: &[u8]| read(contents).unwrap_err().to_string();
        assert!(said(b"").contains("holds no token"));
        assert!(said(b"\r\n").contains("holds no token"));
        let short = said(b"fifteen-letters\n");
        assert!(short.contains("has 15 bytes, at least 16 are needed"), "{short}");
        assert!(!short.contains("fifteen"), "{short}");
        assert!(said(&[b'x'; MOST_TOKEN + 1]).contains("is larger than 4096 bytes"));
        let missing = Token::read(Path::new("/nowhere/token")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read the token from /nowhere/token: No such file"), "{missing}");
        let folder = Token::read(Path::new("/")).unwrap_err().to_string();
        assert!(folder.starts_with("cannot read the token from /: "), "{folder}");
        let endless = Token::read(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(endless.contains("larger"), "{endless}");
    }

    #[test]
    fn a_new_token_is_random_and_long_enough() {
        let (one, other) = (Token::make().unwrap(), Token::make().unwrap());
        assert_ne!(one, other);
        assert!(one.len() == 2 * NEW_TOKEN + 1 && one.trim_end().chars().all(|letter| letter.is_ascii_hexdigit()));
        assert!(read(one.as_bytes()).is_ok());
    }

    #[test]
    fn a_token_is_not_shown() {
        assert_eq!(format!("{:?}", Token::of(b"0123456789abcdef")), "Token");
    }
}
