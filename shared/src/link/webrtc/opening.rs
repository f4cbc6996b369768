//! A link on its way to be opened: offer, answer, and the wait for its lanes.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tracing::debug;
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};
use webrtc::peer_connection::{PeerConnectionBuilder, RTCIceCandidateInit, RTCSessionDescription};

use crate::link::webrtc::runtime::LinkRuntime;
use crate::link::{Lane, Link, MESSAGE_SIZE};
use crate::protocol::message::Delivery;

use super::channels::DataChannels;
use super::description::{PlumbAttribute, advertised, peer_message_size};
use super::engine::setting_engine;
use super::events::events;
use super::own_answers::{OwnAnswers, peers_answers};
use super::peer::{Handler, Peer};
use super::port::PortLease;
use super::settings::{CRATE_MTU, LinkSettings};

/// How long an end waits for the lanes to open before it gives up.
pub const OPENING_LIMIT: Duration = Duration::from_secs(10);

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
        let channel = opening.peer.connection.create_data_channel(lane.label(), settings.channel(lane)).await?;
        opening.made.push((lane, channel));
    }
    let offer = opening.peer.connection.create_offer(None).await?;
    let sdp = advertised(opening.describe(offer, gathered).await?, settings.advertise);
    let attribute = PlumbAttribute { mtu: settings.mtu, live: settings.delivery == Delivery::Live };
    Ok((opening, attribute.insert(&sdp)))
}

/// Answers an offer.
pub async fn answer(settings: &LinkSettings, offer: String) -> Result<(Opening, String), OpenError> {
    let (mut opening, gathered) = Opening::build(settings).await?;
    opening.max_message_size = peer_message_size(&offer);
    opening.peer.connection.set_remote_description(RTCSessionDescription::offer(offer)?).await?;
    let answer = opening.peer.connection.create_answer(None).await?;
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
        let peer = Arc::new(Peer::new(Arc::new(peer), port));
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
        self.peer.connection.set_local_description(description).await?;
        let wait = gathered.wait_for(|gathered| *gathered);
        let _ = tokio::time::timeout(OPENING_LIMIT, wait).await.map_err(|_| OpenError::Timeout)?;
        Ok(self.peer.connection.local_description().await.ok_or(OpenError::NoDescription)?.sdp)
    }

    /// Applies the peer's answer to our offer.
    pub async fn accept(&mut self, answer: String) -> Result<(), OpenError> {
        self.max_message_size = peer_message_size(&answer);
        Ok(self.peer.connection.set_remote_description(RTCSessionDescription::answer(answer)?).await?)
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

async fn open(channel: &dyn DataChannel) -> Result<(), OpenError> {
    loop {
        match channel.poll().await {
            Some(DataChannelEvent::OnOpen) => return Ok(()),
            Some(DataChannelEvent::OnClose) | None => return Err(OpenError::GaveUp),
            Some(_) => {}
        }
    }
}

/// Takes further addresses of the peer.
pub struct Candidates(Arc<Peer>);

impl Candidates {
    /// Adds one; what is no address is ignored, as the others may do.
    pub async fn add(&self, candidate: String) {
        let candidate = RTCIceCandidateInit { candidate, ..Default::default() };
        if let Err(error) = self.0.connection.add_ice_candidate(candidate).await {
            debug!("ignoring a candidate: {error}");
        }
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
