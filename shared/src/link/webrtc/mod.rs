//! Links over WebRTC data channels.
//!
//! The offerer makes the three channels. Host candidates only, all in the description: no STUN, no trickle.
//!
//! What a Plumb peer needs to know beside standard SDP stands in one session-level attribute of the offer,
//! `a=x-plumb:1 mtu=16000`, which strangers ignore ([`PlumbAttribute`]). [`LinkSettings`] sizes packets and buffers.

mod description;
mod port;
mod settings;

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use futures_util::stream::{self, BoxStream, StreamExt};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::transport::RTCDtlsRole;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tracing::debug;
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit, RTCIceGatheringState,
    RTCSessionDescription, SettingEngine, SettingEngineBuilder,
};

use crate::link::socket::{self, LinkRuntime};
use crate::link::{Lane, Lanes, Link, LinkClosed, LinkEvent, MESSAGE_SIZE};
use crate::protocol::message::Delivery;

use description::{advertised, peer_message_size};
use port::PortLease;

pub use description::PlumbAttribute;
use settings::CRATE_MTU;
pub use settings::{LEAST_MTU, LOOPBACK_MTU, LinkSettings, NETWORK_MTU, PeerKind, parse_mtu, sound_mtu};

/// How long an end waits for the lanes to open before it gives up.
pub const OPENING_LIMIT: Duration = Duration::from_secs(10);

/// Between two ICE connection attempts; the crate's 200 ms would be most of the time to open.
const ICE_ATTEMPT_INTERVAL: Duration = Duration::from_millis(10);

/// Attempts for each candidate: with the interval above, the 10 s that [`OPENING_LIMIT`] allows.
const ICE_ATTEMPTS: u16 = 1_000;

/// A connection silent for so long counts as disconnected, then for so long more as failed; and how often ICE shows that
/// it is there. The crate's own figures: liveness is the session's business.
const ICE_DISCONNECTED: Duration = Duration::from_secs(5);
const ICE_FAILED: Duration = Duration::from_secs(25);
const ICE_KEEPALIVE: Duration = Duration::from_secs(2);

/// Why a link did not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The crate refused.
    #[error("WebRTC: {0}")]
    WebRtc(#[from] webrtc::error::Error),
    /// None of the ports is free.
    #[error("no free UDP port in {}-{}", .ports.start(), .ports.end())]
    NoPort {
        /// Which were tried.
        ports: RangeInclusive<u16>,
    },
    /// No description came of gathering.
    #[error("WebRTC: no local description after gathering addresses")]
    NoDescription,
    /// The peer's lanes did not open in time.
    #[error("the data channels did not open within {} s: is UDP blocked between the two ends?", OPENING_LIMIT.as_secs())]
    Timeout,
    /// The peer closed while opening.
    #[error("the peer closed the connection while it opened")]
    Closed,
    /// ICE, DTLS or SCTP gave up: they repeat what is lost, but not for ever.
    #[error("the data channels did not open: too many packets were lost, or the peer is gone")]
    GaveUp,
    /// The peer gave up first.
    #[error("the peer could not open it: {reason}")]
    Peer {
        /// What it says.
        reason: String,
    },
}

impl OpenError {
    /// Whether another attempt may succeed with a peer that is still there: a network that loses many packets lets one of
    /// several through.
    pub fn is_worth_another_attempt(&self) -> bool {
        matches!(self, Self::Timeout | Self::GaveUp | Self::Peer { .. })
    }
}

/// A link on its way to be opened.
pub struct Opening {
    peer: Arc<Peer>,
    runtime: Arc<LinkRuntime>,
    /// The offerer's own channels.
    made: Vec<(Lane, Arc<dyn DataChannel>)>,
    /// The answerer's, as they come.
    incoming: mpsc::Receiver<Arc<dyn DataChannel>>,
    /// What we would send.
    largest_message: usize,
    /// What the peer takes.
    max_message_size: usize,
    is_live: bool,
    /// In live delivery, how a channel for answers delivers.
    live_answers: Option<RTCDataChannelInit>,
}

/// Makes an offer with three lanes. Answer it with [`Opening::accept`].
pub async fn offer(settings: &LinkSettings) -> Result<(Opening, String), OpenError> {
    let (mut opening, gathered) = Opening::build(settings).await?;
    for lane in Lane::ALL {
        let channel = opening.peer.0.create_data_channel(lane.label(), settings.channel(lane)).await?;
        opening.made.push((lane, channel));
    }
    let offer = opening.peer.0.create_offer(None).await?;
    let sdp = advertised(opening.describe(offer, gathered).await?, settings.advertise);
    let attribute = PlumbAttribute { mtu: settings.mtu, live: settings.delivery == Delivery::Live };
    Ok((opening, attribute.insert(&sdp)))
}

