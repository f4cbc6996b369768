//! UDP buffers large enough not to overflow.
//!
//! Sockets with the usual 208 KiB receive buffer lose packets in a burst of frames, and each loss stalls SCTP for 200
//! ms to 1 s. So the receive buffer is enlarged, the size that the kernel granted is read back, and the SCTP receive
//! window is kept within it.

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};

use socket2::{Domain, SockRef, Socket, Type};
use tracing::warn;

/// Receive and send buffer to request from the kernel, in bytes. Measured to run at full speed without stalls.
pub const WANTED_BUFFER: usize = 4 << 20;

/// Linux reports this many times the requested size, to cover its own bookkeeping.
const BOOKKEEPING: usize = 2;

/// Receive buffer that carries the crate's own receive window of 1 MiB without loss, in bytes.
pub const COMFORTABLE_BUFFER: usize = 1 << 20;

/// Receive window that does not stall even if the kernel caps the buffer at 208 KiB (measured, 269 MB/s).
const CAUTIOUS_WINDOW: u32 = 131_072;

/// The SCTP receive window that suits the buffers this machine grants; `None` for the crate's own 1 MiB.
///
/// Warns, once, when the kernel caps the buffer.
pub(super) fn receive_window() -> Option<u32> {
    // If no socket can be made, its own error will say why, so do not warn about buffers.
    let granted = receive_buffer()? as usize / BOOKKEEPING;
    if granted >= COMFORTABLE_BUFFER {
        return None;
    }
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        warn!(
            "the kernel grants UDP sockets a receive buffer of {} KiB, under {} KiB: large frames will be slower; \
             raise it with: sysctl -w net.core.rmem_max={WANTED_BUFFER}",
            granted >> 10,
            COMFORTABLE_BUFFER >> 10,
        );
    }
    Some(CAUTIOUS_WINDOW)
}

/// Receive buffer that this machine grants a link's UDP sockets, in bytes as `SO_RCVBUF` reads.
pub fn receive_buffer() -> Option<u32> {
    let granted = any_socket().and_then(|socket| enlarge(&socket)).ok()?;
    u32::try_from(granted * BOOKKEEPING).ok()
}

/// Buffers that this machine grants a link's UDP sockets, in bytes: what [`WANTED_BUFFER`] was cut to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantedBuffers {
    /// For packets that were received and not read yet.
    pub receive: u64,
    /// For packets that were written and not sent yet.
    pub send: u64,
}

/// The buffers that this machine grants a link's UDP sockets. `None` if no socket can be made.
pub fn granted_buffers() -> Option<GrantedBuffers> {
    let socket = any_socket().ok()?;
    let receive = enlarge(&socket).ok()? as u64;
    let send = (SockRef::from(&socket).send_buffer_size().ok()? / BOOKKEEPING) as u64;
    Some(GrantedBuffers { receive, send })
}

/// A UDP socket of either family: a machine may have only one of them.
fn any_socket() -> io::Result<UdpSocket> {
    let socket = |domain| Socket::new(domain, Type::DGRAM, None).map(UdpSocket::from);
    socket(Domain::IPV4).or_else(|_| socket(Domain::IPV6))
}

/// Enlarges both buffers as far as the kernel allows; returns the receive buffer granted, in bytes.
pub(super) fn enlarge(socket: &UdpSocket) -> io::Result<usize> {
    let socket = SockRef::from(socket);
    socket.set_recv_buffer_size(WANTED_BUFFER)?;
    socket.set_send_buffer_size(WANTED_BUFFER)?;
    Ok(socket.recv_buffer_size()? / BOOKKEEPING)
}
