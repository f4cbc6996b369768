//! Opens an output's file in the way that fits its kind.
//!
//! A regular file can be emptied, replaced and read again. Everything else is a stream (pipes, devices, sockets, open
//! descriptors): what is written to it cannot be taken back, so an output writes everything once.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use shared::shell::stop::Stop;
use tokio::time::sleep;
use tracing::info;

/// Interval between two checks whether somebody reads a pipe: too short for a person to notice.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// An open file or stream.
pub(super) enum Place {
    /// A regular file, opened for appending, whose content is kept for now.
    File(File),
    /// Anything else that takes bytes.
    Stream(Box<dyn Write + Send>),
}

/// Opens a file or stream and keeps its content. `None` if the run was stopped meanwhile.
///
/// If nobody reads a pipe, says so and waits for a reader. Safe to cancel.
///
/// # Errors
/// If it cannot be written.
pub(super) async fn open(path: &Path, stop: &mut Stop) -> io::Result<Option<Place>> {
    match path.metadata().map(|found| found.file_type()) {
        Ok(kind) if is_pipe(kind) => Ok(read_pipe(path, stop).await?.map(stream)),
        Ok(kind) if is_socket(kind) => connected(path).await.map(Some),
        Ok(kind) if !kind.is_file() || is_descriptor(path) => {
            // Append: if the descriptor is a file, its content belongs to somebody else.
            Ok(Some(stream(OpenOptions::new().append(true).open(path)?)))
        }
        // An existing regular file, or a new one.
        _ => Ok(Some(Place::File(OpenOptions::new().append(true).create(true).open(path)?))),
    }
}

/// Whether this path is a name of standard output.
pub(super) fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// Whether this path names a descriptor of this process. Its file must not be opened by another name or replaced.
pub(super) fn is_descriptor(path: &Path) -> bool {
    let open = |folder: &str| path.starts_with(folder);
    open("/dev/fd") || open("/proc/self/fd") || is_stdout(path) || path == Path::new("/dev/stderr")
}

fn stream(taker: impl Write + Send + 'static) -> Place {
    Place::Stream(Box::new(taker))
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(unix)]
fn is_socket(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_socket(&kind)
}

/// Opens a pipe once somebody reads it. A plain open would block silently and ignore signals.
#[cfg(unix)]
async fn read_pipe(path: &Path, stop: &mut Stop) -> io::Result<Option<File>> {
    use std::os::unix::fs::OpenOptionsExt;

    let at_once = rustix::fs::OFlags::NONBLOCK;
    let mut said = false;
    loop {
        match OpenOptions::new().write(true).custom_flags(at_once.bits() as i32).open(path) {
            // fifo(7): opening a pipe that nobody reads fails with this error.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {}
            Err(error) => return Err(error),
            Ok(pipe) => {
                let flags = rustix::fs::fcntl_getfl(&pipe)?;
                // From here on, writes wait for the reader like those to any other file.
                rustix::fs::fcntl_setfl(&pipe, flags - at_once)?;
                return Ok(Some(pipe));
            }
        }
        if !std::mem::replace(&mut said, true) {
            info!("waiting for somebody to read the pipe {}", path.display());
        }
        tokio::select! {
            () = sleep(LOOK_INTERVAL) => {}
            () = stop.stopped() => return Ok(None),
        }
    }
}

/// Connects to a socket in the file system, whose listener reads what is written.
#[cfg(unix)]
async fn connected(path: &Path) -> io::Result<Place> {
    let socket = tokio::net::UnixStream::connect(path).await?.into_std()?;
    socket.set_nonblocking(false)?;
    Ok(stream(socket))
}

#[cfg(not(unix))]
fn is_pipe(_: FileType) -> bool {
    false
}

#[cfg(not(unix))]
fn is_socket(_: FileType) -> bool {
    false
}

#[cfg(not(unix))]
async fn read_pipe(path: &Path, _: &mut Stop) -> io::Result<Option<File>> {
    OpenOptions::new().write(true).open(path).map(Some)
}

#[cfg(not(unix))]
async fn connected(path: &Path) -> io::Result<Place> {
    Ok(stream(OpenOptions::new().write(true).open(path)?))
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixListener;

    use shared::shell::stop::stop_pair;

    use super::*;

    #[tokio::test]
    async fn each_kind_of_file_is_opened_as_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (_stopper, mut stop) = stop_pair();
        let new = folder.path().join("new.json");
        assert!(matches!(open(&new, &mut stop).await, Ok(Some(Place::File(_)))));
        for device in ["/dev/null", "/dev/full"] {
            assert!(matches!(open(Path::new(device), &mut stop).await, Ok(Some(Place::Stream(_)))), "{device}");
        }
        assert!(open(folder.path(), &mut stop).await.is_err(), "a folder cannot be opened for writing");
    }

    #[tokio::test]
    async fn a_descriptor_that_is_a_file_is_a_stream_and_keeps_what_is_in_it() {
        use std::os::fd::AsRawFd;

        let folder = tempfile::tempdir().unwrap();
        let (_stopper, mut stop) = stop_pair();
        let path = folder.path().join("log");
        std::fs::write(&path, "kept ").unwrap();
        let file = File::open(&path).unwrap();
        let opened = open(Path::new(&format!("/dev/fd/{}", file.as_raw_fd())), &mut stop).await.unwrap();
        let Some(Place::Stream(mut stream)) = opened else { panic!("a stream") };
        stream.write_all(b"new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept new");
    }

    #[tokio::test]
    async fn a_socket_is_connected_to() {
        let folder = tempfile::tempdir().unwrap();
        let (_stopper, mut stop) = stop_pair();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let Ok(Some(Place::Stream(mut stream))) = open(&path, &mut stop).await else { panic!("a stream") };
        stream.write_all(b"said").unwrap();
        drop(stream);
        let mut heard = String::new();
        listener.accept().unwrap().0.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "said");
    }
}
