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
use crate::link::{Lane, Link, LinkEvent};

use super::beside::{Farewell, peer_may_be_gone};
use super::channels::DataChannels;
use super::error::OpenError;
use super::events::events;
use super::own_answers::{OwnAnswers, peers_answers};
use super::peer::Peer;

/// How long after the link's end the connection beside it may take to say why: a lost segment's repeat (RFC 6298: its timer
/// is at least 200 ms on Linux) and its way.
const LAST_WORD_LIMIT: Duration = Duration::from_millis(400);

/// Lanes on their way to be opened.
pub(super) struct OpeningLanes {
    pub(super) peer: Arc<Peer>,
    /// The offerer's own channels.
    pub(super) made: Vec<(Lane, Arc<dyn DataChannel>)>,
    /// The answerer's, as they come.
    pub(super) incoming: mpsc::Receiver<Arc<dyn DataChannel>>,
    /// In live delivery, how a channel for answers delivers.
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
    /// Waits until all are open.
    pub(super) async fn opened(mut self) -> Result<OpenLanes, OpenError> {
        let offers = !self.made.is_empty();
        let live_answers = self.live_answers.take();
        let is_live = live_answers.is_some();
        let own_answers = match live_answers.filter(|_| !offers) {
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
        let mut heard: SelectAll<_> = channels.iter().map(|(lane, channel)| events(*lane, channel.clone())).collect();
        if let Some(own) = &own_answers {
            // Nothing comes on it, but what the crate tells of it must be taken, or it holds back all channels.
            heard.push(own.watched());
        } else if is_live {
            heard.push(peers_answers(self.incoming));
        }
        Ok(OpenLanes { peer: self.peer, channels, own_answers, heard })
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

impl OpenLanes {
    /// A link of these lanes and of the connection that stays beside them, for messages of up to so many bytes.
    pub(super) fn link(self, signaling: Signaling, max_message_size: usize) -> Link {
        let Self { peer, channels, own_answers, mut heard } = self;
        let (reader, writer) = signaling.split();
        heard.push(stream::once(peer_may_be_gone(reader)).boxed());
        let lanes = DataChannels { peer, channels, own_answers, farewell: Farewell::new(writer) };
        Link::new(Arc::new(lanes), with_last_word(heard), max_message_size)
    }
}

/// Before the link's end comes what the peer says of it beside the lanes: the two go separate ways.
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

/// What the peer says beside the lanes; `None` where it only ends.
async fn last_word(heard: &mut SelectAll<BoxStream<'static, LinkEvent>>) -> Option<String> {
    loop {
        match heard.next().await? {
            LinkEvent::PeerLeaves(reason) => return Some(reason),
            LinkEvent::PeerMayBeGone => return None,
            LinkEvent::Message(..) | LinkEvent::Closed => {}
        }
    }
}
