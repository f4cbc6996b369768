//! Random numbers, whose source is opened when a program starts.

use std::fs::File;
use std::io;

use ring::rand::{SecureRandom, SystemRandom};
use rtc::crypto::default_provider;

/// Opens what the system's random numbers come from.
///
/// A program that is statically linked to glibc reads them from these devices, which `getrandom` opens at the first number.
/// `rtc` panics if it cannot. Peers decide when it needs its first number, and whether descriptors are left then.
///
/// # Errors
/// If the system gives no random numbers.
pub(super) fn open() -> io::Result<()> {
    if cfg!(all(target_env = "gnu", target_feature = "crt-static")) {
        // `rtc` would panic.
        for device in ["/dev/random", "/dev/urandom"] {
            File::open(device).map_err(|error| {
                io::Error::new(error.kind(), format!("{device} cannot be opened, which random numbers need: {error}"))
            })?;
        }
    }
    let none = || io::Error::other("the system gives no random numbers");
    SystemRandom::new().fill(&mut [0]).map_err(|_| none())?;
    let provider = default_provider().map_err(|_| none())?;
    provider.random().fill(&mut [0]).map_err(|_| none())
}
