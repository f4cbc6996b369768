//! Tells who is at the door by a visitor's first words, or by its silence.

use std::time::Duration;

use super::lines::{Signaling, SignalingError};
use super::signal::{Introduction, Signal};

/// Silence after which a peer counts as a stranger (aiortc's `TcpSocketSignaling` waits for the offer).
pub const STRANGER_SILENCE: Duration = Duration::from_millis(100);

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

/// Waits until it is known who is there, for at most [`STRANGER_SILENCE`].
pub async fn visitor(signaling: &mut Signaling) -> Result<Visitor, SignalingError> {
    match signaling.receive_within(STRANGER_SILENCE).await {
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
        visitor(&mut Signaling::new(ours.unwrap().0)).await
    }

    #[tokio::test]
    async fn who_speaks_first_says_who_it_is() {
        let hello = Introduction::new(vec![]);
        let said = "{\"type\":\"hello\",\"plumb\":1,\"role\":\"sink\"}\n";
        assert_eq!(saying(said).await.unwrap(), Visitor::Plumb(hello));
        assert_eq!(saying("{\"type\":\"ping\"}\n").await.unwrap(), Visitor::Prober);
        assert_eq!(saying("{\"type\":\"bye\"}\n").await.unwrap(), Visitor::Gone);
    }

    #[tokio::test]
    async fn who_is_silent_is_a_stranger() {
        assert_eq!(saying("").await.unwrap(), Visitor::Stranger);
        assert_eq!(saying("{\"type\":").await.unwrap(), Visitor::Stranger, "half a line is silence");
    }

    #[tokio::test]
    async fn who_speaks_out_of_turn_or_nonsense_is_refused() {
        let error = saying("{\"type\":\"answer\",\"sdp\":\"\"}\n").await.unwrap_err();
        assert!(error.to_string().contains("a hello, a ping or silence"), "{error}");
        assert!(matches!(saying("GET / HTTP/1.1\r\n").await, Err(SignalingError::NotASignal { .. })));
    }
}
