//! A link on its way to be opened: descriptions are made and taken, then its lanes are waited for.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use webrtc::peer_connection::{PeerConnectionBuilder, RTCSessionDescription};

use crate::door::lines::Signaling;
use crate::link::{Lane, Link, MESSAGE_SIZE};
use crate::protocol::message::Delivery;

use super::candidates::Candidates;
use super::description::{PlumbAttribute, advertised, peer_message_size};
use super::engine::setting_engine;
use super::error::{OPENING_LIMIT, OpenError};
use super::lanes::{OpenLanes, OpeningLanes};
use super::mtu::CRATE_MTU;
use super::peer::{Handler, Peer};
use super::port::PortLease;
use super::progress::Progress;
use super::runtime::LinkRuntime;
use super::settings::{LinkSettings, PeerKind};

/// A link on its way to be opened.
pub(super) struct Opening {
    runtime: Arc<LinkRuntime>,
    lanes: OpeningLanes,
    progress: Progress,
    /// What we would send, in bytes.
    largest_message: usize,
    /// What the peer takes, in bytes.
    max_message_size: usize,
}

/// A link that is open but for the connection that stays beside it.
pub(super) struct Opened {
    lanes: OpenLanes,
    max_message_size: usize,
}

/// Makes an offer with three lanes. Answer it with [`Opening::accept`].
pub(super) async fn offer(settings: &LinkSettings) -> Result<(Opening, String), OpenError> {
    let (mut opening, gathered) = Opening::build(settings).await?;
    let connection = opening.lanes.peer.connection.clone();
    for lane in Lane::ALL {
        let channel = connection.create_data_channel(lane.label(), settings.channel(lane)).await?;
        opening.lanes.made.push((lane, channel));
    }
    let offer = connection.create_offer(None).await?;
    let sdp = advertised(opening.describe(offer, gathered).await?, settings.advertise);
    let is_stranger = settings.peer == PeerKind::Stranger;
    let attribute = PlumbAttribute { mtu: settings.mtu, live: settings.delivery == Delivery::Live, is_stranger };
    Ok((opening, attribute.insert(&sdp)))
}

/// Answers an offer.
pub(super) async fn answer(settings: &LinkSettings, offer: String) -> Result<(Opening, String), OpenError> {
    let (mut opening, gathered) = Opening::build(settings).await?;
    opening.max_message_size = peer_message_size(&offer);
    let connection = opening.lanes.peer.connection.clone();
    connection.set_remote_description(RTCSessionDescription::offer(offer)?).await?;
    let answer = connection.create_answer(None).await?;
    let sdp = advertised(opening.describe(answer, gathered).await?, settings.advertise);
    Ok((opening, sdp))
}

impl Opening {
    async fn build(settings: &LinkSettings) -> Result<(Self, watch::Receiver<bool>), OpenError> {
        let runtime = LinkRuntime::new(settings.pace(), settings.packet_size().unwrap_or(CRATE_MTU));
        let (gathered_tx, gathered) = watch::channel(false);
        let (incoming_tx, incoming) = mpsc::channel(Lane::ALL.len());
        let port = settings.ports.as_ref().map(|ports| PortLease::take(ports, &settings.addresses)).transpose()?;
        let bound = |&address: &IpAddr| SocketAddr::new(address, port.as_ref().map_or(0, PortLease::port));
        let addresses: Vec<_> = settings.addresses.iter().map(bound).collect();
        let progress = Progress::default();
        let connection = PeerConnectionBuilder::new()
            .with_runtime(runtime.clone())
            .with_handler(Arc::new(Handler {
                gathered: gathered_tx,
                incoming: incoming_tx,
                progress: progress.clone(),
            }))
            .with_setting_engine(setting_engine(settings))
            .with_data_channel_send_buffer_limit(settings.send_buffer())
            .with_udp_addrs(addresses.clone())
            .build()
            .await
            .map_err(|error| no_socket(&addresses).unwrap_or(OpenError::WebRtc(error)))?;
        let peer = Arc::new(Peer::new(Arc::new(connection), port));
        let lanes = OpeningLanes { peer, made: Vec::new(), incoming, live_answers: settings.channel(Lane::Answers) };
        let largest_message = settings.message_size();
        Ok((Self { runtime, lanes, progress, largest_message, max_message_size: MESSAGE_SIZE }, gathered))
    }

    /// Applies our description and waits until it names all our addresses.
    async fn describe(
        &self,
        description: RTCSessionDescription,
        mut gathered: watch::Receiver<bool>,
    ) -> Result<String, OpenError> {
        let connection = &self.lanes.peer.connection;
        connection.set_local_description(description).await?;
        let wait = gathered.wait_for(|gathered| *gathered);
        let _ = tokio::time::timeout(OPENING_LIMIT, wait).await.map_err(|_| OpenError::NoDescription)?;
        Ok(connection.local_description().await.ok_or(OpenError::NoDescription)?.sdp)
    }

    /// Applies the peer's answer to our offer.
    pub(super) async fn accept(&mut self, answer: String) -> Result<(), OpenError> {
        self.max_message_size = peer_message_size(&answer);
        let answer = RTCSessionDescription::answer(answer)?;
        Ok(self.lanes.peer.connection.set_remote_description(answer).await?)
    }

    /// Takes further addresses of the peer, also while the lanes open.
    pub(super) fn candidates(&self) -> Candidates {
        Candidates(self.lanes.peer.clone())
    }

    /// Waits until all three lanes are open.
    pub(super) async fn opened(self) -> Result<Opened, OpenError> {
        let opened = tokio::time::timeout(OPENING_LIMIT, self.lanes.opened()).await;
        self.runtime.opened();
        let lanes = opened.map_err(|_| self.progress.too_late())?.map_err(|error| self.progress.failed(error))?;
        Ok(Opened { lanes, max_message_size: self.max_message_size.min(self.largest_message) })
    }
}

impl Opened {
    /// The link, with the connection that stays beside it.
    pub(super) fn link(self, signaling: Signaling) -> Link {
        self.lanes.link(signaling, self.max_message_size)
    }
}

/// Why the system gives no socket at any of these, where it is that: the crate says only that it has none.
fn no_socket(addresses: &[SocketAddr]) -> Option<OpenError> {
    let refused =
        |&address: &SocketAddr| UdpSocket::bind(address).err().map(|error| OpenError::NoSocket { address, error });
    addresses.iter().map(refused).collect::<Option<Vec<_>>>()?.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_of_another_machine_is_told_as_what_it_is() {
        let settings = LinkSettings { addresses: vec![[192, 0, 2, 7].into()], ..Default::default() };
        let error = offer(&settings).await.err().expect("no socket").to_string();
        assert!(error.starts_with("cannot open a UDP socket at 192.0.2.7:0: "), "{error}");
    }

    #[tokio::test]
    async fn candidates_name_the_advertised_address_and_the_bound_port() {
        let advertise = Some([192, 0, 2, 7].into());
        let settings = LinkSettings { addresses: vec![[127, 0, 0, 1].into()], advertise, ..Default::default() };
        let (_opening, offer) = offer(&settings).await.unwrap();
        let candidates: Vec<_> = offer.lines().filter(|line| line.starts_with("a=candidate:")).collect();
        assert!(!candidates.is_empty());
        assert!(candidates.iter().all(|line| line.contains(" 192.0.2.7 ")), "{offer}");
        assert!(!offer.contains("127.0.0.1"), "{offer}");
        assert_eq!(advertised(offer.clone(), None), offer);
    }
}
