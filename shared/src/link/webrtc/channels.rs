//! The lanes of a link as data channels of the `webrtc` crate.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::BytesMut;
use tracing::debug;
use webrtc::data_channel::DataChannel;

use crate::link::{Lane, Lanes, LinkClosed};

use super::beside::Farewell;
use super::own_answers::OwnAnswers;
use super::peer::Peer;

/// The open channels.
pub(super) struct DataChannels {
    pub(super) peer: Arc<Peer>,
    pub(super) channels: Vec<(Lane, Arc<dyn DataChannel>)>,
    pub(super) own_answers: Option<OwnAnswers>,
    pub(super) farewell: Farewell,
}

impl DataChannels {
    fn channel(&self, lane: Lane) -> Result<&dyn DataChannel, LinkClosed> {
        if let Some(own) = self.own_answers.as_ref().filter(|_| lane == Lane::Answers).and_then(OwnAnswers::channel) {
            return Ok(own);
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

    async fn leave(&self, reason: &str) {
        self.farewell.say(Some(reason)).await;
    }

    async fn close(&self) {
        if let Err(error) = self.peer.connection.close().await {
            debug!("closing: {error}");
        }
        self.farewell.say(None).await;
    }
}
