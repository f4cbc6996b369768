//! How far the opening of a link has come, and where it is stuck.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tokio::time::timeout;

/// A step that takes longer than this is logged: on loopback each takes 20 ms, and a lost first DTLS packet costs 1 s.
const STEP_LIMIT: Duration = Duration::from_millis(2_500);

/// How far the opening of a link has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Nothing was heard.
    #[default]
    Begun,
    /// The two ends reach each other (ICE is connected).
    Reached,
    /// The connection is encrypted (DTLS is up). SCTP is next.
    Secured,
}

/// Where a link that does not open is stuck, and what to look at.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Stuck {
    /// ICE found no path.
    #[error("is UDP blocked between the two ends?")]
    NoWay,
    /// DTLS does not complete.
    #[error(
        "the two ends reach each other, but DTLS fails: is the fingerprint in the peer's description that of its certificate?"
    )]
    NoDtls,
    /// The peer claimed a role that the offer does not leave to it.
    #[error(
        "both ends are DTLS clients: an offer of a=setup:active is to be answered with a=setup:passive, as DTLS server"
    )]
    TwoClients,
    /// The peer, as the DTLS client, did not start SCTP.
    #[error("ICE and DTLS are up, but the peer's SCTP is silent: an answer with a=setup:passive would make ours begin")]
    SilentSctp,
    /// The peer, as the offerer, did not start SCTP.
    #[error("ICE and DTLS are up, but the peer's SCTP is silent: an offer with a=setup:passive would make ours begin")]
    SilentOfferer,
    /// The peer's SCTP does not answer ours.
    #[error("ICE and DTLS are up, but the peer's SCTP does not answer")]
    DeafSctp,
}

/// Collects the progress of a link that is being opened.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    step: watch::Sender<Step>,
    /// Whether the peer started DTLS.
    peer_began: Arc<AtomicBool>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { step: watch::Sender::new(Step::Begun), peer_began: Arc::default() }
    }

    /// Notes that this step was reached.
    pub(super) fn reached(&self, step: Step) {
        self.step.send_if_modified(|known| {
            let is_further = step > *known;
            *known = step.max(*known);
            is_further
        });
    }

    /// Whether the two ends reach each other while DTLS is not up yet.
    pub(super) fn has_way(&self) -> bool {
        *self.step.borrow() == Step::Reached
    }

    /// Whether the connection is encrypted.
    pub(super) fn is_secured(&self) -> bool {
        *self.step.borrow() == Step::Secured
    }

    /// Inspects a datagram that arrived, to notice the peer's first DTLS packet: a handshake record (22) with a
    /// ClientHello (1) behind its header of 13 bytes (RFC 6347, 4.1 and 4.2.2).
    pub(super) fn heard(&self, datagram: &[u8]) {
        if datagram.first() == Some(&22) && datagram.get(13) == Some(&1) {
            self.peer_began.store(true, Ordering::Relaxed);
        }
    }

    /// Where the opening is stuck, given whether we are the DTLS client and whether we made the offer.
    pub(super) fn stuck(&self, is_client: bool, offers: bool) -> Stuck {
        match *self.step.borrow() {
            Step::Begun => Stuck::NoWay,
            Step::Reached if is_client && self.peer_began.load(Ordering::Relaxed) => Stuck::TwoClients,
            Step::Reached => Stuck::NoDtls,
            Step::Secured if is_client => Stuck::DeafSctp,
            Step::Secured if offers => Stuck::SilentSctp,
            Step::Secured => Stuck::SilentOfferer,
        }
    }

    /// Waits until a step after the first takes too long.
    pub(super) async fn lags(&self) {
        let mut step = self.step.subscribe();
        let _ = step.wait_for(|step| *step > Step::Begun).await;
        while timeout(STEP_LIMIT, step.changed()).await.is_ok_and(|changed| changed.is_ok()) {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// A DTLS handshake record with a message of this type.
    fn handshake(message: u8) -> Vec<u8> {
        [&[22, 254, 253][..], &[0; 10], &[message, 0, 0]].concat()
    }

    #[test]
    fn a_link_says_at_which_step_it_is_stuck() {
        let progress = Progress::new();
        assert_eq!(progress.stuck(true, true), Stuck::NoWay);
        progress.reached(Step::Reached);
        assert_eq!(progress.stuck(true, true), Stuck::NoDtls);
        progress.reached(Step::Secured);
        progress.reached(Step::Reached);
        let stuck =
            [(true, true), (false, true), (false, false)].map(|(client, offers)| progress.stuck(client, offers));
        assert_eq!(stuck, [Stuck::DeafSctp, Stuck::SilentSctp, Stuck::SilentOfferer]);
    }

    #[test]
    fn a_peer_that_is_a_client_too_is_known_by_its_first_record() {
        let progress = Progress::new();
        progress.reached(Step::Reached);
        for other in [handshake(2), vec![22], vec![], vec![20; 14]] {
            progress.heard(&other);
        }
        assert_eq!(progress.stuck(true, true), Stuck::NoDtls);
        progress.heard(&handshake(1));
        assert_eq!(progress.stuck(true, true), Stuck::TwoClients);
        assert_eq!(progress.stuck(false, true), Stuck::NoDtls, "to a server its client begins");
    }

    #[tokio::test(start_paused = true)]
    async fn the_step_that_lags_is_reported_within_three_seconds_of_the_last_step() {
        let (progress, start) = (Progress::new(), Instant::now());
        let other = progress.clone();
        tokio::spawn(async move {
            for (after, step) in [(4, Step::Reached), (2, Step::Secured)] {
                tokio::time::sleep(Duration::from_secs(after)).await;
                other.reached(step);
            }
        });
        progress.lags().await;
        assert_eq!(start.elapsed(), Duration::from_millis(8_500));
    }
}
