//! Random numbers, whose source is opened when a program starts.

use std::io;

use ring::rand::{SecureRandom, SystemRandom};
use rtc::crypto::default_provider;

/// Opens what the system's random numbers come from.
///
/// A statically linked program may read them from `/dev/urandom`, which the crates open at the first number and keep
/// open. `rtc` panics if it cannot, because `rand` does. Peers decide when it needs its first number, and whether
/// descriptors are left then.
///
/// # Errors
/// If the system gives no random numbers.
pub(super) fn open() -> io::Result<()> {
    let none = || io::Error::other("the system gives no random numbers: is there a /dev/urandom?");
    // What `ring` and `rand` read, each its own way: a system that gives none is an error here. `rtc` would panic.
    SystemRandom::new().fill(&mut [0]).map_err(|_| none())?;
    getrandom::fill(&mut [0]).map_err(|_| none())?;
    let provider = default_provider().map_err(|_| none())?;
    provider.random().fill(&mut [0]).map_err(|_| none())
}
