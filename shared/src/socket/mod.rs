//! A TCP connection, in the clear or inside TLS.
//!
//! All doors and links read and write a [`Socket`], so each of them works inside TLS too. `session` is a TLS session.
//! `halves` are a socket's two directions. All methods take `&self`: a link may write from any task while another task
//! reads.

mod halves;
mod session;

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use rustls::Connection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub use halves::{SocketReader, SocketWriter};

use self::session::Session;

/// A TCP connection, in the clear or inside TLS.
#[derive(Debug)]
pub struct Socket {
    tcp: TcpStream,
    session: Option<Mutex<Session>>,
}

impl From<TcpStream> for Socket {
    fn from(tcp: TcpStream) -> Self {
        Self { tcp, session: None }
    }
}

impl Socket {
    /// Makes the TLS handshake on this connection.
    ///
    /// # Errors
    /// If the connection breaks, or the handshake fails. In the second case the error contains a [`rustls::Error`], and
    /// the peer got an alert.
    pub(crate) async fn encrypt(tcp: TcpStream, connection: Connection) -> io::Result<Self> {
        let socket = Self { tcp, session: Some(Mutex::new(Session::new(connection))) };
        std::future::poll_fn(|cx| socket.poll_handshake(cx)).await?;
        Ok(socket)
    }

    /// The TCP connection.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// The TCP connection, for a socket in the clear.
    pub fn into_tcp(self) -> TcpStream {
        self.tcp
    }

    /// Whether the connection is inside TLS.
    pub fn is_encrypted(&self) -> bool {
        self.session.is_some()
    }

    /// Splits it into its directions. It closes when both are dropped.
    pub fn split(self) -> (SocketReader, SocketWriter) {
        halves::split(self)
    }

    /// Waits until bytes have arrived and copies the first of them without consuming them. Returns how many; 0 at the
    /// end of the stream.
    ///
    /// # Errors
    /// If the connection is broken.
    pub async fn peek(&self, into: &mut [u8]) -> io::Result<usize> {
        if self.session.is_none() {
            return self.tcp.peek(into).await;
        }
        std::future::poll_fn(|cx| self.poll_for_reading(cx, |session, tcp| session.peek(tcp, into))).await
    }

    /// Writes as many of these bytes as the connection accepts without waiting.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if it accepts none, or another error if the connection is broken.
    pub(crate) fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.session() {
            None => self.tcp.try_write_vectored(parts),
            Some(mut session) => session.write(&self.tcp, parts),
        }
    }

    /// Writes the bytes that TLS still holds.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if the connection accepts no more, or another error if it is broken.
    pub(crate) fn try_flush(&self) -> io::Result<()> {
        self.session().map_or(Ok(()), |mut session| session.flush(&self.tcp))
    }

    /// Waits until the connection may take more bytes.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.tcp.writable().await
    }

    /// Bytes that were written but that the connection has not accepted yet.
    pub(crate) fn held(&self) -> usize {
        self.session().map_or(0, |session| session.held())
    }

    /// Ends the stream to the peer, which can still read everything that was written. Fails if the connection is broken
    /// already.
    fn end_writing(&self, how: Shutdown) -> io::Result<()> {
        if let Some(mut session) = self.session() {
            session.end(&self.tcp);
        }
        socket2::SockRef::from(&self.tcp).shutdown(how)
    }

    /// Ends the stream in both directions: the peer can still read what was written, and this end reads no more.
    pub(crate) fn close(&self) {
        // Fails if the connection is broken already.
        let _ = self.end_writing(Shutdown::Both);
    }

    fn session(&self) -> Option<MutexGuard<'_, Session>> {
        // After a panic inside it, a session reports an error.
        self.session.as_ref().map(|session| session.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn poll_handshake(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let step = self.session().map_or(Ok(true), |mut session| session.handshake(&self.tcp));
            match step {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => ready!(self.tcp.poll_write_ready(cx))?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.tcp.poll_read_ready(cx))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Calls `read` when bytes arrive, until it no longer has to wait.
    fn poll_for_reading<T>(
        &self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(&mut Session, &TcpStream) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let Some(mut session) = self.session() else { return Poll::Ready(Err(io::ErrorKind::Unsupported.into())) };
            let done = read(&mut session, &self.tcp);
            drop(session);
            match done {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.tcp.poll_read_ready(cx))?,
                done => return Poll::Ready(done),
            }
        }
    }

    fn poll_read(&self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.session.is_some() {
            let room = into.initialize_unfilled();
            let bytes = ready!(self.poll_for_reading(cx, |session, tcp| session.read(tcp, room)))?;
            into.advance(bytes);
            return Poll::Ready(Ok(()));
        }
        loop {
            match self.tcp.try_read_buf(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.tcp.poll_read_ready(cx))?,
                read => return Poll::Ready(read.map(|_| ())),
            }
        }
    }

    /// Calls `write` when there is room, until the connection accepts bytes.
    fn poll_for_writing<T>(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            match write() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.tcp.poll_write_ready(cx))?,
                done => return Poll::Ready(done),
            }
        }
    }

    fn poll_write_vectored(&self, cx: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.poll_for_writing(cx, || self.try_write_vectored(parts))
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_for_writing(cx, || self.try_flush())
    }

    fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        Poll::Ready(self.end_writing(Shutdown::Write))
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Self::poll_read(&self, cx, into)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Self::poll_write_vectored(&self, cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Self::poll_write_vectored(&self, cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_flush(&self, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_shutdown(&self, cx)
    }
}

#[cfg(test)]
mod tests;
