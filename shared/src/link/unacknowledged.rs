//! What the kernel knows of a TCP connection's bytes.

#![allow(unsafe_code, reason = "a call of the kernel that has no safe form")]

/// Bytes in the kernel's send buffer that the peer's kernel has not acknowledged (tcp(7), `SIOCOUTQ`); 0 where the
/// kernel does not say.
#[cfg(target_os = "linux")]
pub(super) fn unacknowledged(socket: &impl std::os::fd::AsRawFd) -> u64 {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open while the socket is borrowed, and the call writes one c_int.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if status == 0 { u64::try_from(bytes).unwrap_or(0) } else { 0 }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn unacknowledged<S>(_: &S) -> u64 {
    0
}
