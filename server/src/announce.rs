//! Announcing the server by multicast DNS, so that clients on the same network find it.
//!
//! Only addresses on which it listens are announced: on loopback none, there a client looks anyway. A machine without
//! multicast works without it.

use std::net::SocketAddr;

use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};
use shared::door::discovery::{ID_PROPERTY, Identity, SERVICE_TYPE};
use tracing::debug;

/// An announcement; withdrawn when dropped.
pub struct Announcement {
    daemon: ServiceDaemon,
    name: String,
}

/// Who this server is, listening on `address`.
pub fn identity(address: SocketAddr) -> Identity {
    use std::hash::{BuildHasher, RandomState};
    let host = hostname::get().map_or_else(|_| "plumb".into(), |name| name.to_string_lossy().into_owned());
    let id = RandomState::new().hash_one(std::process::id());
    Identity { name: format!("{host}:{}", address.port()), id: format!("{id:016x}") }
}

/// Announces the server that listens on `address`; `None` on loopback and where there is no multicast.
pub fn announce(address: SocketAddr, identity: &Identity) -> Option<Announcement> {
    let ip = address.ip();
    if ip.is_loopback() {
        return None;
    }
    let service = service(address, identity);
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

fn service(address: SocketAddr, identity: &Identity) -> mdns_sd::Result<ServiceInfo> {
    // A label holds at most 63 bytes and no dot; the id keeps two servers of one host apart.
    let name: String = identity.name.replace('.', "-").chars().filter(char::is_ascii).take(48).collect();
    let label = format!("{name} {}", &identity.id[..4]);
    let host = format!("plumb-{}.local.", identity.id);
    let properties = [(ID_PROPERTY, identity.id.as_str())];
    let port = address.port();
    let mut service = if address.ip().is_unspecified() {
        ServiceInfo::new(SERVICE_TYPE, &label, &host, (), port, &properties[..])?.enable_addr_auto()
    } else {
        ServiceInfo::new(SERVICE_TYPE, &label, &host, address.ip(), port, &properties[..])?
    };
    if address.ip().is_unspecified() && address.is_ipv4() {
        service.set_interfaces(vec![IfKind::IPv4]);
    }
    // The id makes the name unique: no second of probing for another of that name.
    service.set_requires_probe(false);
    Ok(service)
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
