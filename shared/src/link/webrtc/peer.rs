//! A connection of the `webrtc` crate, and the callbacks of its driver.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::debug;
use webrtc::data_channel::DataChannel;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionState,
};

use crate::admission::Fingerprint;

use super::error::OpenError;
use super::guard::Conduct;
use super::port::PortLease;
use super::progress::{Progress, Step};

/// A connection that closes when dropped: the crate's driver task would run for ever.
pub(super) struct Peer {
    pub(super) connection: Arc<dyn PeerConnection>,
    pub(super) unused: UnusedChannels,
    pub(super) conduct: Conduct,
    #[expect(dead_code, reason = "held, to be given back")]
    port: Option<PortLease>,
}

impl Peer {
    pub(super) fn new(
        connection: Arc<dyn PeerConnection>,
        port: Option<PortLease>,
        unused: UnusedChannels,
        conduct: Conduct,
    ) -> Self {
        Self { connection, port, unused, conduct }
    }

    /// The fingerprint of the certificate that the peer showed in the DTLS handshake; `None` before it.
    pub(super) async fn certificate(&self) -> Result<Option<Fingerprint>, OpenError> {
        let Some(sctp) = self.connection.sctp().await else { return Ok(None) };
        let certificates = sctp.transport().get_remote_certificates().await?;
        Ok(certificates.first().map(|certificate| Fingerprint::of_certificate(certificate)))
    }

    /// Closes the connection and waits until its sockets are closed.
    pub(super) async fn close(&self) {
        self.unused.forget();
        if let Err(error) = self.connection.close().await {
            debug!("closing: {error}");
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.unused.forget();
        let connection = self.connection.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { connection.close().await });
        }
    }
}

/// Channels that are not lanes. The crate would keep 256 messages for each, so they are closed, and data that still
/// arrives on them is discarded. The guard bounds their number.
#[derive(Clone, Default)]
pub(super) struct UnusedChannels(Arc<Mutex<JoinSet<()>>>);

impl UnusedChannels {
    /// Closes a channel.
    pub(super) fn close(&self, channel: Arc<dyn DataChannel>) {
        debug!("closing a data channel beyond the three lanes");
        self.tasks().spawn(async move {
            if let Err(error) = channel.close().await {
                debug!("closing a data channel: {error}");
            }
            while channel.poll().await.is_some() {}
        });
    }

    /// Closes the channels that have arrived. Nobody receives later ones.
    pub(super) fn close_all(&self, mut arrived: mpsc::Receiver<Arc<dyn DataChannel>>) {
        arrived.close();
        while let Ok(channel) = arrived.try_recv() {
            self.close(channel);
        }
    }

    /// Forgets them all. They hold the connection.
    fn forget(&self) {
        self.tasks().abort_all();
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes the crate's callbacks on to the opening.
pub(super) struct Handler {
    gathered: watch::Sender<bool>,
    incoming: mpsc::Sender<Arc<dyn DataChannel>>,
    progress: Progress,
    unused: UnusedChannels,
}

impl Handler {
    pub(super) fn new(
        gathered: watch::Sender<bool>,
        incoming: mpsc::Sender<Arc<dyn DataChannel>>,
        progress: Progress,
        unused: UnusedChannels,
    ) -> Self {
        Self { gathered, incoming, progress, unused }
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
        // The callback runs on the driver, so it must not wait.
        match self.incoming.try_send(channel) {
            Ok(()) => {}
            Err(TrySendError::Full(further) | TrySendError::Closed(further)) => self.unused.close(further),
        }
    }
}
