//! What the crate is told once, before a connection is made.

use std::time::Duration;

use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::transport::RTCDtlsRole;
use webrtc::peer_connection::{SettingEngine, SettingEngineBuilder};

use super::buffers::receive_window;
use super::settings::LinkSettings;

/// Between two ICE connection attempts; the crate's 200 ms would be most of the time to open.
const ICE_ATTEMPT_INTERVAL: Duration = Duration::from_millis(10);

/// Attempts for each candidate: with the interval above, the 10 s that [`OPENING_LIMIT`](super::error::OPENING_LIMIT) allows.
const ICE_ATTEMPTS: u16 = 1_000;

/// A connection silent for so long counts as disconnected, and for so long more as failed; and how often ICE sends a
/// keepalive. The crate's own figures: liveness is the session's business.
const ICE_DISCONNECTED: Duration = Duration::from_secs(5);
const ICE_FAILED: Duration = Duration::from_secs(25);
const ICE_KEEPALIVE: Duration = Duration::from_secs(2);

/// The crate's settings for a link with these.
pub(super) fn setting_engine(settings: &LinkSettings) -> SettingEngine {
    let mut engine = SettingEngineBuilder::new()
        // Host candidates are given as addresses; mDNS fails to start where no route carries multicast.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .with_ice_connection_attempts(Some(ICE_ATTEMPT_INTERVAL), Some(ICE_ATTEMPTS))
        // The crate's own, kept also where its clock runs faster.
        .with_ice_timeouts(
            Some(ICE_DISCONNECTED * settings.pace()),
            Some(ICE_FAILED * settings.pace()),
            Some(ICE_KEEPALIVE * settings.pace()),
        )
        // A browser's own candidates are peer-reflexive here: nothing better will come, so take them at once.
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        // The offerer then sends the first DTLS packet as soon as ICE connects.
        .with_answering_dtls_role(RTCDtlsRole::Server);
    if let Some(window) = receive_window() {
        engine = engine.with_sctp_max_receive_buffer_size(window);
    }
    engine.with_sctp_mtu(settings.packet_size()).build()
}
