//! How a link's sockets and packets are set up, by what is known of the peer and the path.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use webrtc::data_channel::RTCDataChannelInit;

use crate::link::{Lane, MESSAGE_SIZE};
use crate::protocol::message::Delivery;

use super::burst::most_on_the_way;
use super::mtu::{CRATE_MTU, NETWORK_MTU, packet_payload, packets_at_once};

/// What a stranger's sockets can take, whatever it is, as `SO_RCVBUF` reads: what Chromium's do, of which a page cannot have
/// more. aiortc's take what the system gives a socket, 208 KiB.
const STRANGER_BUFFER: u32 = 128 << 10;

/// The largest message to a stranger: measured with Chromium, no drops.
const STRANGER_MESSAGE_SIZE: usize = 32 << 10;

/// Unacknowledged bytes a lane may hold before a send waits: three frames of 640x480, measured to lose no throughput.
const SEND_BUFFER: usize = 1 << 20;

/// How much faster than time the clock of a live link runs, both ends Plumb's: SCTP then takes a packet for lost after
/// 8 ms instead of 1 s, and acknowledges within 2 ms instead of 200. Whenever it takes one for lost it sends a single packet
/// until that is acknowledged, and if that or its acknowledgement is lost too, nothing for as long again, or twice as long
/// (RFC 9260, 7.2.3 and 6.3.3). Measured at 5 % loss, 640x480 of two packets, 60 frames a second, on a busy machine, before
/// frames were probed for: p99 at a pace of 32, 64, 128, 256: 4.8, 3.0, 1.6, 1.4 frame intervals. The faster the clock, the
/// longer a path of long round trips takes to settle: SCTP doubles its RTO until that is long enough.
const LIVE_PACE: u32 = 128;

/// The same with a stranger, whose acknowledgements take up to 200 ms: 250 ms.
const STRANGER_LIVE_PACE: u32 = 4;

/// How a link's sockets and packets are set up.
#[derive(Clone, Debug, Default)]
pub struct LinkSettings {
    /// Local addresses to bind and to offer as candidates.
    pub addresses: Vec<IpAddr>,
    /// UDP ports to bind, the first free one of them; any when absent.
    pub ports: Option<RangeInclusive<u16>>,
    /// The address to offer in place of the bound ones, for published ports.
    pub advertise: Option<IpAddr>,
    /// Largest SCTP packet in bytes, as agreed with the peer; when absent the crate's 1191, to strangers 1400.
    pub mtu: Option<u32>,
    /// The largest SCTP packet that the path carries, in bytes, as far as it is known ([`path_mtu`](super::path_mtu)).
    pub path_mtu: Option<u32>,
    /// What the peer's UDP sockets take at once, in bytes as `SO_RCVBUF` reads; when absent as much as ours.
    pub peer_buffer: Option<u32>,
    /// What is known of the peer.
    pub peer: PeerKind,
    /// How the offerer's lanes for frames and answers deliver; the answerer's do as the offer says.
    pub delivery: Delivery,
}

