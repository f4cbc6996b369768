//! Sizes of SCTP packets, and how much fits into them.

/// The largest SCTP packet between two Plumb ends on one machine, in bytes.
///
/// Measured: 3.8 times the throughput of the crate's own 1191. The path must carry it: the loopback device's MTU is
/// 65,536. A DTLS record holds 16,384.
pub const LOOPBACK_MTU: u32 = 16_000;

/// Smallest usable MTU: below it, a data chunk with its headers does not fit. No IPv6 path is below 1280.
pub const LEAST_MTU: u32 = 576;

/// Largest SCTP packet on any other path, in bytes. It is safe on every path tried (2000 and more stalls aiortc, which
/// reads 1500). With DTLS, UDP and IPv6 around it, it has 1,485 bytes, within Ethernet's 1500.
pub(super) const NETWORK_MTU: u32 = 1400;

/// SCTP packet size that the crate uses by default (its `INITIAL_MTU`), and that we use for a peer that named no size.
/// It is safe through a tunnel with IPv6's least MTU, 1280.
pub(super) const CRATE_MTU: u32 = 1191;

/// Overhead of an SCTP packet that one message fills, in bytes: common header 12, data chunk header 16 (RFC 9260,
/// section 3.3.1).
const PACKET_OVERHEAD: u32 = 28;

/// Maximum number of bytes a UDP datagram over IPv4 carries: 65,535 less the headers (RFC 791, RFC 768). One system
/// call may send no more either, even if the kernel splits it into many datagrams (UDP GSO): a larger send fails and is
/// lost whole.
const MOST_AT_ONCE: u32 = 65_507;

/// Overhead of a DTLS record around an SCTP packet, in bytes: header 13, nonce 8, tag 16 (RFC 5288).
pub(super) const RECORD_OVERHEAD: u32 = 37;

/// A packet size that a peer named, capped at the largest we use; `None` if no path has it.
pub fn sound_mtu(mtu: u32) -> Option<u32> {
    (mtu >= LEAST_MTU).then_some(mtu.min(LOOPBACK_MTU))
}

/// Parses a packet size given by a person.
pub fn parse_mtu(text: &str) -> Result<u32, String> {
    let mtu = text.parse().ok().filter(|mtu| (LEAST_MTU..=LOOPBACK_MTU).contains(mtu));
    mtu.ok_or_else(|| format!("\"{text}\" is not a whole number of bytes from {LEAST_MTU} to {LOOPBACK_MTU}"))
}

/// Number of SCTP packets of up to `mtu` bytes that one system call sends.
pub(super) fn packets_at_once(mtu: u32) -> usize {
    (MOST_AT_ONCE / (mtu + RECORD_OVERHEAD)).max(1) as usize
}

/// Maximum number of bytes of one message in a packet of this size, padded to four bytes.
pub(super) fn packet_payload(packet: u32) -> usize {
    (packet.saturating_sub(PACKET_OVERHEAD) & !3) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impossible_packet_size_is_ignored() {
        assert_eq!([0, 100, 575].map(sound_mtu), [None; 3]);
        assert_eq!([576, 1400, 4_000_000_000].map(sound_mtu), [Some(576), Some(1400), Some(LOOPBACK_MTU)]);
    }

    #[test]
    fn a_wrong_packet_size_is_refused_with_the_right_range() {
        assert_eq!(parse_mtu("1400"), Ok(1400));
        for text in ["575", "16001", "-1", "large"] {
            assert_eq!(parse_mtu(text), Err(format!("\"{text}\" is not a whole number of bytes from 576 to 16000")));
        }
    }

    #[test]
    fn the_packets_of_one_system_call_fit_into_a_datagram() {
        // Of 1300 bytes, 49 packets would be 65,513.
        for mtu in [576, 1191, 1300, 1400, 9_000, 16_000] {
            let packets = packets_at_once(mtu);
            assert!(packets >= 1 && packets as u32 * (mtu + RECORD_OVERHEAD) <= MOST_AT_ONCE, "{packets} of {mtu}");
        }
    }
}
