//! Servers announced by multicast DNS.

use std::net::{IpAddr, SocketAddr};

use mdns_sd::{Receiver, ServiceDaemon, ServiceEvent};
use shared::door::discovery::SERVICE_TYPE;
use tracing::debug;

use super::places::Places;

/// Announcements taken in at a time: a flood of them must not hold up the look.
const AT_ONCE: usize = 4_096;

/// Listens for announcements.
pub(super) struct Browser {
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
}

impl Browser {
    /// Starts to listen; `None` on machines without multicast.
    pub(super) fn start() -> Option<Self> {
        let listening = ServiceDaemon::new().and_then(|daemon| Ok((daemon.browse(SERVICE_TYPE)?, daemon)));
        match listening {
            Ok((events, daemon)) => Some(Self { daemon, events }),
            Err(error) => {
                debug!("no multicast DNS here: {error}");
                None
            }
        }
    }

    /// Tells of what was announced since.
    ///
    /// The daemon ends a browse of which 1,000 events wait to be taken (while a link opens, say): then another begins, which
    /// hears again of all that the daemon knows.
    pub(super) fn tell(&mut self, places: &mut Places) {
        let missed = places.has_missed();
        for _ in 0..AT_ONCE {
            match self.events.try_recv() {
                Ok(event) => note(event, places),
                Err(_) => break,
            }
        }
        if missed || self.events.is_disconnected() {
            self.browse_again();
        }
    }

    fn browse_again(&mut self) {
        match self.daemon.browse(SERVICE_TYPE) {
            Ok(events) => self.events = events,
            Err(error) => debug!("multicast DNS does not browse again: {error}"),
        }
    }
}

fn note(event: ServiceEvent, places: &mut Places) {
    match event {
        ServiceEvent::ServiceResolved(service) => {
            let port = service.get_port();
            let addresses = service.get_addresses().iter().map(mdns_sd::ScopedIp::to_ip_addr);
            let addresses = addresses.filter(is_plain).map(|ip| SocketAddr::from((ip, port))).collect();
            places.announce(service.get_fullname(), addresses);
        }
        ServiceEvent::ServiceRemoved(_, name) => places.withdraw(&name),
        _ => {}
    }
}

/// Whether an announced address can be connected to as it is: a link-local one of IPv6 needs its interface's number.
fn is_plain(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => !address.is_unicast_link_local(),
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Best effort, without waiting.
        let _ = self.daemon.shutdown();
    }
}
