//! Signs of life from a silent peer: its link acknowledges what is sent to it.

use super::{Lane, LinkSender};

/// Watches for acknowledgements between one check and the next.
#[derive(Debug)]
pub struct Signs {
    lanes: &'static [Lane],
    acknowledged: Option<u64>,
}

impl Signs {
    /// Watches these lanes. They must be reliable: on an unreliable lane, lost bytes look acknowledged.
    pub fn on(lanes: &'static [Lane]) -> Self {
        Self { lanes, acknowledged: None }
    }

    /// Whether the peer has acknowledged anything since the last check. Checks only while `is_silent`.
    pub async fn look(&mut self, sender: &LinkSender, is_silent: bool) -> bool {
        if !is_silent {
            self.acknowledged = None;
            return false;
        }
        let acknowledged = sender.acknowledged(self.lanes).await;
        self.acknowledged.replace(acknowledged).is_some_and(|before| acknowledged > before)
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::link::memory;

    #[tokio::test]
    async fn only_a_peer_that_receives_messages_gives_signs_of_life() {
        let (mut listener, dialer) = memory::endpoint();
        let link = dialer.dial().unwrap();
        let mut peer = listener.accept().await.unwrap();
        let (sender, mut signs) = (link.sender(), Signs::on(&[Lane::Control]));
        for _ in 0..2 {
            sender.send(Lane::Control, BytesMut::from(&b"ping"[..])).await.unwrap();
        }
        assert!(!signs.look(&sender, true).await, "nothing to compare with");
        assert!(!signs.look(&sender, true).await);
        peer.next().await;
        assert!(signs.look(&sender, true).await);
        assert!(!signs.look(&sender, true).await);
        peer.next().await;
        assert!(!signs.look(&sender, false).await, "it was heard meanwhile");
        assert!(!signs.look(&sender, true).await);
    }
}
