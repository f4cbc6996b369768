//! A tokio runtime for one thread.

use std::io;

use tokio::runtime::{Builder, Runtime};

use super::random;

/// Starts a runtime for one thread.
///
/// # Errors
/// If the system has no descriptors left for it, or no random numbers.
pub fn start() -> io::Result<Runtime> {
    has_room()?;
    random::open()?;
    Builder::new_current_thread().enable_all().build()
}

/// Checks that there are descriptors for the first runtime of a process: a poller, its copy, a waker, and a socket pair
/// for signals with a copy of one end. If the system refuses the socket pair, tokio panics.
#[cfg(unix)]
fn has_room() -> io::Result<()> {
    use std::os::unix::net::UnixStream;
    // All three pairs at the same time.
    let _pairs = (UnixStream::pair()?, UnixStream::pair()?, UnixStream::pair()?);
    Ok(())
}

#[cfg(not(unix))]
fn has_room() -> io::Result<()> {
    Ok(())
}
