//! UDP ports for links that must use a given range.

use std::collections::BTreeSet;
use std::net::{IpAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

use super::error::OpenError;

/// A UDP port that no other link of this process takes while this is held. The crate binds it later.
#[derive(Debug)]
pub(super) struct PortLease(u16);

static LEASED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

impl PortLease {
    pub(super) fn port(&self) -> u16 {
        self.0
    }

    /// Takes the first port that is free at all the addresses.
    pub(super) fn take(ports: &RangeInclusive<u16>, addresses: &[IpAddr]) -> Result<Self, OpenError> {
        let mut leased = LEASED.lock().unwrap_or_else(PoisonError::into_inner);
        let free = |&port: &u16| addresses.iter().all(|&address| UdpSocket::bind((address, port)).is_ok());
        match ports.clone().filter(|port| !leased.contains(port)).find(free) {
            Some(port) => {
                leased.insert(port);
                Ok(Self(port))
            }
            None => Err(OpenError::NoPort { ports: ports.clone() }),
        }
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        LEASED.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leased_port_is_not_given_twice_and_comes_back() {
        let address = [[127, 0, 0, 1].into()];
        let port = UdpSocket::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let lease = PortLease::take(&(port..=port), &address).unwrap();
        let refused = PortLease::take(&(port..=port), &address).unwrap_err();
        assert_eq!(refused.to_string(), format!("no free UDP port in {port}-{port}"));
        drop(lease);
        assert!(PortLease::take(&(port..=port), &address).is_ok());
    }
}
