//! Settings for the `webrtc` crate, made once per connection.

use std::sync::Arc;
use std::time::Duration;

use rtc::dtls::cipher_suite::CipherSuiteId;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::transport::RTCDtlsRole;
use webrtc::peer_connection::{SettingEngine, SettingEngineBuilder};

use super::buffers::receive_window;
use super::error::OpenError;
use super::guard::{Conduct, GuardedProvider};
use super::settings::LinkSettings;

/// Interval between two ICE connection attempts. The crate's own 200 ms would be most of the opening time.
const ICE_ATTEMPT_INTERVAL: Duration = Duration::from_millis(10);

/// Attempts per candidate: with the interval above, they fill the 10 s of
/// [`OPENING_LIMIT`](super::error::OPENING_LIMIT).
const ICE_ATTEMPTS: u16 = 1_000;

/// A connection counts as disconnected after the first time of silence, and as failed after the second one in addition.
/// The third time is the interval of ICE keepalives. These are the crate's own values: the session watches liveness
/// itself.
const ICE_DISCONNECTED: Duration = Duration::from_secs(5);
const ICE_FAILED: Duration = Duration::from_secs(25);
const ICE_KEEPALIVE: Duration = Duration::from_secs(2);

/// The crate's own suites except those with CBC, whose packets would not pass the guard. Every peer has one of these:
/// RFC 8827 (6.5) requires the first.
const CIPHER_SUITES: [CipherSuiteId; 3] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
];

/// The crate's settings for a link with these link settings, to a peer whose conduct is watched.
///
/// # Errors
/// If the crate was built without its ciphers.
pub(super) fn setting_engine(settings: &LinkSettings, conduct: &Conduct) -> Result<SettingEngine, OpenError> {
    let provider = GuardedProvider::new(conduct.clone()).map_err(|error| OpenError::NoCiphers(error.to_string()))?;
    let mut engine = SettingEngineBuilder::new()
        .with_crypto_provider(Arc::new(provider))
        .with_dtls_cipher_suites(CIPHER_SUITES.to_vec())
        // Host candidates are given as addresses. mDNS fails to start if no route carries multicast.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .with_ice_connection_attempts(Some(ICE_ATTEMPT_INTERVAL), Some(ICE_ATTEMPTS))
        // The crate's own values, scaled so that they hold even if its clock runs faster.
        .with_ice_timeouts(
            Some(ICE_DISCONNECTED * settings.pace().fastest()),
            Some(ICE_FAILED * settings.pace().fastest()),
            Some(ICE_KEEPALIVE * settings.pace().fastest()),
        )
        // A browser's own candidates are peer-reflexive here. Nothing better will come, so accept them at once.
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        // The offerer then sends the first DTLS packet as soon as ICE connects.
        .with_answering_dtls_role(RTCDtlsRole::Server);
    if let Some(window) = receive_window() {
        engine = engine.with_sctp_max_receive_buffer_size(window);
    }
    Ok(engine.with_sctp_mtu(settings.packet_size()).build())
}
