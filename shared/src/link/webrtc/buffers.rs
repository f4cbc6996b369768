//! UDP buffers that do not overflow.
//!
//! Sockets with the usual 208 KiB receive buffer lose packets under a burst of frames, and each loss stalls SCTP for
//! 200 ms to 1 s. So the buffer is enlarged, the kernel's grant read back, and the SCTP receive window kept within it.

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};

use socket2::{Domain, SockRef, Socket, Type};
use tracing::warn;

/// Receive and send buffer asked of the kernel, in bytes: measured to be free of stalls at full speed.
const WANTED_BUFFER: usize = 4 << 20;

/// Linux reports so many times what was asked for, for its own bookkeeping.
const BOOKKEEPING: usize = 2;

/// A grant of at least this carries the crate's own receive window of 1 MiB without loss.
const COMFORTABLE_BUFFER: usize = 1 << 20;

/// The receive window that does not stall even on a socket the kernel caps at 208 KiB (measured, 269 MB/s).
const CAUTIOUS_WINDOW: u32 = 131_072;

/// The SCTP receive window that suits the buffers this machine grants; `None` for the crate's own 1 MiB.
///
/// Warns, once, when the kernel caps the buffer.
pub(super) fn receive_window() -> Option<u32> {
    // Where there is no socket at all its own error will say why: no word of buffers.
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

/// What a link's UDP sockets take at once on this machine, in bytes as `SO_RCVBUF` reads.
pub fn receive_buffer() -> Option<u32> {
    let granted = any_socket().and_then(|socket| enlarge(&socket)).ok()?;
    u32::try_from(granted * BOOKKEEPING).ok()
}

/// A UDP socket of either family: a machine may have one alone.
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
