//! Standard output and standard error: writing without a shared lock, their widths, and the meaning of their failures.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::ColorChoice;

use super::status::above;

/// Columns of a terminal that does not report its width, and of files and pipes.
const COLUMNS: usize = 80;

/// Leaves colours out on a terminal that says it has none (`TERM=dumb`). Called first, before help or a log line is
/// written.
///
/// `anstream` decides everything else, but believes `CI=true` more than the terminal.
pub fn respect_dumb_terminals() {
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        ColorChoice::Never.write_global();
    }
}

/// An output of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// Standard error, when stdout carries something else.
    Stderr,
}

impl Target {
    /// Name of the output, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    /// Whether a person reads it as it is written.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
        }
    }

    /// Maximum number of characters per line: the terminal's columns, or 80 for files and pipes, so that their contents
    /// do not depend on the user's terminal.
    pub fn columns(self) -> usize {
        terminal_columns(self).filter(|&columns| columns > 0).unwrap_or(COLUMNS)
    }

    /// Opens the output for writing. A blocked write holds no lock that others need, except that of the status line,
    /// for which only the status line's own thread waits.
    pub(super) fn open(self) -> Box<dyn Write + Send> {
        let output = self.opened();
        above(if self.is_terminal() { Box::new(Terminal(output)) } else { output }, self)
    }

    fn opened(self) -> Box<dyn Write + Send> {
        #[cfg(unix)]
        if let Ok(descriptor) = descriptor(self).try_clone_to_owned() {
            return Box::new(std::fs::File::from(descriptor));
        }
        match self {
            Self::Stdout => Box::new(io::stdout()),
            Self::Stderr => Box::new(io::stderr()),
        }
    }
}

/// A terminal, whose reader leaves when it is closed.
struct Terminal<W>(W);

impl<W: Write> Write for Terminal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(of_a_terminal)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(of_a_terminal)
    }
}

/// The error of a write to a terminal. Once a terminal is closed, each write fails with EIO.
fn of_a_terminal(error: io::Error) -> io::Error {
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::IO) {
        return ErrorKind::BrokenPipe.into();
    }
    error
}

/// Standard output, for an option that names it (`-`).
///
/// # Errors
/// If it was closed when the program started: what is written would go nowhere, without an error.
pub fn named_stdout() -> io::Result<io::Stdout> {
    #[cfg(unix)]
    if stands_for_closed(descriptor(Target::Stdout)) {
        return Err(io::Error::new(ErrorKind::NotConnected, "it is closed"));
    }
    Ok(io::stdout())
}

/// Whether a descriptor was closed when the program started. Before `main` the standard library opens `/dev/null` in its
/// place, for reading and writing. A shell opens it for writing only.
#[cfg(unix)]
fn stands_for_closed(descriptor: std::os::fd::BorrowedFd<'_>) -> bool {
    use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};

    let is_null = || Some(fstat(descriptor).ok()?.st_rdev == stat("/dev/null").ok()?.st_rdev);
    fcntl_getfl(descriptor).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR) && is_null() == Some(true)
}

/// Whether the reader of an output has left, as `head` does once it has enough. This is decided only here.
///
/// The reader wants no more, so this is not a failure and is not reported.
pub fn reader_left(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

/// The result of writing to a reader, who may leave once it has enough.
///
/// # Errors
/// Any other failure.
pub fn unless_reader_left<T: Default>(result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if reader_left(&error) => Ok(T::default()),
        result => result,
    }
}

#[cfg(unix)]
fn descriptor(target: Target) -> std::os::fd::BorrowedFd<'static> {
    match target {
        Target::Stdout => rustix::stdio::stdout(),
        Target::Stderr => rustix::stdio::stderr(),
    }
}

#[cfg(unix)]
fn terminal_columns(target: Target) -> Option<usize> {
    rustix::termios::tcgetwinsize(descriptor(target)).ok().map(|size| size.ws_col.into())
}

#[cfg(not(unix))]
fn terminal_columns(_: Target) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_what_the_standard_library_opens_for_a_closed_descriptor_counts_as_closed() {
        use std::fs::File;
        use std::os::fd::AsFd;

        let opened = |path: &str, reads| File::options().read(reads).write(true).open(path).unwrap();
        assert!(stands_for_closed(opened("/dev/null", true).as_fd()));
        // As `>/dev/null` of a shell.
        assert!(!stands_for_closed(opened("/dev/null", false).as_fd()));
        assert!(!stands_for_closed(opened("/dev/zero", true).as_fd()));
        assert!(!stands_for_closed(tempfile::tempfile().unwrap().as_fd()));
    }

    #[cfg(unix)]
    #[test]
    fn a_terminal_that_is_closed_is_a_reader_that_leaves() {
        assert!(reader_left(&of_a_terminal(rustix::io::Errno::IO.into())));
        assert!(!reader_left(&of_a_terminal(ErrorKind::StorageFull.into())));
    }

    #[test]
    fn a_reader_that_leaves_is_not_a_failure_and_a_full_disk_is() {
        assert!(unless_reader_left::<bool>(Err(ErrorKind::BrokenPipe.into())).is_ok_and(|written| !written));
        assert!(unless_reader_left::<bool>(Err(ErrorKind::StorageFull.into())).is_err());
        assert!(unless_reader_left(Ok(true)).is_ok_and(|written| written));
    }
}
