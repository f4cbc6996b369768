//! `server token`: makes a token, into a new file that only its owner can read, or to stdout.

use std::io::{self, Write};
use std::path::Path;

use shared::admission::{Token, make_private};
use shared::shell::exit::Exit;
use shared::shell::standard::unless_reader_left;
use tracing::error;

/// Makes a token.
pub fn run(file: Option<&Path>) -> Exit {
    let token = match Token::make() {
        Ok(token) => token,
        Err(wrong) => {
            error!("{wrong}");
            return Exit::Other;
        }
    };
    let Some(path) = file else {
        return match unless_reader_left(io::stdout().write_all(token.as_bytes())) {
            Ok(()) => Exit::Fine,
            Err(wrong) => {
                error!("cannot write to stdout: {wrong}");
                Exit::Other
            }
        };
    };
    match make_private(path, &token) {
        Ok(()) => Exit::Fine,
        Err(wrong) if wrong.kind() == io::ErrorKind::AlreadyExists => {
            error!("{} exists, and is not overwritten: name another file, or remove it first", path.display());
            Exit::Usage
        }
        Err(wrong) => {
            error!("cannot write the token to {}: {wrong}", path.display());
            Exit::Other
        }
    }
}
