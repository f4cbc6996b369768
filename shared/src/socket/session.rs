//! A TLS session over a TCP connection, without waiting: a call that would have to wait returns
//! [`io::ErrorKind::WouldBlock`].

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use bytes::{Buf, BytesMut};
use rustls::Connection;
use tokio::net::TcpStream;

/// Most bytes that are read from the connection at a time: four TLS records.
const READ: usize = 64 << 10;

/// A TLS session.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    /// Bytes from the connection that TLS has not read.
    arrived: BytesMut,
    /// Decrypted bytes that were peeked at.
    peeked: BytesMut,
    /// Bytes of the last write that TLS has accepted and the connection has not.
    held: usize,
}

impl Session {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, arrived: BytesMut::new(), peeked: BytesMut::new(), held: 0 }
    }

    /// Bytes that were written but that the connection has not accepted yet.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Continues the handshake. Returns whether it is complete; `false` if the connection accepts no more bytes.
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

    /// Copies the first decrypted bytes without consuming them. Returns how many; 0 at the end of the stream.
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
                // A killed peer does not end its stream. That is safe, because every message read here states its own
                // length.
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
            // The peer has ended its stream, so what follows is ignored.
            self.arrived.clear();
        }
        self.arrived.advance(read);
        let processed = self.connection.process_new_packets();
        // Sends the peer an alert, or the answer to a request for new keys. If the connection has no room, the next
        // write sends the rest.
        let _ = self.flush(tcp);
        processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        Ok(true)
    }

    /// Encrypts and writes as many of these bytes as the connection accepts.
    pub(super) fn write(&mut self, tcp: &TcpStream, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.flush(tcp)?;
        let accepted = self.connection.writer().write_vectored(parts)?;
        self.held = accepted;
        match self.flush(tcp) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(accepted),
        }
    }

    /// Writes the encrypted bytes.
    pub(super) fn flush(&mut self, tcp: &TcpStream) -> io::Result<()> {
        while self.connection.wants_write() {
            if self.connection.write_tls(&mut Unbuffered(tcp))? == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        self.held = 0;
        Ok(())
    }

    /// Tells the peer that no more bytes follow, if the connection has room for that.
    pub(super) fn end(&mut self, tcp: &TcpStream) {
        self.connection.send_close_notify();
        let _ = self.flush(tcp);
    }
}

/// Lets `std::io::Write` write to the connection.
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
