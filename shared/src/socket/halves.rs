//! The two directions of a socket.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Socket;

/// The reading half of a socket.
#[derive(Debug)]
pub struct SocketReader(Arc<Socket>);

/// The writing half of a socket. Dropping it ends the stream to the peer.
#[derive(Debug)]
pub struct SocketWriter {
    socket: Arc<Socket>,
    ends_when_dropped: bool,
}

/// Splits a socket into its directions.
pub(super) fn split(socket: Socket) -> (SocketReader, SocketWriter) {
    let socket = Arc::new(socket);
    (SocketReader(socket.clone()), SocketWriter { socket, ends_when_dropped: true })
}

impl SocketReader {
    /// Puts both halves together again.
    ///
    /// # Errors
    /// If they belong to different sockets.
    pub fn reunite(self, mut writer: SocketWriter) -> io::Result<Socket> {
        if !Arc::ptr_eq(&self.0, &writer.socket) {
            return Err(io::Error::other("the halves belong to different sockets"));
        }
        writer.ends_when_dropped = false;
        drop(writer);
        Arc::try_unwrap(self.0).map_err(|_| io::Error::other("the socket has another user"))
    }
}

impl SocketWriter {
    /// The socket.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }
}

impl Drop for SocketWriter {
    fn drop(&mut self) {
        if self.ends_when_dropped {
            // Fails if the connection is broken already.
            let _ = self.socket.end_writing(Shutdown::Write);
        }
    }
}

impl AsyncRead for SocketReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, into)
    }
}

impl AsyncWrite for SocketWriter {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_shutdown(cx)
    }
}
