//! The listening side's handshake: an offer, the peer's reply, and the resulting link.
//!
//! An offer to a stranger is withdrawn if the peer turns out to be a Plumb client whose hello came late, or if others
//! need its place.

use tokio::time::{Instant, timeout_at};

use crate::door::lines::{Signaling, SignalingError};
use crate::door::signal::{Introduction, Signal};
use crate::link::Link;

use super::error::{ANSWER_LIMIT, HandshakeError, OpenError};
use super::handshake::{MAX_LINES, opened};
use super::opening::{self, Opening};
use super::plain::MAX_CANDIDATES;
use super::settings::{LinkSettings, PeerKind};

/// An offer that was not sent yet. Its sockets are bound.
pub struct Offer {
    opening: Opening,
    sdp: String,
    peer: PeerKind,
}

/// An offer that was sent to a peer.
pub struct Offered {
    opening: Opening,
    signaling: Signaling,
    peer: PeerKind,
    /// Addresses that arrived before the answer. They can be used only after it.
    early: Vec<String>,
    lines: usize,
    until: Instant,
}

/// The peer's answer to an offer.
#[derive(Debug)]
pub struct Answer {
    sdp: String,
    /// With a token: the peer's proof that the link is its own.
    proof: Option<String>,
}

/// The peer's reply to an offer.
#[derive(Debug)]
pub enum Reply {
    /// An answer, for [`Offered::open`].
    Answer(Answer),
    /// A late hello.
    Hello(Introduction),
}

/// The listening side: offers a link on an accepted signaling connection and waits until it is open.
///
/// If no link opens, a Plumb peer gets the reason.
pub async fn listen(mut signaling: Signaling, settings: &LinkSettings) -> Result<Link, HandshakeError> {
    let offer = match Offer::make(settings).await {
        Ok(offer) => offer,
        Err(error) => return Err(refused_peer(&mut signaling, settings.peer, error.into()).await),
    };
    let mut offered = offer.send(signaling).await?;
    match offered.reply().await? {
        Reply::Answer(answer) => offered.open(answer).await,
        Reply::Hello(hello) => Err(SignalingError::instead("an answer", Signal::Hello(hello)).into()),
    }
}

impl Offer {
    /// Binds sockets and describes them.
    ///
    /// # Errors
    /// [`OpenError::NoPort`] if no port is free, and errors of the crate.
    pub async fn make(settings: &LinkSettings) -> Result<Self, OpenError> {
        let (opening, sdp) = opening::offer(settings).await?;
        Ok(Self { opening, sdp, peer: settings.peer })
    }

    /// Sends the offer to the peer of a signaling connection.
    ///
    /// # Errors
    /// [`SignalingError`] if the connection has failed.
    pub async fn send(self, mut signaling: Signaling) -> Result<Offered, SignalingError> {
        let Self { opening, sdp, peer } = self;
        signaling.send(&Signal::Offer { sdp }).await?;
        let until = Instant::now() + ANSWER_LIMIT;
        Ok(Offered { opening, signaling, peer, early: Vec::new(), lines: 0, until })
    }
}

impl Offered {
    /// Waits for the peer's reply to the offer. Safe to cancel.
    ///
    /// # Errors
    /// [`SignalingError`] if the peer does not reply in time, or replies with something else. A Plumb peer gets the
    /// reason.
    pub async fn reply(&mut self) -> Result<Reply, HandshakeError> {
        let until = self.until;
        let reply = timeout_at(until, self.next_reply()).await;
        let reply = reply.unwrap_or(Err(SignalingError::Silence(ANSWER_LIMIT)));
        match reply {
            Ok(reply) => Ok(reply),
            Err(error) => Err(self.refused(error.into()).await),
        }
    }

    async fn next_reply(&mut self) -> Result<Reply, SignalingError> {
        while self.lines < MAX_LINES {
            let signal = self.signaling.receive().await?;
            self.lines += 1;
            match signal {
                Signal::Answer { sdp, proof } => return Ok(Reply::Answer(Answer { sdp, proof })),
                Signal::Hello(hello) => return Ok(Reply::Hello(hello)),
                Signal::Candidate { candidate } if self.early.len() < MAX_CANDIDATES => self.early.push(candidate),
                Signal::Candidate { .. } => {}
                other => return Err(SignalingError::instead("an answer", other)),
            }
        }
        Err(SignalingError::TooManyLines(MAX_LINES))
    }

    /// Takes the peer's answer and waits until the link is open.
    ///
    /// # Errors
    /// [`HandshakeError`] if no link opens. A Plumb peer gets the reason.
    pub async fn open(mut self, answer: Answer) -> Result<Link, HandshakeError> {
        if let Err(error) = self.opening.accept(answer.sdp, answer.proof.as_deref()).await {
            return Err(self.refused(error.into()).await);
        }
        if let Some(proof) = self.opening.proof() {
            let signature = self.opening.signature();
            self.signaling.send(&Signal::Proof { proof, signature }).await?;
        }
        let candidates = self.opening.candidates();
        for candidate in std::mem::take(&mut self.early) {
            candidates.add(candidate).await;
        }
        let Self { opening, mut signaling, peer, .. } = self;
        match opened(opening, candidates, &mut signaling).await {
            Ok(opened) => Ok(opened.link(signaling)),
            Err(error) => Err(refused_peer(&mut signaling, peer, error).await),
        }
    }

    /// Withdraws the offer. Its sockets are closed when this returns. Replies that still arrive for it must be skipped
    /// by whoever uses the connection next.
    pub async fn take_back(self) -> Signaling {
        self.opening.close().await;
        self.signaling
    }

    async fn refused(&mut self, error: HandshakeError) -> HandshakeError {
        refused_peer(&mut self.signaling, self.peer, error).await
    }
}

/// Sends a Plumb peer the reason why it gets no link, and returns the error.
pub(super) async fn refused_peer(signaling: &mut Signaling, peer: PeerKind, error: HandshakeError) -> HandshakeError {
    if peer == PeerKind::Plumb {
        // A peer that is gone does not receive it.
        let refusal = Signal::Error { reason: error.to_string(), retry: error.may_pass() };
        let _ = signaling.send(&refusal).await;
    }
    error
}
