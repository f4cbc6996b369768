//! Links over WebRTC data channels.
//!
//! The offerer makes the three channels. Host candidates only, all in the description: no STUN, no trickle.
//!
//! What a Plumb peer needs to know beside standard SDP stands in one session-level attribute of the offer,
//! `a=x-plumb:1 mtu=16000`, which strangers ignore.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use futures_util::stream::{self, BoxStream, StreamExt};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::transport::RTCDtlsRole;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tracing::debug;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit, RTCIceGatheringState,
    RTCSessionDescription, SettingEngine, SettingEngineBuilder,
};

use crate::link::socket::{self, LinkRuntime};
use crate::link::{Lane, Lanes, Link, LinkClosed, LinkEvent, MESSAGE_SIZE};

/// The largest SCTP packet between two Plumb ends on one machine, in bytes.
///
/// Measured: 3.8 times the throughput of the crate's own 1191. The path must carry it: the loopback device's MTU is
/// 65,536. A DTLS record holds 16,384.
pub const LOOPBACK_MTU: u32 = 16_000;

/// An MTU below this cannot carry a data chunk with its headers; no IPv6 path is below 1280.
pub const LEAST_MTU: u32 = 576;

/// What a stranger's sockets can take, whatever it is: Chromium's UDP receive buffer holds 56 datagrams and aiortc's
/// 227, larger bursts are dropped, and each loss stalls delivery for a second. With these three, at most
/// (32 KiB + 32 KiB) / 1372 = 48 datagrams are under way (measured with Chromium: no drops). 1400 bytes is safe on
/// every path tried; 2000 and more stalls aiortc completely, which reads 1500.
const STRANGER_MTU: u32 = 1400;
const STRANGER_MESSAGE_SIZE: usize = 32 << 10;
const STRANGER_SEND_BUFFER: usize = 32 << 10;

/// How long an end waits for the lanes to open before it gives up.
pub const OPENING_LIMIT: Duration = Duration::from_secs(10);

/// Unacknowledged bytes a lane may hold before a send waits: three frames of 640x480, measured to lose no throughput.
const SEND_BUFFER: usize = 1 << 20;

/// Between two ICE connection attempts; the crate's 200 ms would be most of the time to open.
const ICE_ATTEMPT_INTERVAL: Duration = Duration::from_millis(10);

/// Attempts for each candidate: with the interval above, the 10 s that [`OPENING_LIMIT`] allows.
const ICE_ATTEMPTS: u16 = 1_000;

/// The address is this word of a candidate's line (RFC 8839, section 5.1).
const CANDIDATE_ADDRESS: usize = 4;

/// How a link's sockets and packets are set up.
#[derive(Clone, Debug, Default)]
pub struct LinkSettings {
    /// Local addresses to bind and to offer as candidates.
    pub addresses: Vec<IpAddr>,
    /// UDP ports to bind, the first free one of them; any when absent.
    pub ports: Option<RangeInclusive<u16>>,
    /// The address to offer in place of the bound ones, for published ports.
    pub advertise: Option<IpAddr>,
    /// Largest SCTP packet in bytes; the crate's 1191 when absent.
    pub mtu: Option<u32>,
    /// What is known of the peer.
    pub peer: PeerKind,
}

/// What is known of a peer before it opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeerKind {
    /// It takes what we take.
    #[default]
    Plumb,
    /// Nothing: it gets settings that every peer takes, in place of those above.
    Stranger,
}

impl LinkSettings {
    fn packet_size(&self) -> Option<u32> {
        match self.peer {
            PeerKind::Plumb => self.mtu,
            PeerKind::Stranger => Some(STRANGER_MTU),
        }
    }

    /// Whether the way to the peer has sockets that are not ours: the peer's own, or a proxy's behind a published port,
    /// which drops what overflows the usual 208 KiB: some 90 datagrams, as the kernel counts 2.3 kB for each. (Seen: a
    /// session that died of retransmissions behind a published port.)
    fn has_foreign_sockets(&self) -> bool {
        self.peer == PeerKind::Stranger || self.advertise.is_some()
    }

    fn send_buffer(&self) -> usize {
        if self.has_foreign_sockets() { STRANGER_SEND_BUFFER } else { SEND_BUFFER }
    }

    fn message_size(&self) -> usize {
        if self.has_foreign_sockets() { STRANGER_MESSAGE_SIZE } else { MESSAGE_SIZE }
    }
}

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
}

/// The session-level attribute by which a Plumb offer tells what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlumbAttribute {
    /// The largest SCTP packet the offerer will send and take, in bytes.
    pub mtu: Option<u32>,
}

impl PlumbAttribute {
    /// Puts the attribute into a description, before its first media section.
    pub fn insert(self, sdp: &str) -> String {
        let mut line = String::from("a=x-plumb:1");
        if let Some(mtu) = self.mtu {
            line.push_str(&format!(" mtu={mtu}"));
        }
        line.push_str("\r\n");
        let at = sdp.find("m=").unwrap_or(sdp.len());
        format!("{}{line}{}", &sdp[..at], &sdp[at..])
    }

    /// Finds the attribute in a description.
    pub fn find(sdp: &str) -> Option<Self> {
        let value = sdp.lines().find_map(|line| line.trim_end().strip_prefix("a=x-plumb:1"))?;
        let mtu = value.split_whitespace().find_map(|word| word.strip_prefix("mtu=")?.parse().ok());
        Some(Self { mtu: mtu.and_then(sound_mtu) })
    }
}

/// A packet size that a peer named: at most what we use, `None` if no path has it.
pub fn sound_mtu(mtu: u32) -> Option<u32> {
    (mtu >= LEAST_MTU).then_some(mtu.min(LOOPBACK_MTU))
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
}

