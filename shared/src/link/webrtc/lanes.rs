//! The wait for a link's lanes, until all three are open.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, SelectAll};
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::debug;
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};

use crate::door::lines::Signaling;
use crate::link::{Lane, Link, LinkEvent, MESSAGE_SIZE};

use super::beside::{Farewell, peer_may_be_gone};
use super::channels::DataChannels;
use super::error::OpenError;
use super::events::events;
use super::guard::Conduct;
use super::own_answers::{OwnAnswers, peers_answers};
use super::peer::Peer;

/// How long to wait for a reason on the signaling connection after the link has ended. This is the time to repeat a
/// lost TCP segment (RFC 6298; the timer is at least 200 ms on Linux), plus its travel time.
const LAST_WORD_LIMIT: Duration = Duration::from_millis(400);

/// The lanes of a link that is being opened.
pub(super) struct OpeningLanes {
    pub(super) peer: Arc<Peer>,
    /// Channels made by the offerer.
    pub(super) made: Vec<(Lane, Arc<dyn DataChannel>)>,
    /// The offerer's channels as the answerer receives them.
    pub(super) incoming: mpsc::Receiver<Arc<dyn DataChannel>>,
    /// In live delivery, the settings of a channel for answers.
    pub(super) live_answers: Option<RTCDataChannelInit>,
}

/// The three lanes, all open.
pub(super) struct OpenLanes {
    peer: Arc<Peer>,
    channels: Vec<(Lane, Arc<dyn DataChannel>)>,
    own_answers: Option<OwnAnswers>,
    heard: SelectAll<BoxStream<'static, LinkEvent>>,
}

impl OpeningLanes {
    /// Waits until all lanes are open.
    pub(super) async fn opened(mut self) -> Result<OpenLanes, OpenError> {
        let offers = !self.made.is_empty();
        let live_answers = self.live_answers.take();
        let is_live = live_answers.is_some();
        let own_answers = match live_answers.filter(|_| !offers) {
            Some(init) => Some(OwnAnswers::make(&self.peer, init).await?),
            None => None,
        };
        let peer = self.peer.clone();
        let channels = match &own_answers {
            // Our own channel ends when the crate gives up. The peer's channels have not arrived, so they cannot tell.
            Some(own) => tokio::select! {
                channels = self.open_channels() => channels?,
                () = own.ended() => return Err(OpenError::GaveUp),
                breach = peer.conduct.breach() => return Err(OpenError::CutOff(breach.to_string())),
            },
            None => tokio::select! {
                channels = self.open_channels() => channels?,
                breach = peer.conduct.breach() => return Err(OpenError::CutOff(breach.to_string())),
            },
        };
        let mut heard: SelectAll<_> = channels.iter().map(|(lane, channel)| events(*lane, channel.clone())).collect();
        if let Some(own) = &own_answers {
            // It carries no messages, but its events must be taken, or they hold back all channels.
            heard.push(own.watched());
        } else if is_live {
            heard.push(peers_answers(self.incoming, self.peer.unused.clone()));
            return Ok(OpenLanes { peer: self.peer, channels, own_answers, heard });
        }
        self.peer.unused.close_all(self.incoming);
        Ok(OpenLanes { peer: self.peer, channels, own_answers, heard })
    }

    /// Waits for the three channels to open and returns them.
    async fn open_channels(&mut self) -> Result<Vec<(Lane, Arc<dyn DataChannel>)>, OpenError> {
        let mut channels = std::mem::take(&mut self.made);
        while channels.len() < Lane::ALL.len() {
            let channel = self.incoming.recv().await.ok_or(OpenError::Closed)?;
            let label = channel.label().await?;
            match Lane::from_label(&label) {
                Some(lane) if channels.iter().all(|(known, _)| *known != lane) => channels.push((lane, channel)),
                _ => {
                    debug!("no lane is labelled \"{}\"", label.escape_debug());
                    self.peer.unused.close(channel);
                }
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

impl OpenLanes {
    /// Joins these lanes and the signaling connection into a link, for messages of up to `max_message_size` bytes.
    pub(super) fn link(self, signaling: Signaling, max_message_size: usize) -> Link {
        let Self { peer, channels, own_answers, mut heard } = self;
        let (reader, writer) = signaling.split();
        heard.push(stream::once(peer_may_be_gone(reader)).boxed());
        heard.push(stream::once(is_cut_off(peer.conduct.clone())).boxed());
        let lanes = DataChannels { peer, channels, own_answers, farewell: Farewell::new(writer) };
        Link::new(Arc::new(lanes), with_last_word(heard), max_message_size.min(MESSAGE_SIZE))
    }
}

/// Waits until the peer does what no honest peer does.
async fn is_cut_off(conduct: Conduct) -> LinkEvent {
    LinkEvent::Broken(conduct.breach().await.to_string())
}

/// Passes on the peer's reason before the link's end. The reason comes over the signaling connection, so it may arrive
/// later than the end.
fn with_last_word(heard: SelectAll<BoxStream<'static, LinkEvent>>) -> impl Stream<Item = LinkEvent> {
    stream::unfold((heard, false, false), |(mut heard, said, is_closed)| async move {
        if is_closed {
            return Some((LinkEvent::Closed, (heard, said, is_closed)));
        }
        match heard.next().await? {
            LinkEvent::Closed if !said => match timeout(LAST_WORD_LIMIT, last_word(&mut heard)).await {
                Ok(Some(reason)) => Some((LinkEvent::PeerLeaves(reason), (heard, true, true))),
                _ => Some((LinkEvent::Closed, (heard, true, true))),
            },
            event => {
                let said = said || matches!(event, LinkEvent::PeerLeaves(_) | LinkEvent::PeerMayBeGone);
                Some((event, (heard, said, is_closed)))
            }
        }
    })
}

/// The reason the peer gives on the signaling connection; `None` if the connection only ends.
async fn last_word(heard: &mut SelectAll<BoxStream<'static, LinkEvent>>) -> Option<String> {
    loop {
        match heard.next().await? {
            LinkEvent::PeerLeaves(reason) => return Some(reason),
            LinkEvent::PeerMayBeGone => return None,
            LinkEvent::Message(..) | LinkEvent::Arriving | LinkEvent::Closed | LinkEvent::Broken(_) => {}
        }
    }
}
