//! Servers announced by multicast DNS.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use mdns_sd::{Receiver, ServiceDaemon, ServiceEvent};
use shared::door::discovery::SERVICE_TYPE;
use tracing::debug;

use crate::discover::is_plain;

/// Announcements remembered: more servers than anyone runs, few enough to probe.
const REMEMBERED: usize = 64;

/// Listens for announcements.
pub(super) struct Browser {
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
    announced: BTreeMap<String, Vec<SocketAddr>>,
}

impl Browser {
    /// Starts to listen; `None` on machines without multicast.
    pub(super) fn start() -> Option<Self> {
        let listening = ServiceDaemon::new().and_then(|daemon| Ok((daemon.browse(SERVICE_TYPE)?, daemon)));
        match listening {
            Ok((events, daemon)) => Some(Self { daemon, events, announced: BTreeMap::new() }),
            Err(error) => {
                debug!("no multicast DNS here: {error}");
                None
            }
        }
    }

    /// Where servers are announced now.
    pub(super) fn addresses(&mut self) -> Vec<SocketAddr> {
        while let Ok(event) = self.events.try_recv() {
            self.note(event);
        }
        self.announced.values().flatten().copied().collect()
    }

    fn note(&mut self, event: ServiceEvent) {
        match event {
            ServiceEvent::ServiceResolved(service) => {
                let port = service.get_port();
                let addresses = service.get_addresses().iter().map(mdns_sd::ScopedIp::to_ip_addr);
                let addresses = addresses.filter(is_plain).map(|ip| SocketAddr::from((ip, port))).collect();
                if self.announced.len() < REMEMBERED {
                    self.announced.insert(service.get_fullname().to_owned(), addresses);
                }
            }
            ServiceEvent::ServiceRemoved(_, name) => {
                self.announced.remove(&name);
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Best effort, without waiting.
        let _ = self.daemon.shutdown();
    }
}
