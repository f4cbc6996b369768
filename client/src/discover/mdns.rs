//! Servers announced by multicast DNS.

use std::net::{IpAddr, SocketAddr};

use mdns_sd::{Receiver, ServiceDaemon, ServiceEvent};
use shared::door::discovery::SERVICE_TYPE;
use tracing::debug;

use super::places::Places;

/// How many announcements are processed at a time, so that a flood of them does not delay the search.
const AT_ONCE: usize = 4_096;

/// Listens for announcements.
pub(super) struct Browser {
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
}

impl Browser {
    /// Starts to listen. `None` on machines without multicast.
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

    /// Passes on what was announced since the last call.
    ///
    /// The daemon ends a browse once 1,000 events are queued (while a link opens, for example). Then another browse is
    /// started, which reports everything the daemon knows.
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
            Err(error) => debug!("cannot browse multicast DNS again: {error}"),
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

/// Whether an announced address can be dialled as it stands. An IPv6 link-local address also needs its interface
/// number.
fn is_plain(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => !address.is_unicast_link_local(),
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Best effort: do not wait for it.
        let _ = self.daemon.shutdown();
    }
}
