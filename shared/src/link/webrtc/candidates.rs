//! Further addresses of the peer, in addition to those in its description.

use std::sync::Arc;

use tracing::debug;
use webrtc::peer_connection::RTCIceCandidateInit;

use super::peer::Peer;

/// Adds further addresses of the peer.
pub(super) struct Candidates(pub(super) Arc<Peer>);

impl Candidates {
    /// Adds an address. An unreadable one is ignored, because the others may work.
    pub(super) async fn add(&self, candidate: String) {
        let candidate = RTCIceCandidateInit { candidate, ..Default::default() };
        if let Err(error) = self.0.connection.add_ice_candidate(candidate).await {
            debug!("ignoring a candidate: {error}");
        }
    }
}
