//! Events of a data channel.

use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt};
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use crate::link::{Lane, LinkEvent};

/// A channel's events as link events. Only the control lane reports the close, because it carries the `bye`, which must
/// be read first. The three channels close together.
pub(super) fn events(lane: Lane, channel: Arc<dyn DataChannel>) -> BoxStream<'static, LinkEvent> {
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
