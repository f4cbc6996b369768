//! The signaling connection while a link is open. It carries `bye`, and its end hints that the peer has left.

use std::sync::{Mutex, PoisonError};

use crate::door::lines::{LineReader, LineWriter};
use crate::door::signal::Signal;
use crate::link::LinkEvent;

/// Waits for the connection to end, or for the peer's `bye` on it.
pub(super) async fn peer_may_be_gone(mut reader: LineReader) -> LinkEvent {
    match reader.ended().await {
        Some(reason) => LinkEvent::PeerLeaves(reason),
        None => LinkEvent::PeerMayBeGone,
    }
}

/// A `bye` that is sent once.
pub(super) struct Farewell(Mutex<Option<LineWriter>>);

impl Farewell {
    /// A farewell to send on this connection.
    pub(super) fn new(writer: LineWriter) -> Self {
        Self(Mutex::new(Some(writer)))
    }

    /// Sends `bye`, unless it was sent before. A peer that is gone does not receive it.
    pub(super) async fn say(&self, reason: Option<&str>) {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut writer) = writer {
            let _ = writer.send(&Signal::Bye { reason: reason.map(str::to_owned) }).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::door::lines::Signaling;

    async fn pair() -> (Signaling, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (ours, theirs) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (Signaling::new(ours.unwrap()), theirs.unwrap().0)
    }

    #[tokio::test]
    async fn bye_is_said_once() {
        let (ours, mut theirs) = pair().await;
        let (_reader, writer) = ours.split();
        let farewell = Farewell::new(writer);
        farewell.say(None).await;
        farewell.say(Some("again")).await;
        let mut said = String::new();
        theirs.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "{\"type\":\"bye\"}\n");
    }

    #[tokio::test]
    async fn a_bye_with_a_reason_is_the_peers_last_word() {
        let (ours, theirs) = pair().await;
        Farewell::new(Signaling::new(theirs).split().1).say(Some("finished")).await;
        let (reader, _writer) = ours.split();
        assert!(matches!(peer_may_be_gone(reader).await, LinkEvent::PeerLeaves(reason) if reason == "finished"));
    }

    #[tokio::test]
    async fn a_connection_that_ends_without_a_word_is_a_hint() {
        let (ours, theirs) = pair().await;
        let (reader, _writer) = ours.split();
        drop(theirs);
        assert!(matches!(peer_may_be_gone(reader).await, LinkEvent::PeerMayBeGone));
    }
}
