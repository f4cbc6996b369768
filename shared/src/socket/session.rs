//! A TLS session over a TCP connection, without waiting: what cannot go on reports [`io::ErrorKind::WouldBlock`].

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use bytes::{Buf, BytesMut};
use rustls::Connection;
use tokio::net::TcpStream;

/// Most bytes that are read from the connection at a time: four records of TLS.
const READ: usize = 64 << 10;

/// A TLS session.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    /// Bytes of the connection that TLS has not read.
    arrived: BytesMut,
    /// Decrypted bytes that were peeked at.
    peeked: BytesMut,
    /// Bytes that TLS accepted with the last write, and the connection has not taken.
    held: usize,
}

impl Session {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, arrived: BytesMut::new(), peeked: BytesMut::new(), held: 0 }
    }

    /// Bytes that were written, and are held back because the connection takes no more.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Goes on with the handshake. Returns whether it is over; `false` if the connection takes no more bytes.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] if more bytes must arrive, or the handshake failed.
    pub(super) fn handshake(&mut self, tcp: &TcpStream) -> io::Result<bool> {
        loop {
            match self.flush(tcp) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                flushed => flushed?,
            }
            if !self.connection.is_handshaking() {
                return Ok(true);
            }
            if !self.receive(tcp)? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Copies the first decrypted bytes, which stay where they are. Returns how many; 0 at the end of the stream.
    pub(super) fn peek(&mut self, tcp: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
        if self.peeked.len() < into.len() {
            let mut more = vec![0; into.len() - self.peeked.len()];
            match self.decrypted(tcp, &mut more) {
                Ok(bytes) => self.peeked.extend_from_slice(&more[..bytes]),
                Err(error) if error.kind() == ErrorKind::WouldBlock && !self.peeked.is_empty() => {}
                Err(error) => return Err(error),
            }
        }
        let bytes = into.len().min(self.peeked.len());
        into[..bytes].copy_from_slice(&self.peeked[..bytes]);
        Ok(bytes)
    }

    /// Reads decrypted bytes; 0 at the end of the stream.
    pub(super) fn read(&mut self, tcp: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
        if self.peeked.is_empty() {
            return self.decrypted(tcp, into);
        }
        let bytes = into.len().min(self.peeked.len());
        self.peeked.copy_to_slice(&mut into[..bytes]);
        Ok(bytes)
    }

    fn decrypted(&mut self, tcp: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.receive(tcp)?;
                }
                // A peer that was killed does not end its stream. All that is read here says itself where it ends.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
        }
    }

    /// Gives TLS more bytes from the connection. Returns whether there were any: `false` at the end.
    fn receive(&mut self, tcp: &TcpStream) -> io::Result<bool> {
        if self.arrived.is_empty() {
            self.arrived.reserve(READ);
            if tcp.try_read_buf(&mut self.arrived)? == 0 {
                self.connection.read_tls(&mut io::empty())?;
                return Ok(false);
            }
        }
        let read = self.connection.read_tls(&mut &self.arrived[..])?;
        if read == 0 {
            // The peer has ended its stream, and what follows means nothing.
            self.arrived.clear();
        }
        self.arrived.advance(read);
        let processed = self.connection.process_new_packets();
        // Tells the peer what was wrong, or answers a request for new keys. If the connection takes it no longer, the
        // next write goes on.
        let _ = self.flush(tcp);
        processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        Ok(true)
    }

    /// Encrypts and writes as many of these bytes as the connection takes.
    pub(super) fn write(&mut self, tcp: &TcpStream, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.flush(tcp)?;
        let accepted = self.connection.writer().write_vectored(parts)?;
        self.held = accepted;
        match self.flush(tcp) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(accepted),
        }
    }

    /// Writes what is encrypted.
    pub(super) fn flush(&mut self, tcp: &TcpStream) -> io::Result<()> {
        while self.connection.wants_write() {
            if self.connection.write_tls(&mut Unbuffered(tcp))? == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        self.held = 0;
        Ok(())
    }

    /// Tells the peer that no more bytes follow, if the connection takes it.
    pub(super) fn end(&mut self, tcp: &TcpStream) {
        self.connection.send_close_notify();
        let _ = self.flush(tcp);
    }
}

/// A connection as `std` writes to it.
struct Unbuffered<'a>(&'a TcpStream);

impl Write for Unbuffered<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
