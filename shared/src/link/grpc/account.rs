//! Counts what a call's connection has read and written, and which messages the peer has acknowledged.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use socket2::{SockRef, Socket};
use tokio::net::TcpStream;

use super::ledger::Ledger;
use crate::link::Lane;
use crate::link::unacknowledged::unacknowledged;

/// An account of one call on one connection.
#[derive(Debug, Default)]
pub(super) struct Account {
    read: AtomicU64,
    written: AtomicU64,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    ledger: Ledger,
    /// The connection, to ask its kernel. Absent before it is open, and once it is closed.
    socket: Option<Socket>,
}

impl Account {
    /// Notes the connection.
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub(super) fn opened(&self, stream: &TcpStream) -> io::Result<()> {
        self.books().socket = Some(SockRef::from(stream).try_clone()?);
        Ok(())
    }

    /// Forgets the connection.
    pub(super) fn closed(&self) {
        self.books().socket = None;
    }

    pub(super) fn read(&self, bytes: usize) {
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn wrote(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes that the connection has read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Notes that HTTP/2 has written all of its frames.
    pub(super) fn flushed(&self) {
        self.books().ledger.flushed(self.written());
    }

    /// Notes that HTTP/2 has released a piece of a body.
    pub(super) fn released(&self, bytes: usize) {
        self.books().ledger.released(bytes);
    }

    /// Notes that a message of `bytes` bytes was encoded into `encoded` bytes.
    pub(super) fn encoded(&self, lane: Lane, bytes: usize, encoded: usize) {
        self.books().ledger.encoded(lane, bytes, encoded, self.written());
    }

    /// Bytes of encoded messages of a lane that the peer has not acknowledged; 0 once the connection is closed.
    pub(super) fn buffered(&self, lane: Lane) -> usize {
        let mut books = self.books();
        let Some(in_kernel) = books.socket.as_ref().map(unacknowledged) else { return 0 };
        books.ledger.buffered(lane, self.written(), in_kernel)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Each change is complete before anything can panic.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
