//! Opening a link over a signaling connection, from either end.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::SockRef;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tracing::debug;

use crate::door::lines::{ANSWER_LIMIT, Signal, Signaling, SignalingError};
use crate::flow::liveness::SILENCE_LIMIT;
use crate::link::Link;
use crate::link::webrtc::{
    self, Candidates, LEAST_MTU, LOOPBACK_MTU, LinkSettings, NETWORK_MTU, OpenError, Opening, PlumbAttribute,
};
use crate::protocol::message::Delivery;

/// Addresses taken of a peer beside those in its description: more than any machine has.
const MAX_CANDIDATES: usize = 64;

/// A TCP segment holds this much more than an SCTP packet may on the same path, in bytes: UDP's header (8) and that of its
/// DTLS record (37) against TCP's (20, more with options). So the smaller packets of a tunnel are known from the
/// signaling connection, whose ends and path have settled on what they take.
const SEGMENT_SURPLUS: u32 = 8 + 37 - 20;

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

/// Waits for an offer, answers it with `settings`, their MTU and delivery as far as the offer agrees, and waits until the
/// link is open.
pub async fn answer(signaling: &mut Signaling, settings: &LinkSettings) -> Result<Link, HandshakeError> {
    let (offer, early) = description(signaling, "an offer").await?;
    let offered = PlumbAttribute::find(&offer);
    let mtu = settings.mtu.and_then(|ours| Some(ours.min(offered?.mtu?)));
    let delivery = if offered.is_some_and(|offered| offered.live) { Delivery::Live } else { Delivery::Reliable };
    let (opening, sdp) = webrtc::answer(&LinkSettings { mtu, delivery, ..settings.clone() }, offer).await?;
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
                Ok(Signal::Error { reason }) => return HandshakeError::from(OpenError::Peer { reason }),
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

/// The SCTP packet size for the path of this signaling connection to a peer that is Plumb's too.
pub fn path_mtu(stream: &TcpStream) -> io::Result<u32> {
    let segment = SockRef::from(stream).tcp_mss().ok();
    Ok(mtu_between(stream.local_addr()?, stream.peer_addr()?, segment))
}

/// The SCTP packet size between these two, whose TCP connection sends segments of this size.
fn mtu_between(local: SocketAddr, peer: SocketAddr, segment: Option<u32>) -> u32 {
    let (local, peer) = (local.ip().to_canonical(), peer.ip().to_canonical());
    // From an address of this machine to itself the kernel goes through the loopback device too.
    if local == peer || (local.is_loopback() && peer.is_loopback()) {
        return LOOPBACK_MTU;
    }
    let held = segment.map_or(NETWORK_MTU, |segment| segment.saturating_sub(SEGMENT_SURPLUS));
    held.clamp(LEAST_MTU, NETWORK_MTU)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn mtu(local: &str, peer: &str, segment: Option<u32>) -> u32 {
        mtu_between(SocketAddr::new(local.parse().unwrap(), 1), SocketAddr::new(peer.parse().unwrap(), 2), segment)
    }

    #[test]
    fn packets_are_large_within_the_machine_and_fit_the_path_elsewhere() {
        assert_eq!(mtu("127.0.0.1", "127.0.0.1", Some(32_768)), 16_000);
        assert_eq!(mtu("::1", "::1", None), 16_000);
        assert_eq!(mtu("10.0.0.1", "10.0.0.1", None), 16_000);
        assert_eq!(mtu("10.0.0.1", "10.0.0.2", Some(1448)), 1400);
        assert_eq!(mtu("10.0.0.1", "10.0.0.2", Some(8948)), 1400, "jumbo frames may end after the first hop");
        // WireGuard's 1420: 1368 with time stamps; 1343 + 37 + 8 + 20 = 1408 bytes in all.
        assert_eq!(mtu("10.0.0.1", "10.0.0.2", Some(1368)), 1343);
        assert_eq!(mtu("fd00::1", "fd00::2", Some(1208)), 1183, "IPv6's least, 1280: 1183 + 37 + 8 + 40 = 1268");
        assert_eq!(mtu("10.0.0.1", "10.0.0.2", Some(0)), LEAST_MTU);
        assert_eq!(mtu("10.0.0.1", "10.0.0.2", None), 1400);
    }
}