/// Answers an offer.
pub async fn answer(settings: &LinkSettings, offer: String) -> Result<(Opening, String), OpenError> {
    let (mut opening, gathered) = Opening::build(settings).await?;
    opening.max_message_size = peer_message_size(&offer);
    opening.peer.0.set_remote_description(RTCSessionDescription::offer(offer)?).await?;
    let answer = opening.peer.0.create_answer(None).await?;
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
        let peer = PeerConnectionBuilder::new()
            .with_runtime(runtime.clone())
            .with_handler(Arc::new(Handler { gathered: gathered_tx, incoming: incoming_tx }))
            .with_setting_engine(setting_engine(settings))
            .with_data_channel_send_buffer_limit(settings.send_buffer())
            .with_udp_addrs(settings.addresses.iter().map(bound).collect())
            .build()
            .await?;
        let peer = Arc::new(Peer(Arc::new(peer), port));
        let largest_message = settings.message_size();
        let opening = Self {
            peer,
            runtime,
            made: Vec::new(),
            incoming,
            largest_message,
            max_message_size: MESSAGE_SIZE,
            is_live: settings.delivery == Delivery::Live,
            live_answers: settings.channel(Lane::Answers),
        };
        Ok((opening, gathered))
    }

    /// Applies our description and waits until it names all our addresses.
    async fn describe(
        &self,
        description: RTCSessionDescription,
        mut gathered: watch::Receiver<bool>,
    ) -> Result<String, OpenError> {
        self.peer.0.set_local_description(description).await?;
        let wait = gathered.wait_for(|gathered| *gathered);
        let _ = tokio::time::timeout(OPENING_LIMIT, wait).await.map_err(|_| OpenError::Timeout)?;
        Ok(self.peer.0.local_description().await.ok_or(OpenError::NoDescription)?.sdp)
    }

    /// Applies the peer's answer to our offer.
    pub async fn accept(&mut self, answer: String) -> Result<(), OpenError> {
        self.max_message_size = peer_message_size(&answer);
        Ok(self.peer.0.set_remote_description(RTCSessionDescription::answer(answer)?).await?)
    }

    /// Takes further addresses of the peer, also while the lanes open.
    pub fn candidates(&self) -> Candidates {
        Candidates(self.peer.clone())
    }

    /// Waits until all three lanes are open.
    pub async fn opened(self) -> Result<Link, OpenError> {
        let runtime = self.runtime.clone();
        let opened = tokio::time::timeout(OPENING_LIMIT, self.all_lanes()).await;
        runtime.opened();
        opened.map_err(|_| OpenError::Timeout)?
    }

    async fn all_lanes(mut self) -> Result<Link, OpenError> {
        let offers = !self.made.is_empty();
        let own_answers = match self.live_answers.take().filter(|_| !offers) {
            Some(init) => Some(OwnAnswers::make(&self.peer, init).await?),
            None => None,
        };
        let channels = match &own_answers {
            // It ends when the crate gives up; of the peer's, which have not come, nothing would tell.
            Some(own) => tokio::select! {
                channels = self.open_channels() => channels?,
                () = own.ended() => return Err(OpenError::GaveUp),
            },
            None => self.open_channels().await?,
        };
        let heard = channels.iter().map(|(lane, channel)| events(*lane, channel.clone()));
        let mut heard: Vec<_> = heard.collect();
        if let Some(own) = &own_answers {
            // Nothing comes on it, but what the crate tells of it must be taken, or it holds back all channels.
            heard.push(own.watched());
        } else if self.is_live && offers {
            heard.push(peers_answers(self.incoming));
        }
        let lanes = Arc::new(DataChannels { peer: self.peer, channels, own_answers });
        Ok(Link::new(lanes, stream::select_all(heard), self.max_message_size.min(self.largest_message)))
    }

    /// The three channels, all open.
    async fn open_channels(&mut self) -> Result<Vec<(Lane, Arc<dyn DataChannel>)>, OpenError> {
        let mut channels = std::mem::take(&mut self.made);
        while channels.len() < Lane::ALL.len() {
            let channel = self.incoming.recv().await.ok_or(OpenError::Closed)?;
            let label = channel.label().await?;
            match Lane::from_label(&label) {
                Some(lane) if channels.iter().all(|(known, _)| *known != lane) => channels.push((lane, channel)),
                _ => debug!("ignoring a data channel labelled \"{}\"", label.escape_debug()),
            }
        }
        for (_, channel) in &channels {
            open(channel.as_ref()).await?;
        }
        Ok(channels)
    }
}

