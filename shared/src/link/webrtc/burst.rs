//! How many bytes may be in flight to a peer's UDP socket.
//!
//! Datagrams that arrive while the socket's receive buffer is full are lost, and each loss stalls delivery for a
//! second. So no more datagrams may be in flight than the buffer holds. The number of datagrams matters more than their
//! payload, because the kernel counts the memory that each datagram occupies, which is more than its data.

use super::mtu::{RECORD_OVERHEAD, packet_payload};

/// Memory that Linux charges for a datagram besides its data, in bytes. Headers and `skb_shared_info` are added before
/// the sum is rounded up to a power of two. The `sk_buff` itself is added after rounding. These two values predicted
/// exactly how many datagrams a socket on loopback held (617 to 9,037 bytes, buffers of 64 KiB to 2 MiB, Linux 6.18).
const BEFORE_ROUNDING: u32 = 384;
const AFTER_ROUNDING: u32 = 256;

/// Largest allocation that is rounded up, in bytes. Larger ones consist of whole pages (`SKB_MAX_ALLOC`).
const LARGEST_ROUNDED: u32 = 16_384;

/// Share of the buffer for messages, as numerator and denominator. The rest is for pings, acknowledgements and ICE.
/// Chromium's buffer holds 56 datagrams; with 48 in flight, none was lost in a measurement.
const SHARE: (usize, usize) = (6, 7);

/// Message bytes that may be in flight to a socket with this receive buffer (as `SO_RCVBUF` reads), in packets of `mtu`
/// bytes. At least one packet.
pub(super) fn most_on_the_way(buffer: u32, mtu: u32) -> usize {
    let datagrams = buffer / memory_of(mtu.saturating_add(RECORD_OVERHEAD));
    (datagrams as usize * SHARE.0 / SHARE.1).max(1) * packet_payload(mtu)
}

/// Memory that a datagram takes in a socket's buffer, in bytes.
fn memory_of(datagram: u32) -> u32 {
    let data = datagram.saturating_add(BEFORE_ROUNDING);
    let taken = if data <= LARGEST_ROUNDED { data.next_power_of_two() } else { data };
    taken.saturating_add(AFTER_ROUNDING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_datagram_is_counted_as_linux_counts_it() {
        // Measured: datagram sizes in bytes, and how many of them a buffer of 2 MiB held.
        for (size, held) in [(613, 1638), (1228, 910), (1437, 910), (2085, 481), (4000, 248), (9037, 126)] {
            assert_eq!((2 << 20) / memory_of(size), held, "{size}");
        }
        assert_eq!((2 << 20) / memory_of(16_037), 125, "of 124");
    }

    #[test]
    fn what_is_on_the_way_follows_the_buffer() {
        let chromium = 128 << 10;
        assert_eq!(most_on_the_way(chromium, 1400), 48 * 1372);
        assert_eq!(most_on_the_way(chromium, 1191), 48 * 1160, "datagrams count, not their bytes");
        assert_eq!(most_on_the_way(chromium / 2, 1400), 24 * 1372);
        assert_eq!(most_on_the_way(0, 1400), 1372, "one packet must go");
        assert!(most_on_the_way(u32::MAX, 16_000) > 1 << 30);
    }
}
