//! Identifies a visitor by its first bytes, or by its silence.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::lines::{Signaling, SignalingError};
use super::signal::{Introduction, Signal};
use crate::socket::Socket;
use crate::tls::Tls;

/// Silence after which a peer counts as a stranger (aiortc's `TcpSocketSignaling` waits for the offer).
pub const STRANGER_SILENCE: Duration = Duration::from_millis(100);

/// Interval at which a connection is checked after its first bytes have arrived.
const PEEK_INTERVAL: Duration = Duration::from_millis(1);

/// The first byte of TLS: a record of its handshake (RFC 8446, section 5.1).
const TLS: u8 = 0x16;

/// The first bytes from every HTTP/2 client (RFC 9113, section 3.4): as many as distinguish it from HTTP/1.
const HTTP_2: [u8; 4] = *b"PRI ";

/// The methods with which an HTTP/1 request begins (RFC 9110, section 9), and PATCH.
const HTTP_1: [[u8; 4]; 9] = [*b"GET ", *b"HEAD", *b"POST", *b"PUT ", *b"DELE", *b"CONN", *b"OPTI", *b"TRAC", *b"PATC"];

/// What a connection begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// TLS, in which a second opening follows.
    Tls,
    /// HTTP/2: a caller that speaks gRPC.
    Http2,
    /// A request of HTTP/1.
    Http1,
    /// Anything else, or nothing so far.
    Other,
}

/// The protocol of a connection's first bytes. Waits for them until `until` at most, and does not consume them.
///
/// # Errors
/// If the connection is broken.
pub async fn opening(socket: &Socket, until: Instant) -> io::Result<Opening> {
    let mut bytes = [0; HTTP_2.len()];
    loop {
        let Ok(came) = timeout_at(until, socket.peek(&mut bytes)).await else { return Ok(Opening::Other) };
        let came = &bytes[..came?];
        if came.first() == Some(&TLS) && !socket.is_encrypted() {
            return Ok(Opening::Tls);
        }
        let is_open = HTTP_1.iter().chain([&HTTP_2]).any(|known| known.starts_with(came));
        if came.is_empty() || !is_open {
            return Ok(Opening::Other);
        }
        if came.len() == bytes.len() {
            return Ok(if bytes == HTTP_2 { Opening::Http2 } else { Opening::Http1 });
        }
        if Instant::now() >= until {
            return Ok(Opening::Other);
        }
        sleep(PEEK_INTERVAL).await;
    }
}

/// A visitor whose first bytes have arrived, or that sent none in time.
#[derive(Debug)]
pub struct Arrived {
    /// Its connection, from which nothing has been read.
    pub socket: Socket,
    /// What it begins with.
    pub opening: Opening,
    /// When a visitor that has said nothing counts as silent.
    pub until: Instant,
}

impl Arrived {
    /// Waits for the first bytes of a visitor, which may be silent for this long.
    ///
    /// # Errors
    /// If the connection is broken.
    pub async fn new(socket: Socket, silence: Duration) -> io::Result<Self> {
        let until = Instant::now() + silence;
        Ok(Self { opening: opening(&socket, until).await?, socket, until })
    }

    /// Makes the handshake of TLS, if the visitor begins with it, and waits for the first bytes inside.
    ///
    /// # Errors
    /// If the connection is broken, or there is no TLS.
    pub async fn inside(self, tls: &Tls, silence: Duration) -> Result<Self, SignalingError> {
        match self.opening {
            Opening::Tls => Ok(Self::new(tls.accept(self.socket.into_tcp()).await?, silence).await?),
            _ => Ok(self),
        }
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, PartialEq)]
pub enum Visitor {
    /// A Plumb client that introduced itself.
    Plumb(Introduction),
    /// A stranger that waits for an offer. It gets settings that every peer takes.
    Stranger,
    /// A client that asks whether this is a server, and waits for a `pong`.
    Prober,
    /// A visitor that left at once: it only checked whether the port is open.
    Gone,
}

