//! The dialling side's handshake, and the part that both sides share once an offer is answered.

use tokio::time::{sleep, timeout};
use tracing::debug;

use crate::door::lines::{Signaling, SignalingError};
use crate::door::signal::Signal;
use crate::flow::liveness::SILENCE_LIMIT;
use crate::link::Link;
use crate::protocol::message::Delivery;

use super::candidates::Candidates;
use super::description::PlumbAttribute;
use super::error::{ANSWER_LIMIT, HandshakeError, OpenError};
use super::offering::refused_peer;
use super::opening::{self, Opened, Opening};
use super::plain::MAX_CANDIDATES;
use super::settings::{LinkSettings, PeerKind};

/// Maximum number of lines before a description: its candidates may come first, and the same number again.
pub(super) const MAX_LINES: usize = 2 * MAX_CANDIDATES + 1;

/// Maximum number of lines ignored while a link opens. Later lines are not read.
const MAX_IGNORED: usize = 256;

/// Maximum number of offers taken from a peer on one connection: one for a stranger, one in reply to our hello, and one
/// to spare.
const MAX_OFFERS: usize = 3;

/// The dialling side: waits for an offer, answers it with `settings` (MTU and delivery only as far as the offer
/// agrees), and waits until the link is open.
///
/// If no link comes about, a Plumb peer is sent the reason, and whether a later attempt may succeed. Any other peer is sent
/// `bye`. Otherwise the peer would still wait for this attempt when the next one starts.
pub async fn dial(mut signaling: Signaling, settings: &LinkSettings) -> Result<Link, HandshakeError> {
    match answer(&mut signaling, settings).await {
        Ok(opened) => Ok(opened.link(signaling)),
        Err(error) => {
            if settings.peer == PeerKind::Stranger {
                // A peer that is gone does not receive it.
                let _ = signaling.send(&Signal::GOODBYE).await;
            }
            Err(refused_peer(&mut signaling, settings.peer, error).await)
        }
    }
}

async fn answer(signaling: &mut Signaling, settings: &LinkSettings) -> Result<Opened, HandshakeError> {
    let (mut offer, mut early) = offered(signaling).await?;
    for _ in 0..MAX_OFFERS {
        if PlumbAttribute::find(&offer).is_some_and(|offered| offered.is_stranger) {
            debug!("ignoring an offer for a stranger: our hello came late, and gets another offer");
            (offer, early) = offered(signaling).await?;
            continue;
        }
        match answer_one(signaling, settings, offer, early).await? {
            Answered::Open(opened) => return Ok(opened),
            Answered::Another(sdp) => (offer, early) = (sdp, Vec::new()),
        }
    }
    Err(SignalingError::WrongPeer(format!("it sent more than {MAX_OFFERS} offers, each in place of the last one"))
        .into())
}

/// The result of an answer.
enum Answered {
    Open(Opened),
    /// The peer sent a new offer, which replaces the last one.
    Another(String),
}

async fn answer_one(
    signaling: &mut Signaling,
    settings: &LinkSettings,
    offer: String,
    early: Vec<String>,
) -> Result<Answered, HandshakeError> {
    let offered = PlumbAttribute::find(&offer);
    let mtu = settings.mtu.and_then(|ours| Some(ours.min(offered?.mtu?)));
    let delivery = if offered.is_some_and(|offered| offered.live) { Delivery::Live } else { Delivery::Reliable };
    let (opening, sdp) = opening::answer(&LinkSettings { mtu, delivery, ..settings.clone() }, offer).await?;
    let candidates = opening.candidates();
    for candidate in early {
        candidates.add(candidate).await;
    }
    let proof = opening.proof();
    let is_proved = proof.is_some();
    signaling.send(&Signal::Answer { sdp, proof }).await?;
    if is_proved
        && let Some(another) = timeout(ANSWER_LIMIT, proved(&opening, &candidates, signaling))
            .await
            .unwrap_or(Err(SignalingError::Silence(ANSWER_LIMIT).into()))?
    {
        return Ok(Answered::Another(another));
    }
    tokio::select! {
        opened = opening.opened() => Ok(Answered::Open(opened?)),
        another = trickle(candidates, signaling) => another.map(Answered::Another),
    }
}

/// Waits for the source's proof that this link is its own. Returns its next offer, if it sends one instead.
async fn proved(
    opening: &Opening,
    candidates: &Candidates,
    signaling: &mut Signaling,
) -> Result<Option<String>, HandshakeError> {
    for taken in 0..MAX_LINES {
        match signaling.receive().await? {
            Signal::Proof { proof, signature } => {
                return Ok(opening.check(Some(&proof), signature.as_deref()).map(|()| None)?);
            }
            Signal::Candidate { candidate } if taken < MAX_CANDIDATES => candidates.add(candidate).await,
            Signal::Candidate { .. } => {}
            Signal::Offer { sdp } => return Ok(Some(sdp)),
            other => return Err(SignalingError::instead("a proof", other).into()),
        }
    }
    Err(SignalingError::TooManyLines(MAX_LINES).into())
}

/// Waits for the peer's offer. Addresses that arrive before it are kept, because they can be used only after it.
async fn offered(signaling: &mut Signaling) -> Result<(String, Vec<String>), SignalingError> {
    let wait = async {
        let mut early = Vec::new();
        for _ in 0..MAX_LINES {
            match signaling.receive().await? {
                Signal::Offer { sdp } => return Ok((sdp, early)),
                Signal::Candidate { candidate } if early.len() < MAX_CANDIDATES => early.push(candidate),
                Signal::Candidate { .. } => {}
                other => return Err(SignalingError::instead("an offer", other)),
            }
        }
        Err(SignalingError::TooManyLines(MAX_LINES))
    };
    tokio::time::timeout(ANSWER_LIMIT, wait).await.unwrap_or(Err(SignalingError::Silence(ANSWER_LIMIT)))
}

/// Waits for the lanes to open. Takes further addresses meanwhile.
pub(super) async fn opened(
    opening: Opening,
    candidates: Candidates,
    signaling: &mut Signaling,
) -> Result<Opened, HandshakeError> {
    tokio::select! {
        opened = opening.opened() => Ok(opened?),
        another = trickle(candidates, signaling) => {
            another.and_then(|_| Err(SignalingError::WrongPeer("it sent an offer after its answer to ours".into()).into()))
        }
    }
}

/// Takes further addresses until the peer gives up or sends a new offer.
async fn trickle(candidates: Candidates, signaling: &mut Signaling) -> Result<String, HandshakeError> {
    let mut taken = 0;
    for _ in 0..MAX_IGNORED {
        match signaling.receive().await {
            Ok(Signal::Candidate { candidate }) if taken < MAX_CANDIDATES => {
                taken += 1;
                candidates.add(candidate).await;
            }
            Ok(Signal::Offer { sdp }) => return Ok(sdp),
            Ok(Signal::Bye { .. }) => return Err(OpenError::Closed.into()),
            Ok(Signal::Error { reason, .. }) => return Err(OpenError::Peer { reason }.into()),
            Ok(other) => debug!("ignoring \"{}\" while the link opens", other.name()),
            Err(SignalingError::NotASignal { .. }) => {}
            // An early end of signaling is only a hint: a peer that is still there is heard within this time.
            Err(SignalingError::Closed | SignalingError::Io(_)) => {
                sleep(SILENCE_LIMIT).await;
                return Err(OpenError::Closed.into());
            }
            Err(_) => break,
        }
    }
    std::future::pending().await
}
