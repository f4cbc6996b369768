//! Announces the server by multicast DNS, so that clients on the same network find it.
//!
//! Only addresses on which the server listens are announced. Loopback is not announced, because clients look there
//! anyway. On a machine without multicast, the server runs without an announcement.

use std::net::{IpAddr, SocketAddr};

use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};
use shared::door::discovery::{ID_PROPERTY, Identity, SERVICE_TYPE};
use tracing::debug;

/// An announcement; withdrawn when dropped.
pub struct Announcement {
    daemon: ServiceDaemon,
    name: String,
}

/// Identity of this server, listening on `address`.
pub fn identity(address: SocketAddr) -> Identity {
    use std::hash::{BuildHasher, RandomState};
    let host = hostname::get().map_or_else(|_| "plumb".into(), |name| name.to_string_lossy().into_owned());
    let id = RandomState::new().hash_one(std::process::id());
    Identity { name: format!("{host}:{}", address.port()), id: format!("{id:016x}") }
}

/// Announces the server that listens on these addresses, at one port; `None` on loopback or without multicast.
pub fn announce(addresses: &[SocketAddr], identity: &Identity) -> Option<Announcement> {
    let reachable: Vec<_> = addresses.iter().copied().filter(|address| !address.ip().is_loopback()).collect();
    let service = service(&reachable, identity)?;
    match service.and_then(register) {
        Ok(announcement) => {
            debug!("announced as {}", announcement.name);
            Some(announcement)
        }
        Err(error) => {
            debug!("not announced: {error}");
            None
        }
    }
}

/// The announcement for a server at these addresses; `None` if there are none to announce.
fn service(addresses: &[SocketAddr], identity: &Identity) -> Option<mdns_sd::Result<ServiceInfo>> {
    let port = addresses.first()?.port();
    // A label holds at most 63 bytes and no dot; the id keeps two servers of one host apart.
    let name: String = identity.name.replace('.', "-").chars().filter(char::is_ascii).take(48).collect();
    let label = format!("{name} {}", &identity.id[..4]);
    let host = format!("plumb-{}.local.", identity.id);
    let properties = [(ID_PROPERTY, identity.id.as_str())];
    let is_any = |address: &SocketAddr| address.ip().is_unspecified();
    // Listening on the unspecified address: announce all addresses of this machine.
    let named: Vec<IpAddr> = addresses.iter().filter(|address| !is_any(address)).map(SocketAddr::ip).collect();
    let service = ServiceInfo::new(SERVICE_TYPE, &label, &host, &named[..], port, &properties[..]);
    Some(service.map(|mut service| {
        if addresses.iter().any(is_any) {
            service = service.enable_addr_auto();
            if addresses.iter().all(SocketAddr::is_ipv4) {
                service.set_interfaces(vec![IfKind::IPv4]);
            }
        }
        // The id makes the name unique, so the second of probing for a conflicting name is not needed.
        service.set_requires_probe(false);
        service
    }))
}

fn register(service: ServiceInfo) -> mdns_sd::Result<Announcement> {
    let daemon = ServiceDaemon::new()?;
    let name = service.get_fullname().to_owned();
    daemon.register(service)?;
    Ok(Announcement { daemon, name })
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // Best effort, without waiting: clients that still know the name probe it first.
        let _ = self.daemon.unregister(&self.name);
        let _ = self.daemon.shutdown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(addresses: &[&str]) -> Option<Vec<String>> {
        let addresses: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let identity = Identity { name: "host:8080".into(), id: "0123456789abcdef".into() };
        let reachable: Vec<_> = addresses.into_iter().filter(|address| !address.ip().is_loopback()).collect();
        let service = service(&reachable, &identity)?.unwrap();
        assert_eq!(service.get_port(), 8080);
        let mut addresses: Vec<_> = service.get_addresses().iter().map(ToString::to_string).collect();
        addresses.sort();
        Some(addresses)
    }

    #[test]
    fn every_address_that_others_reach_is_announced() {
        assert_eq!(announced(&["127.0.0.1:8080", "[::1]:8080"]), None);
        let all = announced(&["127.0.0.1:8080", "192.0.2.1:8080", "[2001:db8::1]:8080"]);
        assert_eq!(all, Some(vec!["192.0.2.1".to_owned(), "2001:db8::1".to_owned()]));
        assert_eq!(announced(&["0.0.0.0:8080"]), Some(vec![]), "this machine's, found out later");
    }
}