/// For people: what is set, one after the other.
impl fmt::Display for LinkSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = self.addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>();
        write!(f, "addresses {}, {} delivery", addresses.join(" "), self.delivery)?;
        if let Some(ports) = &self.ports {
            write!(f, ", UDP ports {}-{}", ports.start(), ports.end())?;
        }
        if let Some(advertise) = self.advertise {
            write!(f, ", advertised as {advertise}")?;
        }
        if let Some(mtu) = self.mtu {
            write!(f, ", packets of up to {mtu} bytes")?;
        }
        match self.peer {
            PeerKind::Plumb => Ok(()),
            PeerKind::Stranger => f.write_str(", for a stranger"),
        }
    }
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
    /// The largest SCTP packet, in bytes: never more than the path carries, or none that is full would arrive.
    pub(super) fn packet_size(&self) -> u32 {
        let usual = match self.peer {
            PeerKind::Plumb => CRATE_MTU,
            PeerKind::Stranger => NETWORK_MTU,
        };
        self.mtu.unwrap_or(usual).min(self.path_mtu.unwrap_or(u32::MAX))
    }

    /// How much faster than time the link's clock runs.
    pub(super) fn pace(&self) -> u32 {
        match (self.delivery, self.peer) {
            (Delivery::Reliable, _) => 1,
            (Delivery::Live, PeerKind::Plumb) => LIVE_PACE,
            (Delivery::Live, PeerKind::Stranger) => STRANGER_LIVE_PACE,
        }
    }

    /// How a lane's channel delivers.
    ///
    /// Live, SCTP sends a packet once: its own retransmission of one, lost again, would block all that follows until its
    /// timer runs out. What is worth repeating is asked for by the peer.
    pub(super) fn channel(&self, lane: Lane) -> Option<RTCDataChannelInit> {
        let live = self.delivery == Delivery::Live && lane != Lane::Control;
        live.then(|| RTCDataChannelInit { ordered: false, max_retransmits: Some(0), ..Default::default() })
    }

    /// Whether the way to the peer has sockets that are not ours: the peer's own, or a proxy's behind a published port,
    /// which drops what overflows the usual 208 KiB: some 90 datagrams, as the kernel counts 2.3 kB for each. (Seen: a
    /// session that died of retransmissions behind a published port.)
    fn has_foreign_sockets(&self) -> bool {
        self.peer == PeerKind::Stranger || self.advertise.is_some()
    }

    /// Bytes of messages of which no more may be on their way.
    fn most_on_the_way(&self) -> Option<usize> {
        let foreign = self.has_foreign_sockets().then_some(STRANGER_BUFFER);
        let buffer = self.peer_buffer.into_iter().chain(foreign).min()?;
        Some(most_on_the_way(buffer, self.packet_size()))
    }

    /// Unacknowledged bytes of a lane at which a send waits: with the message that comes after, no more than the peer takes.
    pub(super) fn send_buffer(&self) -> usize {
        let most = self.most_on_the_way().map_or(SEND_BUFFER, |most| most.saturating_sub(self.message_size()));
        most.clamp(1, SEND_BUFFER)
    }

    /// The largest message: as many full packets as one system call sends, within what the peer can take. (With 64 KiB
    /// at an MTU of 16,000 each message left a rest of 1.6 kB, a packet and a system call of its own at both ends.)
    /// Live, what one packet holds: a lost packet then costs no other's bytes.
    pub(super) fn message_size(&self) -> usize {
        let largest = if self.has_foreign_sockets() { STRANGER_MESSAGE_SIZE } else { MESSAGE_SIZE };
        // Half of what may be on its way, so that the next is handed over while one is acknowledged.
        let largest = self.most_on_the_way().map_or(largest, |most| largest.min(most / 2));
        let mtu = self.packet_size();
        let payload = packet_payload(mtu);
        let packets = match self.delivery {
            Delivery::Reliable => packets_at_once(mtu).min(largest / payload).max(1),
            Delivery::Live => 1,
        };
        packets * payload
    }
}

#[cfg(test)]
mod tests {
    use super::super::mtu::{LEAST_MTU, LOOPBACK_MTU};
    use super::*;

    #[test]
    fn live_messages_fill_one_packet_and_no_more() {
        let live = |mtu, peer| LinkSettings { mtu, peer, delivery: Delivery::Live, ..Default::default() };
        assert_eq!(live(Some(1400), PeerKind::Plumb).message_size(), 1372);
        assert_eq!(live(Some(LEAST_MTU), PeerKind::Plumb).message_size(), 548);
        assert_eq!(live(Some(LOOPBACK_MTU), PeerKind::Plumb).message_size(), 15_972);
        assert_eq!(live(None, PeerKind::Plumb).message_size(), 1160);
        assert_eq!(live(None, PeerKind::Stranger).message_size(), 1372);
    }

