//! Configuration of the server's serving loop.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use shared::door::admission::Admission;
use shared::door::discovery::Identity;
use shared::shell::stop::Stopper;
use shared::shell::wait::Wait;
use shared::tls::Tls;

use super::limits::Limits;
use crate::browser::Pages;
use crate::gate::Judge;
use crate::metrics::Metrics;
use crate::run::LinkKind;
use crate::session::SessionConfig;
use crate::source::Supply;

/// What to serve, to whom, and on which addresses and ports.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Where each session's frames come from.
    pub supply: Arc<dyn Supply>,
    /// Configuration of every session; `number` is set for each session.
    pub session: SessionConfig,
    /// The gates of the run.
    pub judge: Arc<Judge>,
    /// The metrics of the server, for `/metrics`.
    pub metrics: Arc<Metrics>,
    /// The page for browsers.
    pub pages: Arc<Pages>,
    /// End after one session in which both ends said hello.
    pub once: bool,
    /// Stops the server, for clients that are allowed to stop it.
    pub stopper: Stopper,
    /// How long to wait for the first client's hello.
    pub wait: Wait,
    /// Identity of this server, sent to clients that ask for it.
    pub identity: Identity,
    /// Limits on connections to the port.
    pub limits: Limits,
    /// Address to offer to clients instead of the bound one.
    pub advertise: Option<IpAddr>,
    /// Who is admitted: everybody, or only holders of the token.
    pub admission: Admission,
    /// The certificate for callers, and the certificates that called clients are checked by.
    pub tls: Tls,
    /// The links that clients may ask for.
    pub link: LinkKind,
    /// UDP ports that the links may use.
    pub udp_ports: Option<RangeInclusive<u16>>,
    /// Largest SCTP packet, in bytes; chosen by peer and path when absent.
    pub sctp_mtu: Option<u32>,
}
