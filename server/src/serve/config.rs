//! What is served, and how.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use shared::door::discovery::Identity;
use shared::shell::wait::Wait;

use crate::session::SessionConfig;
use crate::source::Supply;

/// What is served, and how.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Where each session's frames come from.
    pub supply: Arc<dyn Supply>,
    /// The sessions' limits; `number` is set for each.
    pub session: SessionConfig,
    /// End after one session in which both ends said hello.
    pub once: bool,
    /// How long to wait for the first client's hello.
    pub wait: Wait,
    /// Who this server is, for whoever asks.
    pub identity: Identity,
    /// The address to offer instead of the bound one.
    pub advertise: Option<IpAddr>,
    /// UDP ports for the links.
    pub udp_ports: Option<RangeInclusive<u16>>,
    /// The largest SCTP packet, in bytes; by peer and path when absent.
    pub sctp_mtu: Option<u32>,
}
