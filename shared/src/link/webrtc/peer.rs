//! A connection of the `webrtc` crate, and the callbacks of its driver.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tracing::debug;
use webrtc::data_channel::DataChannel;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionState,
};

use crate::admission::Fingerprint;

use super::error::OpenError;
use super::port::PortLease;
use super::progress::{Progress, Step};

/// A connection that closes when dropped: the crate's driver task would run for ever.
pub(super) struct Peer {
    pub(super) connection: Arc<dyn PeerConnection>,
    #[expect(dead_code, reason = "held, to be given back")]
    port: Option<PortLease>,
}

impl Peer {
    pub(super) fn new(connection: Arc<dyn PeerConnection>, port: Option<PortLease>) -> Self {
        Self { connection, port }
    }

    /// The fingerprint of the certificate that the peer showed in the DTLS handshake; `None` before it.
    pub(super) async fn certificate(&self) -> Result<Option<Fingerprint>, OpenError> {
        let Some(sctp) = self.connection.sctp().await else { return Ok(None) };
        let certificates = sctp.transport().get_remote_certificates().await?;
        Ok(certificates.first().map(|certificate| Fingerprint::of_certificate(certificate)))
    }

    /// Closes the connection and waits until its sockets are closed.
    pub(super) async fn close(&self) {
        if let Err(error) = self.connection.close().await {
            debug!("closing: {error}");
        }
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

/// Most channels beyond the lanes that are closed. The handles of further ones are dropped, and the crate keeps their
/// messages.
const MAX_CLOSED: usize = 8;

/// Passes the crate's callbacks on to the opening.
pub(super) struct Handler {
    gathered: watch::Sender<bool>,
    incoming: mpsc::Sender<Arc<dyn DataChannel>>,
    progress: Progress,
    /// Channels beyond the lanes, so far.
    further: AtomicUsize,
}

impl Handler {
    pub(super) fn new(
        gathered: watch::Sender<bool>,
        incoming: mpsc::Sender<Arc<dyn DataChannel>>,
        progress: Progress,
    ) -> Self {
        Self { gathered, incoming, progress, further: AtomicUsize::new(0) }
    }
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
            self.progress.reached(Step::Reached);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        // By the standard, this state means that ICE and DTLS are connected. It says nothing about SCTP.
        if state == RTCPeerConnectionState::Connected {
            self.progress.reached(Step::Secured);
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        // The callback runs on the driver, so it must not wait. A channel beyond the lanes is closed: the crate would
        // keep 256 messages for each.
        let further = match self.incoming.try_send(channel) {
            Ok(()) => return,
            Err(TrySendError::Full(further) | TrySendError::Closed(further)) => further,
        };
        if self.further.fetch_add(1, Ordering::Relaxed) < MAX_CLOSED {
            debug!("closing a data channel beyond the three lanes");
            tokio::spawn(async move { further.close().await });
        }
    }
}
