//! Opening a link over a signaling connection, from either end.

use std::net::{IpAddr, SocketAddr};

use thiserror::Error;
use tokio::time::sleep;
use tracing::debug;

use crate::flow::liveness::SILENCE_LIMIT;
use crate::link::Link;
use crate::link::signaling::{ANSWER_LIMIT, Signal, Signaling, SignalingError};
use crate::link::webrtc::{self, Candidates, LOOPBACK_MTU, LinkSettings, OpenError, Opening, PlumbAttribute};

/// Addresses taken of a peer beside those in its description: more than any machine has.
const MAX_CANDIDATES: usize = 64;

/// Why no link came of a signaling connection.
#[derive(Debug, Error)]
pub enum HandshakeError {
    /// Signaling failed.
    #[error(transparent)]
    Signaling(#[from] SignalingError),
    /// The lanes did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Offers a link and waits until it is open.
pub async fn offer(signaling: &mut Signaling, settings: &LinkSettings) -> Result<Link, HandshakeError> {
    let (mut opening, sdp) = webrtc::offer(settings).await?;
    let candidates = opening.candidates();
    signaling.send(&Signal::Offer { sdp }).await?;
    let (answer, early) = description(signaling, "an answer").await?;
    opening.accept(answer).await?;
    for candidate in early {
        candidates.add(candidate).await;
    }
    opened(opening, candidates, signaling).await
}

/// Waits for an offer, answers it with `settings` for its MTU, and waits until the link is open.
pub async fn answer(signaling: &mut Signaling, settings: &LinkSettings) -> Result<Link, HandshakeError> {
    let (offer, early) = description(signaling, "an offer").await?;
    let offered = PlumbAttribute::find(&offer).and_then(|attribute| attribute.mtu);
    let mtu = settings.mtu.and_then(|ours| Some(ours.min(offered?)));
    let (opening, sdp) = webrtc::answer(&LinkSettings { mtu, ..settings.clone() }, offer).await?;
    let candidates = opening.candidates();
    for candidate in early {
        candidates.add(candidate).await;
    }
    signaling.send(&Signal::Answer { sdp }).await?;
    opened(opening, candidates, signaling).await
}

/// Waits for the peer's description; addresses that come before it are kept, as they can be used only after it.
async fn description(
    signaling: &mut Signaling,
    expected: &'static str,
) -> Result<(String, Vec<String>), SignalingError> {
    let wait = async {
        let mut early = Vec::new();
        loop {
            match signaling.receive().await? {
                Signal::Offer { sdp } if expected == "an offer" => return Ok((sdp, early)),
                Signal::Answer { sdp } if expected == "an answer" => return Ok((sdp, early)),
                Signal::Candidate { candidate } if early.len() < MAX_CANDIDATES => early.push(candidate),
                Signal::Candidate { .. } => {}
                Signal::Error { reason } => return Err(SignalingError::Refused(reason)),
                other => return Err(unexpected(expected, &other)),
            }
        }
    };
    tokio::time::timeout(ANSWER_LIMIT, wait).await.unwrap_or(Err(SignalingError::Silence(ANSWER_LIMIT)))
}

/// Waits for the lanes while further addresses may come.
async fn opened(opening: Opening, candidates: Candidates, signaling: &mut Signaling) -> Result<Link, HandshakeError> {
    let trickle = async {
        let mut taken = 0;
        loop {
            match signaling.receive().await {
                Ok(Signal::Candidate { candidate }) if taken < MAX_CANDIDATES => {
                    taken += 1;
                    candidates.add(candidate).await;
                }
                Ok(Signal::Bye {}) => return HandshakeError::from(OpenError::Closed),
                Ok(other) => debug!("ignoring {other:?} while the link opens"),
                Err(SignalingError::NotASignal { .. }) => {}
                // An early end of signaling is a hint, not the end: a peer still there is heard within this.
                Err(SignalingError::Closed | SignalingError::Io(_)) => {
                    sleep(SILENCE_LIMIT).await;
                    return HandshakeError::from(OpenError::Closed);
                }
                Err(_) => std::future::pending().await,
            }
        }
    };
    tokio::select! {
        link = opening.opened() => Ok(link?),
        error = trickle => Err(error),
    }
}

/// The addresses to bind for a peer reached over a TCP connection between these two: the local one; and where that is
/// loopback one more, for peers that gather none on loopback (aiortc) or sit behind a proxy (a published port).
pub fn local_addresses(local: SocketAddr) -> Vec<IpAddr> {
    let local = local.ip().to_canonical();
    let other = if local.is_loopback() { other_address(local.is_ipv4()) } else { None };
    [Some(local), other].into_iter().flatten().collect()
}

/// The SCTP packet size for a path between these two that both ends know to be Plumb's.
pub fn path_mtu(local: SocketAddr, peer: SocketAddr) -> Option<u32> {
    let (local, peer) = (local.ip().to_canonical(), peer.ip().to_canonical());
    // From an address of this machine to itself the kernel goes through the loopback device too.
    let on_this_machine = local == peer || (local.is_loopback() && peer.is_loopback());
    on_this_machine.then_some(LOOPBACK_MTU)
}

fn other_address(v4: bool) -> Option<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    let usable = |address: &IpAddr| address.is_ipv4() == v4 && !address.is_loopback() && !is_link_local(*address);
    interfaces.into_iter().map(|interface| interface.ip()).find(usable)
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn unexpected(expected: &'static str, got: &Signal) -> SignalingError {
    let mut got = format!("{got:?}");
    got.truncate(got.char_indices().nth(60).map_or(got.len(), |(at, _)| at));
    SignalingError::Unexpected { expected, got }
}
