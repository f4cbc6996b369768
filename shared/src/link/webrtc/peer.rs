//! A connection of the crate's, and what its driver tells of it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};
use tracing::debug;
use webrtc::data_channel::DataChannel;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionState,
};

use super::port::PortLease;
use super::progress::{Progress, Stage};

/// A connection that closes when nobody holds it: the crate's driver task would go on for ever.
pub(super) struct Peer {
    pub(super) connection: Arc<dyn PeerConnection>,
    #[expect(dead_code, reason = "held, to be given back")]
    port: Option<PortLease>,
}

impl Peer {
    pub(super) fn new(connection: Arc<dyn PeerConnection>, port: Option<PortLease>) -> Self {
        Self { connection, port }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let connection = self.connection.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { connection.close().await });
        }
    }
}

/// Tells the opening what the crate's callbacks say.
pub(super) struct Handler {
    pub(super) gathered: watch::Sender<bool>,
    pub(super) incoming: mpsc::Sender<Arc<dyn DataChannel>>,
    pub(super) progress: Progress,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        if matches!(state, RTCIceConnectionState::Connected | RTCIceConnectionState::Completed) {
            self.progress.reached(Stage::Ice);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Connected {
            self.progress.reached(Stage::Dtls);
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
