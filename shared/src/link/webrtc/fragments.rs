//! IP fragments, for paths that are narrower in the middle than the signaling connection showed.
//!
//! The crate's sockets (quinn-udp) forbid routers to cut a packet (IPv4's "don't fragment") and take no notice of what the
//! kernel knows of the path, as QUIC looks for the largest packet itself. Nobody does here: full packets would be lost without
//! a word, for ever, and the session with them. A packet in two fragments is slower, and arrives.

use std::io;
use std::net::UdpSocket;

/// Lets a socket's packets be cut on their way. IPv6 has routers cut nothing, and no path of less than 1,280 bytes.
#[cfg(target_os = "linux")]
pub(super) fn allow(socket: &UdpSocket) -> io::Result<()> {
    use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};

    if socket.local_addr()?.is_ipv4() {
        set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DONT)?;
    }
    Ok(())
}

/// Where no system call is known for it.
#[cfg(not(target_os = "linux"))]
pub(super) fn allow(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}

/// Whether the kernel refused to cut a buffer into datagrams, as they are too large for the path it knows: Linux says
/// EINVAL, since 6.13 EMSGSIZE. Single datagrams it sends, in fragments.
pub(super) fn is_refused(error: &io::Error) -> bool {
    const EINVAL: i32 = 22;
    const EMSGSIZE: i32 = 90;
    cfg!(target_os = "linux") && matches!(error.raw_os_error(), Some(EINVAL | EMSGSIZE))
}
