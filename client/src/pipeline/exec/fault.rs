//! What goes wrong with a program.

use std::io;
use std::mem::{Discriminant, discriminant};
use std::process::ExitStatus;
use std::time::Duration;

use shared::memory::NoMemory;
use shared::text::Brief;
use thiserror::Error;

use super::wrong::AnswerError;

/// Longest line of an answer, in bytes.
pub(super) const LINE_LIMIT: usize = 64 << 10;

/// Why the program gave no answer to a frame. Each message follows the program's name.
#[derive(Debug, Error)]
pub(super) enum Fault {
    #[error("cannot be started: {0}")]
    Start(io::Error),
    #[error("ended ({0})")]
    Ended(ExitStatus),
    #[error("closed its output")]
    Closed,
    #[error("wrote no answer: {0}")]
    Garbage(#[from] AnswerError),
    #[error("answered frame {answered} instead of frame {asked}")]
    OtherFrame { asked: u64, answered: i128 },
    #[error("wrote a line of more than {LINE_LIMIT} bytes")]
    TooLong,
    #[error("wrote \"{0}\", which answers no frame: only answers belong on stdout")]
    Unasked(String),
    #[error("answered frame {frame} without reading all of its pixels within {limit:?}")]
    Unread { frame: u64, limit: Duration },
    #[error("did not answer frame {frame} within {limit:?}")]
    Silent { frame: u64, limit: Duration },
    #[error("has not read its first line yet")]
    NotReading,
    #[error("cannot be read from or written to: {0}")]
    Pipe(#[from] io::Error),
    #[error("sent an image that is not read: {0}")]
    Memory(#[from] NoMemory),
    /// The program failed less than a second after its start, and waits for its restart. Not logged, because the
    /// failure was logged.
    #[error("is not started again yet")]
    Down,
    /// The session ends.
    #[error("is told to end")]
    Ending,
}

/// Maximum number of characters of such output that a message repeats.
const SHOWN: usize = 40;

impl Fault {
    /// The fault for output without a request.
    pub(super) fn unasked(output: &[u8]) -> Self {
        let text = String::from_utf8_lossy(output);
        Self::Unasked(Brief(text.trim_end(), SHOWN).to_string())
    }

    /// The kind of fault. The log names each kind once.
    pub(super) fn cause(&self) -> Discriminant<Self> {
        discriminant(self)
    }

    /// Whether the log should name the fault. The others follow from a fault that the log has named.
    pub(super) fn is_news(&self) -> bool {
        !matches!(self, Self::Down | Self::Ending)
    }
}