/// What comes on a channel for answers that the peer makes itself.
fn peers_answers(mut incoming: mpsc::Receiver<Arc<dyn DataChannel>>) -> BoxStream<'static, LinkEvent> {
    // With the first such channel the receiver goes, and further ones with it: an unread one would hold up all.
    let first = async move {
        while let Some(channel) = incoming.recv().await {
            if channel.label().await.is_ok_and(|label| label == Lane::Answers.label()) {
                return Some(channel);
            }
        }
        None
    };
    let channel = stream::once(first).filter_map(|channel| async move { channel });
    channel.flat_map(|channel| events(Lane::Answers, channel)).boxed()
}

/// Takes further addresses of the peer.
pub struct Candidates(Arc<Peer>);

impl Candidates {
    /// Adds one; what is no address is ignored, as the others may do.
    pub async fn add(&self, candidate: String) {
        let candidate = RTCIceCandidateInit { candidate, ..Default::default() };
        if let Err(error) = self.0.0.add_ice_candidate(candidate).await {
            debug!("ignoring a candidate: {error}");
        }
    }
}

async fn open(channel: &dyn DataChannel) -> Result<(), OpenError> {
    loop {
        match channel.poll().await {
            Some(DataChannelEvent::OnOpen) => return Ok(()),
            Some(DataChannelEvent::OnClose) | None => return Err(OpenError::GaveUp),
            Some(_) => {}
        }
    }
}

/// A channel's events as a link's. Only the control lane reports the close: it carries the `bye`, which must be read
/// first, and the three channels close together.
fn events(lane: Lane, channel: Arc<dyn DataChannel>) -> BoxStream<'static, LinkEvent> {
    let messages = stream::unfold(channel, move |channel| async move {
        loop {
            match channel.poll().await? {
                DataChannelEvent::OnMessage(message) => {
                    return Some((LinkEvent::Message(lane, message.data.freeze()), channel));
                }
                DataChannelEvent::OnClose => return None,
                _ => {}
            }
        }
    });
    match lane {
        Lane::Control => messages.chain(stream::iter([LinkEvent::Closed])).boxed(),
        Lane::Frames | Lane::Answers => messages.boxed(),
    }
}

/// The open channels.
struct DataChannels {
    peer: Arc<Peer>,
    channels: Vec<(Lane, Arc<dyn DataChannel>)>,
    own_answers: Option<OwnAnswers>,
}

/// A channel for answers made by the end that answers: version 0.21 of the crate sends on a channel that its peer made as
/// if it were reliable and ordered, whatever the peer asked for.
///
/// Until it is open the peer's carries the answers, so that opening does not wait for it.
struct OwnAnswers {
    channel: Arc<dyn DataChannel>,
    is_open: Arc<AtomicBool>,
}

impl OwnAnswers {
    async fn make(peer: &Peer, init: RTCDataChannelInit) -> Result<Self, OpenError> {
        let channel = peer.0.create_data_channel(Lane::Answers.label(), Some(init)).await?;
        Ok(Self { channel, is_open: Arc::new(AtomicBool::new(false)) })
    }

    /// Takes what the crate tells of it until it is no more.
    async fn ended(&self) {
        while let Some(event) = self.channel.poll().await {
            note(&event, &self.is_open);
        }
    }

    /// The same, as a link's events, of which there are none.
    fn watched(&self) -> BoxStream<'static, LinkEvent> {
        let told = stream::unfold((self.channel.clone(), self.is_open.clone()), |(channel, is_open)| async move {
            note(&channel.poll().await?, &is_open);
            Some((None, (channel, is_open)))
        });
        told.filter_map(|event| async move { event }).boxed()
    }
}

fn note(event: &DataChannelEvent, is_open: &AtomicBool) {
    match event {
        DataChannelEvent::OnOpen => is_open.store(true, Ordering::Relaxed),
        DataChannelEvent::OnClose => is_open.store(false, Ordering::Relaxed),
        _ => {}
    }
}

