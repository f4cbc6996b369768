//! What a peer's UDP socket takes at once.
//!
//! What comes while its buffer is full is lost, and each loss stalls delivery for a second. So no more may be on its way than
//! the buffer holds: that many datagrams, whatever they carry, since the kernel counts the memory that each takes.

use super::mtu::{RECORD_OVERHEAD, packet_payload};

/// What Linux takes for a datagram beside its bytes, rounded up to a power of two: headers and `skb_shared_info`; and with the
/// `sk_buff` itself, not rounded. With these two, the datagrams a socket held on loopback were foretold to the last one
/// (617 to 9,037 bytes, buffers of 64 KiB to 2 MiB, Linux 6.18).
const WITH_DATA: u32 = 384;
const BESIDE_DATA: u32 = 256;

/// Larger allocations are made of pages, and not rounded up (`SKB_MAX_ALLOC`).
const LARGEST_ROUNDED: u32 = 16_384;

/// What is kept for what else arrives: pings, acknowledgements, ICE. Of Chromium's 56 datagrams 48 were measured to lose none.
const SHARE: (usize, usize) = (6, 7);

/// Bytes of messages in packets of this size of which no more may be on their way to a socket with so large a buffer, as
/// `SO_RCVBUF` reads; one packet at least.
pub(super) fn most_on_the_way(buffer: u32, mtu: u32) -> usize {
    let datagrams = buffer / memory_of(mtu.saturating_add(RECORD_OVERHEAD));
    (datagrams as usize * SHARE.0 / SHARE.1).max(1) * packet_payload(mtu)
}

/// Memory that a datagram takes in a socket's buffer, in bytes.
fn memory_of(datagram: u32) -> u32 {
    let data = datagram.saturating_add(WITH_DATA);
    let taken = if data <= LARGEST_ROUNDED { data.next_power_of_two() } else { data };
    taken.saturating_add(BESIDE_DATA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_takes_the_memory_that_linux_counts() {
        // As measured: datagrams of so many bytes that a buffer of 2 MiB held.
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
