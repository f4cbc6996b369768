//! WebSocket (RFC 6455), the server's side, from the bytes after the handshake on.
//!
//! Only what a page needs: messages in both directions, and the close. `frames` reads and writes the framing. A message
//! from the page is bounded, and is read in any number of fragments. Pings are not answered: no browser sends them.

mod frames;

use std::io;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::yield_now;

use crate::socket::{Socket, SocketReader, SocketWriter};

use frames::{Decoder, Received, header};

pub use frames::Opcode;

/// Bytes read from the connection at a time.
const ROOM: usize = 4096;

/// Maximum number of frames in a row that bring nothing. Each takes time from the sessions on the same thread.
const MAX_IGNORED: usize = 1024;

/// A WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    reader: MessageReader,
    writer: MessageWriter,
}

/// The reading half of a WebSocket.
#[derive(Debug)]
pub struct MessageReader {
    stream: SocketReader,
    decoder: Decoder,
}

/// The writing half of a WebSocket.
#[derive(Debug)]
pub struct MessageWriter(SocketWriter);

/// Why no message comes any more.
#[derive(Debug, Error)]
pub enum WebSocketError {
    /// The connection failed.
    #[error("the WebSocket failed: {0}")]
    Io(#[from] io::Error),
    /// The page closed it.
    #[error("the page closed the WebSocket")]
    Closed,
    /// A message is too long.
    #[error("a message of the WebSocket is longer than {0} bytes")]
    TooLong(usize),
    /// That is not RFC 6455.
    #[error("the WebSocket is malformed: {0}")]
    Malformed(&'static str),
    /// Nothing but control frames and empty pieces.
    #[error("more than {MAX_IGNORED} control frames or empty pieces in a row")]
    Busy,
}

impl WebSocket {
    /// A WebSocket on a connection whose handshake is done. Messages of more than `most` bytes are refused.
    pub fn new(socket: Socket, most: usize) -> Self {
        // Each message is waited for. If setting the option fails, that costs only 40 ms.
        let _ = socket.tcp().set_nodelay(true);
        let (reader, writer) = socket.split();
        let reader = MessageReader { stream: reader, decoder: Decoder::new(most) };
        Self { reader, writer: MessageWriter(writer) }
    }

    /// A WebSocket of its halves.
    pub fn of(reader: MessageReader, writer: MessageWriter) -> Self {
        Self { reader, writer }
    }

    /// Splits it into its halves. The connection closes when both are dropped.
    pub fn split(self) -> (MessageReader, MessageWriter) {
        (self.reader, self.writer)
    }
}

impl MessageReader {
    /// Receives the bytes of the next message. Safe to cancel: what was read is kept for the next call.
    ///
    /// # Errors
    /// [`WebSocketError`].
    pub async fn receive(&mut self) -> Result<Vec<u8>, WebSocketError> {
        let mut ignored = 0;
        loop {
            match self.decoder.next()? {
                Some(Received::Message(bytes)) => return Ok(bytes),
                Some(Received::Close) => return Err(WebSocketError::Closed),
                Some(Received::Ignored) if ignored < MAX_IGNORED => ignored += 1,
                Some(Received::Ignored) => return Err(WebSocketError::Busy),
                None => {
                    if self.stream.read_buf(self.decoder.room(ROOM)).await? == 0 {
                        return Err(WebSocketError::Closed);
                    }
                    // A page that floods this connection must not hold up the sessions on the same thread.
                    yield_now().await;
                }
            }
        }
    }
}

impl MessageWriter {
    /// Sends a message. Not safe to cancel: a part of it may then be sent.
    ///
    /// # Errors
    /// If the connection is broken.
    pub async fn send(&mut self, opcode: Opcode, payload: &[u8]) -> io::Result<()> {
        self.0.write_all(&header(opcode, payload.len())).await?;
        self.0.write_all(payload).await?;
        // Inside TLS a part may be held back.
        self.0.flush().await
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair(most: usize) -> (TcpStream, WebSocket) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (theirs, ours) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (theirs.unwrap(), WebSocket::new(Socket::from(ours.unwrap().0), most))
    }

    #[tokio::test]
    async fn messages_arrive_and_the_close_ends_them() {
        let (mut page, ours) = pair(100).await;
        let (mut reader, mut writer) = ours.split();
        // "Hello", masked, as in RFC 6455, section 5.7; then a close.
        page.write_all(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]).await.unwrap();
        page.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
        assert_eq!(reader.receive().await.unwrap(), b"Hello");
        assert!(matches!(reader.receive().await, Err(WebSocketError::Closed)));
        writer.send(Opcode::Text, b"Hello").await.unwrap();
        let mut said = [0; 7];
        page.read_exact(&mut said).await.unwrap();
        assert_eq!(said, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    }

    #[tokio::test]
    async fn a_flood_of_frames_that_bring_nothing_ends_the_connection() {
        let (ping, empty) = ([0x89, 0x80, 0, 0, 0, 0], [0x00, 0x80, 0, 0, 0, 0]);
        for frame in [ping, empty] {
            let (mut page, ours) = pair(100).await;
            // A message that goes on: "a", masked with 0.
            page.write_all(&[0x01, 0x81, 0, 0, 0, 0, b'a']).await.unwrap();
            page.write_all(&frame.repeat(MAX_IGNORED + 1)).await.unwrap();
            assert!(matches!(ours.split().0.receive().await, Err(WebSocketError::Busy)));
        }
    }

    #[tokio::test]
    async fn a_few_empty_pieces_of_a_message_are_passed_over() {
        let (mut page, ours) = pair(100).await;
        for bytes in [&[0x01, 0x81, 0, 0, 0, 0, b'a'][..], &[0x00, 0x80, 0, 0, 0, 0], &[0x80, 0x81, 0, 0, 0, 0, b'b']] {
            page.write_all(bytes).await.unwrap();
        }
        assert_eq!(ours.split().0.receive().await.unwrap(), b"ab");
    }
}