/// Makes an offer with three lanes. Answer it with [`Opening::accept`].
pub async fn offer(settings: &LinkSettings) -> Result<(Opening, String), OpenError> {
    let (mut opening, gathered) = Opening::build(settings).await?;
    for lane in Lane::ALL {
        let channel = opening.peer.0.create_data_channel(lane.label(), None).await?;
        opening.made.push((lane, channel));
    }
    let offer = opening.peer.0.create_offer(None).await?;
    let sdp = advertised(opening.describe(offer, gathered).await?, settings.advertise);
    let attribute = PlumbAttribute { mtu: settings.mtu };
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
        let runtime = LinkRuntime::new();
        let (gathered_tx, gathered) = watch::channel(false);
        let (incoming_tx, incoming) = mpsc::channel(Lane::ALL.len());
        let port = settings.ports.as_ref().map(|ports| PortLease::take(ports, &settings.addresses)).transpose()?;
        let bound = |&address: &IpAddr| SocketAddr::new(address, port.as_ref().map_or(0, |lease| lease.0));
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
        let opening =
            Self { peer, runtime, made: Vec::new(), incoming, largest_message, max_message_size: MESSAGE_SIZE };
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
        let events = stream::select_all(channels.iter().map(|(lane, channel)| events(*lane, channel.clone())));
        let lanes = Arc::new(DataChannels { peer: self.peer, channels });
        Ok(Link::new(lanes, events, self.max_message_size.min(self.largest_message)))
    }
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
            Some(DataChannelEvent::OnClose) | None => return Err(OpenError::Closed),
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
}

impl DataChannels {
    fn channel(&self, lane: Lane) -> Result<&dyn DataChannel, LinkClosed> {
        let channel = self.channels.iter().find(|(known, _)| *known == lane);
        channel.map(|(_, channel)| channel.as_ref()).ok_or_else(|| LinkClosed(format!("no {lane} lane")))
    }
}

#[async_trait]
impl Lanes for DataChannels {
    async fn send(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed> {
        self.channel(lane)?.send(message).await.map_err(|error| LinkClosed(error.to_string()))
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

/// A UDP port of this process that no other link takes while this is held. (The crate binds it later.)
#[derive(Debug)]
struct PortLease(u16);

static LEASED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

impl PortLease {
    /// The first of the ports that is free at all the addresses.
    fn take(ports: &RangeInclusive<u16>, addresses: &[IpAddr]) -> Result<Self, OpenError> {
        let mut leased = LEASED.lock().unwrap_or_else(PoisonError::into_inner);
        let free = |&port: &u16| addresses.iter().all(|&address| UdpSocket::bind((address, port)).is_ok());
        match ports.clone().filter(|port| !leased.contains(port)).find(free) {
            Some(port) => {
                leased.insert(port);
                Ok(Self(port))
            }
            None => Err(OpenError::NoPort { ports: ports.clone() }),
        }
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        LEASED.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// The description with this address in place of our own in its candidates. Done here, as version 0.21 of the crate never
/// reads its own setting for it (`nat_1to1_ips`).
fn advertised(sdp: String, address: Option<IpAddr>) -> String {
    let Some(address) = address.map(|address| address.to_string()) else { return sdp };
    let named = |line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        match words.get_mut(CANDIDATE_ADDRESS) {
            Some(word) if line.starts_with("a=candidate:") => *word = &address,
            _ => {}
        }
        words.join(" ")
    };
    sdp.split("\r\n").map(named).collect::<Vec<_>>().join("\r\n")
}

/// The largest message the peer takes, in bytes: `a=max-message-size`, 64 KiB when absent, no limit when 0 (RFC 8841).
fn peer_message_size(sdp: &str) -> usize {
    let value = sdp.lines().find_map(|line| line.trim_end().strip_prefix("a=max-message-size:"));
    match value.and_then(|value| value.trim().parse().ok()) {
        Some(0) => usize::MAX,
        Some(size) => size,
        None => MESSAGE_SIZE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plumb_attribute_stands_before_the_first_media_section() {
        let sdp = "v=0\r\ns=-\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n";
        let marked = PlumbAttribute { mtu: Some(16_000) }.insert(sdp);
        assert!(marked.starts_with("v=0\r\ns=-\r\na=x-plumb:1 mtu=16000\r\nm=application"), "{marked}");
        assert_eq!(PlumbAttribute::find(&marked), Some(PlumbAttribute { mtu: Some(16_000) }));
        assert_eq!(PlumbAttribute::find(sdp), None);
    }

    #[test]
    fn an_mtu_that_no_path_has_is_not_believed() {
        for mtu in ["0", "100", "-5", "x"] {
            let attribute = PlumbAttribute::find(&format!("a=x-plumb:1 mtu={mtu}\r\n"));
            assert_eq!(attribute, Some(PlumbAttribute { mtu: None }), "{mtu}");
        }
        assert_eq!(sound_mtu(4_000_000_000), Some(LOOPBACK_MTU));
    }

    #[test]
    fn a_leased_port_is_not_given_twice_and_comes_back() {
        let address = [[127, 0, 0, 1].into()];
        let port = UdpSocket::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let lease = PortLease::take(&(port..=port), &address).unwrap();
        let refused = PortLease::take(&(port..=port), &address).unwrap_err();
        assert_eq!(refused.to_string(), format!("no free UDP port in {port}-{port}"));
        drop(lease);
        assert!(PortLease::take(&(port..=port), &address).is_ok());
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

    #[test]
    fn the_peers_message_size_is_read_from_its_description() {
        assert_eq!(peer_message_size("a=max-message-size:262144\r\n"), 262_144);
        assert_eq!(peer_message_size("a=max-message-size:0\r\n"), usize::MAX);
        assert_eq!(peer_message_size("v=0\r\n"), 65_536);
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