/// Waits until the visitor is identified, but not longer than until `until`, which is [`STRANGER_SILENCE`] after its
/// arrival.
pub async fn visitor(signaling: &mut Signaling, until: Instant) -> Result<Visitor, SignalingError> {
    match signaling.receive_within(until.saturating_duration_since(Instant::now())).await {
        Ok(Signal::Hello(hello)) => Ok(Visitor::Plumb(hello)),
        Ok(Signal::Ping {}) => Ok(Visitor::Prober),
        Ok(Signal::Bye { .. }) | Err(SignalingError::Closed) => Ok(Visitor::Gone),
        Ok(other) => Err(SignalingError::Unexpected { expected: "a hello, a ping or silence", got: other.name() }),
        Err(SignalingError::Silence(_)) => Ok(Visitor::Stranger),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Identifies a visitor that sends this and stays.
    async fn saying(text: &str) -> Result<Visitor, SignalingError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (theirs, ours) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let mut theirs = theirs.unwrap();
        theirs.write_all(text.as_bytes()).await.unwrap();
        visitor(&mut Signaling::new(ours.unwrap().0), Instant::now() + STRANGER_SILENCE).await
    }

    #[tokio::test]
    async fn a_visitor_is_identified_by_its_first_words() {
        let hello = Introduction::new(vec![]);
        let said = "{\"type\":\"hello\",\"plumb\":1,\"role\":\"sink\"}\n";
        assert_eq!(saying(said).await.unwrap(), Visitor::Plumb(hello));
        assert_eq!(saying("{\"type\":\"ping\"}\n").await.unwrap(), Visitor::Prober);
        assert_eq!(saying("{\"type\":\"bye\"}\n").await.unwrap(), Visitor::Gone);
    }

    #[tokio::test]
    async fn http_is_recognized_by_its_first_bytes_which_are_not_consumed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for (pieces, expected) in [
            (&["PRI * HTTP/2.0\r\n"][..], Opening::Http2),
            (&["P", "R", "I "], Opening::Http2),
            (&["PRIDE"], Opening::Other),
            (&["GET /metrics HTTP/1.1\r\n"], Opening::Http1),
            (&["G", "E", "T", " "], Opening::Http1),
            (&["P", "O", "ST /"], Opening::Http1),
            (&["GETS"], Opening::Other),
            (&["get "], Opening::Other),
            (&["{\"type\""], Opening::Other),
            (&["\u{16}\u{3}"], Opening::Tls),
            (&["P"], Opening::Other),
            (&[], Opening::Other),
        ] {
            let (theirs, ours) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
            let (mut theirs, ours) = (theirs.unwrap(), Socket::from(ours.unwrap().0));
            theirs.set_nodelay(true).unwrap();
            let saying = tokio::spawn(async move {
                for piece in pieces {
                    theirs.write_all(piece.as_bytes()).await.unwrap();
                    tokio::task::yield_now().await;
                }
                theirs
            });
            let until = Instant::now() + STRANGER_SILENCE;
            assert_eq!(opening(&ours, until).await.unwrap(), expected, "{pieces:?}");
            let mut first = [0];
            let left = ours.tcp().try_read(&mut first).unwrap_or(0);
            assert_eq!(left > 0, !pieces.is_empty());
            drop(saying.await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_silent_visitor_is_a_stranger() {
        assert_eq!(saying("").await.unwrap(), Visitor::Stranger);
        assert_eq!(saying("{\"type\":").await.unwrap(), Visitor::Stranger, "half a line is silence");
    }

    #[tokio::test]
    async fn a_visitor_that_sends_nonsense_or_speaks_out_of_turn_is_refused() {
        let error = saying("{\"type\":\"answer\",\"sdp\":\"\"}\n").await.unwrap_err();
        assert!(error.to_string().contains("a hello, a ping or silence"), "{error}");
        assert!(matches!(saying("GET / HTTP/1.1\r\n").await, Err(SignalingError::NotASignal { .. })));
    }
}
