//! A thread's tokio runtime.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// A runtime for one thread.
///
/// # Errors
/// Where the system has no descriptors left for it.
pub fn start() -> io::Result<Runtime> {
    has_room()?;
    Builder::new_current_thread().enable_all().build()
}

/// Whether there are descriptors for the first runtime of a process: a poller, its copy, a waker, and a pair of sockets for
/// signals with a copy of one. Where the system refuses the pair, tokio panics.
#[cfg(unix)]
fn has_room() -> io::Result<()> {
    use std::os::unix::net::UnixStream;
    // All three at a time.
    let _pairs = (UnixStream::pair()?, UnixStream::pair()?, UnixStream::pair()?);
    Ok(())
}

#[cfg(not(unix))]
fn has_room() -> io::Result<()> {
    Ok(())
}