    #[test]
    fn reliable_messages_fill_the_packets_of_one_system_call() {
        let reliable = |mtu, peer| LinkSettings { mtu, peer, ..Default::default() }.message_size();
        assert_eq!(reliable(Some(LOOPBACK_MTU), PeerKind::Plumb), 4 * 15_972);
        assert_eq!(reliable(Some(1400), PeerKind::Plumb), 45 * 1372);
        assert_eq!(reliable(None, PeerKind::Plumb), 53 * 1160);
        assert_eq!(reliable(Some(9000), PeerKind::Stranger), 3 * 8972);
        // What a stranger's sockets take holds, too.
        assert_eq!(reliable(None, PeerKind::Stranger), 23 * 1372);
        assert_eq!(reliable(Some(1183), PeerKind::Stranger), 24 * 1152, "half of 48 datagrams");
        for mtu in LEAST_MTU..=LOOPBACK_MTU {
            for peer in [PeerKind::Plumb, PeerKind::Stranger] {
                assert!((1..=MESSAGE_SIZE).contains(&reliable(Some(mtu), peer)), "{mtu}");
            }
        }
    }

    #[test]
    fn no_packet_exceeds_what_the_path_carries() {
        let size = |mtu, path_mtu, peer| LinkSettings { mtu, path_mtu, peer, ..Default::default() }.packet_size();
        let (plumb, stranger) = (PeerKind::Plumb, PeerKind::Stranger);
        // 1343: WireGuard's 1420; 1183: IPv6's least, 1280, as Tailscale's.
        for (path, to_plumb, to_stranger) in [(16_000, 1191, 1400), (1343, 1191, 1343), (1183, 1183, 1183)] {
            assert_eq!(size(None, Some(path), plumb), to_plumb);
            assert_eq!(size(None, Some(path), stranger), to_stranger);
            assert_eq!(size(Some(16_000), Some(path), plumb), path);
        }
        assert_eq!([size(None, None, plumb), size(None, None, stranger)], [1191, 1400]);
    }

    #[test]
    fn what_is_on_the_way_follows_what_the_peers_sockets_take() {
        for buffer in [0, 4_096, 64 << 10, 128 << 10, 212_992, 4 << 20, u32::MAX] {
            for (mtu, datagram) in [(LEAST_MTU, 1_280), (1_191, 2_304), (1_400, 2_304), (9_000, 16_640)] {
                for delivery in [Delivery::Reliable, Delivery::Live] {
                    let settings =
                        LinkSettings { mtu: Some(mtu), peer_buffer: Some(buffer), delivery, ..Default::default() };
                    let (message, most) = (settings.message_size(), settings.message_size() + settings.send_buffer());
                    let packets = most.div_ceil(packet_payload(mtu));
                    // Of a buffer that takes less than three packets one message is on its way at a time.
                    assert!(packets * datagram <= buffer as usize || packets <= 2, "{settings:?}: {packets}");
                    assert!(
                        (1..=MESSAGE_SIZE).contains(&message) && settings.send_buffer() <= SEND_BUFFER,
                        "{settings:?}"
                    );
                }
            }
        }
        let plain = LinkSettings { mtu: Some(1400), ..Default::default() };
        let large = LinkSettings { peer_buffer: Some(8 << 20), ..plain.clone() };
        assert_eq!(
            (large.message_size(), large.send_buffer()),
            (plain.message_size(), plain.send_buffer()),
            "no bound"
        );
    }

    #[test]
    fn a_stranger_and_a_published_port_take_no_more_than_a_browser() {
        let stranger = LinkSettings { peer: PeerKind::Stranger, ..Default::default() };
        let advertise = Some([192, 0, 2, 7].into());
        let published = LinkSettings { mtu: Some(1400), advertise, peer_buffer: Some(8 << 20), ..Default::default() };
        for settings in [stranger, published] {
            assert_eq!(settings.message_size() + settings.send_buffer(), 48 * 1372, "{settings:?}");
        }
    }

    #[test]
    fn only_the_lanes_of_frames_and_answers_are_ever_lossy() {
        let live = LinkSettings { delivery: Delivery::Live, ..Default::default() };
        assert!(live.channel(Lane::Control).is_none());
        for lane in [Lane::Frames, Lane::Answers] {
            assert!(live.channel(lane).is_some_and(|init| !init.ordered && init.max_retransmits == Some(0)));
            assert!(LinkSettings::default().channel(lane).is_none());
        }
    }
}
