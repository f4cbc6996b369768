//! A second channel for answers in live delivery, made by the end that answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::mpsc;
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};

use crate::link::{Lane, LinkEvent};

use super::error::OpenError;
use super::events::events;
use super::peer::{Peer, UnusedChannels};

/// A channel for answers made by the end that answers. It is needed because version 0.21 of the crate treats a channel
/// that its peer made as reliable and ordered when sending, whatever the peer asked for.
///
/// Until it is open, the peer's channel carries the answers, so that opening does not wait for it.
pub(super) struct OwnAnswers {
    channel: Arc<dyn DataChannel>,
    is_open: Arc<AtomicBool>,
}

impl OwnAnswers {
    pub(super) async fn make(peer: &Peer, init: RTCDataChannelInit) -> Result<Self, OpenError> {
        let channel = peer.connection.create_data_channel(Lane::Answers.label(), Some(init)).await?;
        Ok(Self { channel, is_open: Arc::new(AtomicBool::new(false)) })
    }

    /// Takes the channel's events until it ends.
    pub(super) async fn ended(&self) {
        while let Some(event) = self.channel.poll().await {
            note(&event, &self.is_open);
        }
    }

    /// The channel, once it is open.
    pub(super) fn channel(&self) -> Option<&dyn DataChannel> {
        self.is_open.load(Ordering::Relaxed).then(|| self.channel.as_ref())
    }

    /// Like [`Self::ended`], but as a stream of link events, which is always empty.
    pub(super) fn watched(&self) -> BoxStream<'static, LinkEvent> {
        let events = stream::unfold((self.channel.clone(), self.is_open.clone()), |(channel, is_open)| async move {
            note(&channel.poll().await?, &is_open);
            Some((None, (channel, is_open)))
        });
        events.filter_map(|event| async move { event }).boxed()
    }
}

fn note(event: &DataChannelEvent, is_open: &AtomicBool) {
    match event {
        DataChannelEvent::OnOpen => is_open.store(true, Ordering::Relaxed),
        DataChannelEvent::OnClose => is_open.store(false, Ordering::Relaxed),
        _ => {}
    }
}

/// Events of the answers channel that the peer makes.
pub(super) fn peers_answers(
    mut incoming: mpsc::Receiver<Arc<dyn DataChannel>>,
    unused: UnusedChannels,
) -> BoxStream<'static, LinkEvent> {
    // Once the first such channel has arrived, the receiver is dropped, and further channels are closed: an unread
    // channel would hold up all others.
    let first = async move {
        while let Some(channel) = incoming.recv().await {
            if channel.label().await.is_ok_and(|label| label == Lane::Answers.label()) {
                unused.close_all(incoming);
                return Some(channel);
            }
            unused.close(channel);
        }
        None
    };
    let channel = stream::once(first).filter_map(|channel| async move { channel });
    channel.flat_map(|channel| events(Lane::Answers, channel)).boxed()
}