impl DataChannels {
    fn channel(&self, lane: Lane) -> Result<&dyn DataChannel, LinkClosed> {
        let own = self.own_answers.as_ref().filter(|own| lane == Lane::Answers && own.is_open.load(Ordering::Relaxed));
        if let Some(own) = own {
            return Ok(own.channel.as_ref());
        }
        let channel = self.channels.iter().find(|(known, _)| *known == lane);
        channel.map(|(_, channel)| channel.as_ref()).ok_or_else(|| LinkClosed(format!("no {lane} lane")))
    }
}

#[async_trait]
impl Lanes for DataChannels {
    async fn send(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed> {
        self.channel(lane)?.send(message).await.map_err(|error| LinkClosed(error.to_string()))
    }

    async fn try_send(&self, lane: Lane, message: BytesMut) -> Result<bool, LinkClosed> {
        match self.channel(lane)?.try_send(message).await {
            Ok(()) => Ok(true),
            Err(webrtc::error::Error::ErrSendBufferFull) => Ok(false),
            Err(error) => Err(LinkClosed(error.to_string())),
        }
    }

    async fn buffered(&self, lane: Lane) -> usize {
        match self.channel(lane) {
            Ok(channel) => channel.outstanding_bytes().await.unwrap_or(0),
            Err(_) => 0,
        }
    }

    async fn close(&self) {
        if let Err(error) = self.peer.0.close().await {
            debug!("closing: {error}");
        }
    }
}

/// A connection that closes when nobody holds it: the crate's driver task would go on for ever.
struct Peer(Arc<dyn PeerConnection>, #[expect(dead_code, reason = "held, to be given back")] Option<PortLease>);

impl Drop for Peer {
    fn drop(&mut self) {
        let peer = self.0.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { peer.close().await });
        }
    }
}

/// Tells the opening what the crate's callbacks say.
struct Handler {
    gathered: watch::Sender<bool>,
    incoming: mpsc::Sender<Arc<dyn DataChannel>>,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        // The callback runs on the driver: it must not wait. A peer that opens more channels than there are lanes
        // gets no more of our memory.
        if self.incoming.try_send(channel).is_err() {
            debug!("ignoring a data channel beyond the three lanes");
        }
    }
}

fn setting_engine(settings: &LinkSettings) -> SettingEngine {
    let mut engine = SettingEngineBuilder::new()
        // Host candidates are given as addresses; mDNS fails to start where no route carries multicast.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .with_ice_connection_attempts(Some(ICE_ATTEMPT_INTERVAL), Some(ICE_ATTEMPTS))
        // The crate's own, kept also where its clock runs faster.
        .with_ice_timeouts(
            Some(ICE_DISCONNECTED * settings.pace()),
            Some(ICE_FAILED * settings.pace()),
            Some(ICE_KEEPALIVE * settings.pace()),
        )
        // A browser's own candidates are peer-reflexive here: nothing better will come, so take them at once.
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        // The offerer then sends the first DTLS packet as soon as ICE connects.
        .with_answering_dtls_role(RTCDtlsRole::Server);
    if let Some(window) = socket::receive_window() {
        engine = engine.with_sctp_max_receive_buffer_size(window);
    }
    if let Some(mtu) = settings.packet_size() {
        engine = engine.with_sctp_mtu(mtu);
    }
    engine.build()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[tokio::test]
    async fn two_ends_open_a_link_and_messages_cross_it_on_their_lanes() {
        let settings =
            LinkSettings { addresses: vec![[127, 0, 0, 1].into()], mtu: Some(LOOPBACK_MTU), ..Default::default() };
        let (mut offering, offer) = offer(&settings).await.unwrap();
        let (answering, answer) = answer(&settings, offer).await.unwrap();
        offering.accept(answer).await.unwrap();
        let (source, sink) = tokio::join!(offering.opened(), answering.opened());
        let (mut source, mut sink) = (source.unwrap(), sink.unwrap());
        for lane in Lane::ALL {
            source.sender().send(lane, BytesMut::from(lane.label())).await.unwrap();
            let LinkEvent::Message(on, message) = sink.next().await else { panic!("closed") };
            assert_eq!((on, &message[..]), (lane, lane.label().as_bytes()));
        }
        let large = BytesMut::from(&vec![7; MESSAGE_SIZE][..]);
        sink.sender().send(Lane::Answers, large.clone()).await.unwrap();
        assert!(matches!(source.next().await, LinkEvent::Message(Lane::Answers, message) if message == large));
        source.sender().close_within(Duration::from_millis(200)).await;
        assert!(matches!(source.next().await, LinkEvent::Closed));
    }
}
