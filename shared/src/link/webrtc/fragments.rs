//! IP fragmentation, for paths with a smaller MTU in the middle than the signaling connection showed.
//!
//! The crate's sockets (quinn-udp) set IPv4's "don't fragment" and ignore what the kernel knows about the path, because
//! QUIC finds the largest packet size itself. SCTP does not do that here, so all full packets would be lost silently,
//! and the session would end. A packet in two fragments is slower, but it arrives.

use std::io;
use std::net::UdpSocket;

/// Allows routers to fragment a socket's packets. In IPv6 routers never fragment, and no path has an MTU below 1,280
/// bytes.
#[cfg(target_os = "linux")]
pub(super) fn allow(socket: &UdpSocket) -> io::Result<()> {
    use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};

    if socket.local_addr()?.is_ipv4() {
        set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DONT)?;
    }
    Ok(())
}

/// No system call is known for this platform.
#[cfg(not(target_os = "linux"))]
pub(super) fn allow(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}

/// Whether the kernel refused to split a buffer into datagrams because they exceed the path MTU it knows. Linux returns
/// EINVAL, since 6.13 EMSGSIZE. It sends such datagrams singly, in fragments.
pub(super) fn is_refused(error: &io::Error) -> bool {
    const EINVAL: i32 = 22;
    const EMSGSIZE: i32 = 90;
    cfg!(target_os = "linux") && matches!(error.raw_os_error(), Some(EINVAL | EMSGSIZE))
}
