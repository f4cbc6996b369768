//! Signs of life from a silent peer: its link acknowledges what is sent to it.

use super::{Lane, LinkSender};
use crate::flow::liveness::Silence;

/// Watches for acknowledgements between one check and the next.
///
/// Over TCP the peer's kernel acknowledges until its buffer is full, even if the program is stopped. A program that
/// runs answers pings. So once the kernel has a ping, acknowledgements do not count until a message comes. While the
/// ping still waits behind frames on a slow link, they count.
#[derive(Debug)]
pub struct Signs {
    lanes: &'static [Lane],
    acknowledged: Option<u64>,
    question: Question,
}

/// A ping to a peer whose kernel acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// None was sent since the peer's last message.
    None,
    /// It is among these first bytes of the control lane.
    Sent(u64),
    /// The peer's kernel has it.
    Received,
}

impl Signs {
    /// Watches these lanes. They must be reliable: on an unreliable lane, lost bytes look acknowledged.
    pub fn on(lanes: &'static [Lane]) -> Self {
        Self { lanes, acknowledged: None, question: Question::None }
    }

    /// Whether the peer has acknowledged anything since the last check, as a sign of life. Must be called after each
    /// message of the peer and after each ping to it, however short the silence is.
    pub async fn look(&mut self, sender: &LinkSender, silence: Silence) -> bool {
        let owes_answer = self.question == Question::Received;
        self.question = self.question_now(sender, silence).await;
        if !silence.is_long {
            self.acknowledged = None;
            return false;
        }
        let acknowledged = sender.acknowledged(self.lanes).await;
        let has_more = self.acknowledged.replace(acknowledged).is_some_and(|before| acknowledged > before);
        has_more && !owes_answer
    }

    async fn question_now(&self, sender: &LinkSender, silence: Silence) -> Question {
        if !silence.is_asked || !sender.kernel_acknowledges() {
            return Question::None;
        }
        let bytes = match self.question {
            Question::Received => return Question::Received,
            Question::Sent(bytes) => bytes,
            Question::None => sender.sent(Lane::Control),
        };
        let is_received = sender.acknowledged(&[Lane::Control]).await >= bytes;
        if is_received { Question::Received } else { Question::Sent(bytes) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use bytes::BytesMut;
    use futures_util::stream;

    use super::*;
    use crate::link::{Lanes, Link, LinkClosed, memory};

    const LONG: Silence = Silence { is_long: true, is_asked: false };
    const ASKED: Silence = Silence { is_long: false, is_asked: true };
    const BOTH: Silence = Silence { is_long: true, is_asked: true };

    #[tokio::test]
    async fn only_a_peer_that_receives_messages_gives_signs_of_life() {
        let (mut listener, dialer) = memory::endpoint();
        let link = dialer.dial().unwrap();
        let mut peer = listener.accept().await.unwrap();
        let (sender, mut signs) = (link.sender(), Signs::on(&[Lane::Control]));
        for _ in 0..2 {
            sender.send(Lane::Control, BytesMut::from(&b"ping"[..])).await.unwrap();
        }
        assert!(!signs.look(&sender, LONG).await, "nothing to compare with");
        assert!(!signs.look(&sender, BOTH).await);
        peer.next().await;
        assert!(signs.look(&sender, BOTH).await, "here it is the peer that takes a message");
        assert!(!signs.look(&sender, BOTH).await);
        peer.next().await;
        assert!(!signs.look(&sender, Silence::default()).await, "it was heard meanwhile");
        assert!(!signs.look(&sender, LONG).await);
    }

    /// Lanes of which a kernel has acknowledged all but some last bytes. Each counts for itself.
    #[derive(Default)]
    struct Kernel([AtomicUsize; Lane::ALL.len()]);

    #[async_trait]
    impl Lanes for Kernel {
        async fn send(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed> {
            self.0[lane as usize].fetch_add(message.len(), Ordering::Relaxed);
            Ok(())
        }

        async fn try_send(&self, lane: Lane, message: BytesMut) -> Result<bool, LinkClosed> {
            self.send(lane, message).await.map(|()| true)
        }

        async fn buffered(&self, lane: Lane) -> usize {
            self.0[lane as usize].load(Ordering::Relaxed)
        }

        fn kernel_acknowledges(&self) -> bool {
            true
        }

        async fn close(&self) {}
    }

    /// A link to a peer that a kernel speaks for, and signs of that peer.
    struct Watched {
        kernel: Arc<Kernel>,
        sender: LinkSender,
        signs: Signs,
    }

    impl Watched {
        fn new() -> Self {
            let kernel = Arc::new(Kernel::default());
            let sender = Link::new(kernel.clone(), stream::empty(), 100).sender();
            Self { kernel, sender, signs: Signs::on(&[Lane::Control, Lane::Frames]) }
        }

        async fn sends(&self, lane: Lane, bytes: usize) {
            self.sender.send(lane, BytesMut::zeroed(bytes)).await.unwrap();
        }

        fn kernel_takes(&self, lane: Lane, bytes: usize) {
            self.kernel.0[lane as usize].fetch_sub(bytes, Ordering::Relaxed);
        }

        async fn look(&mut self, silence: Silence) -> bool {
            self.signs.look(&self.sender, silence).await
        }
    }

    #[tokio::test]
    async fn a_kernel_that_has_a_ping_gives_no_more_signs_of_life_until_a_message_comes() {
        let mut watched = Watched::new();
        watched.sends(Lane::Control, 10).await;
        watched.kernel_takes(Lane::Control, 10);
        assert!(!watched.look(ASKED).await);
        for _ in 0..3 {
            watched.sends(Lane::Control, 10).await;
            watched.sends(Lane::Frames, 1000).await;
            assert!(!watched.look(BOTH).await);
            watched.kernel_takes(Lane::Frames, 500);
            watched.kernel_takes(Lane::Control, 10);
            assert!(!watched.look(BOTH).await, "its buffer takes more, but nobody answers the ping");
        }
        assert!(!watched.look(Silence::default()).await, "a message came");
        assert!(!watched.look(LONG).await);
        watched.kernel_takes(Lane::Frames, 500);
        assert!(watched.look(LONG).await, "there was no ping since");
    }

    #[tokio::test]
    async fn a_kernel_that_takes_frames_before_a_ping_shows_that_a_slow_link_works() {
        let mut watched = Watched::new();
        watched.sends(Lane::Frames, 1000).await;
        watched.sends(Lane::Control, 10).await;
        assert!(!watched.look(ASKED).await);
        // Later pings change nothing.
        watched.sends(Lane::Control, 10).await;
        assert!(!watched.look(BOTH).await, "nothing to compare with");
        for _ in 0..3 {
            watched.kernel_takes(Lane::Frames, 300);
            assert!(watched.look(BOTH).await);
            assert!(!watched.look(BOTH).await, "nothing more");
        }
        watched.kernel_takes(Lane::Control, 10);
        assert!(watched.look(BOTH).await, "it has the first ping only now");
        watched.kernel_takes(Lane::Control, 10);
        assert!(!watched.look(BOTH).await);
    }
}
