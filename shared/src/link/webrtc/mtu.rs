//! The sizes of SCTP packets, and what fits into them.

/// The largest SCTP packet between two Plumb ends on one machine, in bytes.
///
/// Measured: 3.8 times the throughput of the crate's own 1191. The path must carry it: the loopback device's MTU is
/// 65,536. A DTLS record holds 16,384.
pub const LOOPBACK_MTU: u32 = 16_000;

/// An MTU below this cannot carry a data chunk with its headers; no IPv6 path is below 1280.
pub const LEAST_MTU: u32 = 576;

/// The largest SCTP packet on any other path, in bytes: safe on every path tried (2000 and more stalls aiortc, which
/// reads 1500), and 1,485 bytes with DTLS, UDP and IPv6 around it, within Ethernet's 1500.
pub(super) const NETWORK_MTU: u32 = 1400;

/// What the crate sends where it is told nothing, and so do we to a peer that named no size: safe through a tunnel of IPv6's least 1280 (its `INITIAL_MTU`).
pub(super) const CRATE_MTU: u32 = 1191;

/// Bytes of an SCTP packet beside a message that fills it: common header 12, data chunk header 16 (RFC 9260, 3.3.1).
const PACKET_OVERHEAD: u32 = 28;

/// The most that a UDP datagram over IPv4 carries, in bytes: 65,535 less the headers (RFC 791, RFC 768). One system call
/// may send no more either, though the kernel cuts it into many datagrams (UDP GSO): a larger send fails and is lost whole.
const MOST_AT_ONCE: u32 = 65_507;

/// What a DTLS record adds to an SCTP packet, in bytes: header 13, nonce 8, tag 16 (RFC 5288).
pub(super) const RECORD_OVERHEAD: u32 = 37;

/// A packet size that a peer named: at most what we use, `None` if no path has it.
pub fn sound_mtu(mtu: u32) -> Option<u32> {
    (mtu >= LEAST_MTU).then_some(mtu.min(LOOPBACK_MTU))
}

/// A packet size as a person writes it.
pub fn parse_mtu(text: &str) -> Result<u32, String> {
    let mtu = text.parse().ok().filter(|mtu| (LEAST_MTU..=LOOPBACK_MTU).contains(mtu));
    mtu.ok_or_else(|| format!("\"{text}\" is not a whole number of bytes from {LEAST_MTU} to {LOOPBACK_MTU}"))
}

/// How many SCTP packets of up to `mtu` bytes one system call sends.
pub(super) fn packets_at_once(mtu: u32) -> usize {
    (MOST_AT_ONCE / (mtu + RECORD_OVERHEAD)).max(1) as usize
}

/// The most a packet of this size carries of one message, padded to four bytes.
pub(super) fn packet_payload(packet: u32) -> usize {
    (packet.saturating_sub(PACKET_OVERHEAD) & !3) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_size_that_no_path_has_is_not_believed() {
        assert_eq!([0, 100, 575].map(sound_mtu), [None; 3]);
        assert_eq!([576, 1400, 4_000_000_000].map(sound_mtu), [Some(576), Some(1400), Some(LOOPBACK_MTU)]);
    }

    #[test]
    fn a_person_is_told_which_packet_sizes_there_are() {
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
