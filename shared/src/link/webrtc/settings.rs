//! How a link's sockets and packets are set up, by what is known of the peer and the path.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::link::MESSAGE_SIZE;

/// The largest SCTP packet between two Plumb ends on one machine, in bytes.
///
/// Measured: 3.8 times the throughput of the crate's own 1191. The path must carry it: the loopback device's MTU is
/// 65,536. A DTLS record holds 16,384.
pub const LOOPBACK_MTU: u32 = 16_000;

/// An MTU below this cannot carry a data chunk with its headers; no IPv6 path is below 1280.
pub const LEAST_MTU: u32 = 576;

/// What a stranger's sockets can take, whatever it is: Chromium's UDP receive buffer holds 56 datagrams and aiortc's
/// 227, larger bursts are dropped, and each loss stalls delivery for a second. With these three, at most
/// (32 KiB + 32 KiB) / 1372 = 48 datagrams are under way (measured with Chromium: no drops). 1400 bytes is safe on
/// every path tried; 2000 and more stalls aiortc completely, which reads 1500.
const STRANGER_MTU: u32 = 1400;
const STRANGER_MESSAGE_SIZE: usize = 32 << 10;
const STRANGER_SEND_BUFFER: usize = 32 << 10;

/// Unacknowledged bytes a lane may hold before a send waits: three frames of 640x480, measured to lose no throughput.
const SEND_BUFFER: usize = 1 << 20;

/// A packet size that a peer named: at most what we use, `None` if no path has it.
pub fn sound_mtu(mtu: u32) -> Option<u32> {
    (mtu >= LEAST_MTU).then_some(mtu.min(LOOPBACK_MTU))
}

/// How a link's sockets and packets are set up.
#[derive(Clone, Debug, Default)]
pub struct LinkSettings {
    /// Local addresses to bind and to offer as candidates.
    pub addresses: Vec<IpAddr>,
    /// UDP ports to bind, the first free one of them; any when absent.
    pub ports: Option<RangeInclusive<u16>>,
    /// The address to offer in place of the bound ones, for published ports.
    pub advertise: Option<IpAddr>,
    /// Largest SCTP packet in bytes; the crate's 1191 when absent.
    pub mtu: Option<u32>,
    /// What is known of the peer.
    pub peer: PeerKind,
}

/// What is known of a peer before it opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeerKind {
    /// It takes what we take.
    #[default]
    Plumb,
    /// Nothing: it gets settings that every peer takes, in place of those above.
    Stranger,
}

impl LinkSettings {
    pub(super) fn packet_size(&self) -> Option<u32> {
        match self.peer {
            PeerKind::Plumb => self.mtu,
            PeerKind::Stranger => Some(STRANGER_MTU),
        }
    }

    /// Whether the way to the peer has sockets that are not ours: the peer's own, or a proxy's behind a published port,
    /// which drops what overflows the usual 208 KiB: some 90 datagrams, as the kernel counts 2.3 kB for each. (Seen: a
    /// session that died of retransmissions behind a published port.)
    fn has_foreign_sockets(&self) -> bool {
        self.peer == PeerKind::Stranger || self.advertise.is_some()
    }

    pub(super) fn send_buffer(&self) -> usize {
        if self.has_foreign_sockets() { STRANGER_SEND_BUFFER } else { SEND_BUFFER }
    }

    pub(super) fn message_size(&self) -> usize {
        if self.has_foreign_sockets() { STRANGER_MESSAGE_SIZE } else { MESSAGE_SIZE }
    }
}
