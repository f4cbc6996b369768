//! Settings of a link's sockets and packets, derived from what is known about the peer and the path.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use webrtc::data_channel::RTCDataChannelInit;

use crate::door::admission::Proven;
use crate::link::{Lane, MESSAGE_SIZE};
use crate::protocol::message::Delivery;

use super::burst::most_on_the_way;
use super::mtu::{CRATE_MTU, NETWORK_MTU, packet_payload, packets_at_once};
use super::pace::Profile;

/// Receive buffer that any stranger's sockets have, as `SO_RCVBUF` reads: that of Chromium, which a page cannot
/// enlarge. aiortc's sockets have the system default, 208 KiB.
const STRANGER_BUFFER: u32 = 128 << 10;

/// Largest message to a stranger. Measured with Chromium: no drops.
const STRANGER_MESSAGE_SIZE: usize = 32 << 10;

/// Unacknowledged bytes a lane may hold before a send waits: three frames of 640x480. Measured to lose no throughput.
const SEND_BUFFER: usize = 1 << 20;

/// Pace of the clock of a live link between two Plumb peers, in multiples of real time. SCTP then counts a packet as
/// lost after 8 ms instead of 1 s, and acknowledges within 2 ms instead of 200 ms.
///
/// These times matter because a loss stalls SCTP. After it counts a packet as lost, it sends a single packet and waits
/// for the acknowledgement. If that packet or its acknowledgement is lost too, SCTP sends nothing for the same time
/// again, or for twice that time (RFC 9260, 7.2.3 and 6.3.3).
///
/// Measured p99 latency at paces of 32, 64, 128 and 256: 4.8, 3.0, 1.6 and 1.4 frame intervals (5 % loss, 60 frames of
/// 640x480 per second in two packets each, busy machine, before lost frames were probed for). A faster clock takes
/// longer to settle on a path with a long round trip, because SCTP doubles its RTO until it is long enough.
const LIVE_PACE: u32 = 128;

/// The pace with a stranger, which may take up to 200 ms to acknowledge: SCTP counts a packet as lost after 250 ms.
const STRANGER_PACE: u32 = 4;

/// Pace of the clock of a reliable link while packets are being lost. SCTP then counts a packet as lost after 62 ms,
/// which is longer than a round trip takes on a busy machine ([`Profile::reliable`]).
const LOSSY_PACE: u32 = 16;

/// Settings of a link's sockets and packets.
#[derive(Clone, Debug, Default)]
pub struct LinkSettings {
    /// Local addresses to bind and to offer as candidates.
    pub addresses: Vec<IpAddr>,
    /// UDP ports to choose from, the first free one is bound; any port if absent.
    pub ports: Option<RangeInclusive<u16>>,
    /// Address to offer in place of the bound ones, for published ports.
    pub advertise: Option<IpAddr>,
    /// Largest SCTP packet in bytes, as agreed with the peer. If absent, the crate's 1191, or 1400 for strangers.
    pub mtu: Option<u32>,
    /// Largest SCTP packet that the path carries, in bytes, if known ([`path_mtu`](super::path_mtu)).
    pub path_mtu: Option<u32>,
    /// Receive buffer of the peer's UDP sockets, in bytes as `SO_RCVBUF` reads. If absent, it is taken to equal ours.
    pub peer_buffer: Option<u32>,
    /// The peer's address on the signaling connection, if known. Other machines get only a few connectivity checks.
    pub signaling: Option<IpAddr>,
    /// Whether the peer is Plumb's or a stranger.
    pub peer: PeerKind,
    /// Maximum number of unacknowledged bytes on a lane; the usual 1 MiB if absent.
    pub most_in_flight: Option<usize>,
    /// Delivery on the offerer's lanes for frames and answers. The answerer follows the offer.
    pub delivery: Delivery,
    /// What both ends have proved to each other. The link is then proved to be theirs before it carries anything.
    pub proven: Option<Proven>,
}

/// Lists the settings for people, one after the other.
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

/// What is known about a peer before the link opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeerKind {
    /// A Plumb peer, which takes what we take.
    #[default]
    Plumb,
    /// A stranger, which gets settings that every peer takes in place of those above.
    Stranger,
}

impl LinkSettings {
    /// Largest SCTP packet, in bytes. It never exceeds what the path carries: full packets would not arrive.
    pub(super) fn packet_size(&self) -> u32 {
        let usual = match self.peer {
            PeerKind::Plumb => CRATE_MTU,
            PeerKind::Stranger => NETWORK_MTU,
        };
        self.mtu.unwrap_or(usual).min(self.path_mtu.unwrap_or(u32::MAX))
    }

    /// How many times as fast as real time the link's clock runs.
    pub(super) fn pace(&self) -> Profile {
        match (self.delivery, self.peer) {
            (Delivery::Reliable, PeerKind::Plumb) => Profile::reliable(LOSSY_PACE),
            (Delivery::Reliable, PeerKind::Stranger) => Profile::reliable(STRANGER_PACE),
            (Delivery::Live, PeerKind::Plumb) => Profile::live(LIVE_PACE),
            (Delivery::Live, PeerKind::Stranger) => Profile::live(STRANGER_PACE),
        }
    }

    /// The settings of a lane's channel.
    ///
    /// In live delivery, SCTP sends a packet once. If it retransmitted a packet and that was lost again, all later ones
    /// would be blocked until its timer expires. Instead, the peer requests what is worth repeating.
    pub(super) fn channel(&self, lane: Lane) -> Option<RTCDataChannelInit> {
        let live = self.delivery == Delivery::Live && lane != Lane::Control;
        live.then(|| RTCDataChannelInit { ordered: false, max_retransmits: Some(0), ..Default::default() })
    }

    /// Whether the path to the peer has sockets that are not ours: the peer's own, or those of a proxy behind a
    /// published port. Such a socket drops what overflows the usual 208 KiB: some 90 datagrams, because the kernel
    /// charges 2.3 kB for each. (Seen: a session behind a published port that died of retransmissions.)
    fn has_foreign_sockets(&self) -> bool {
        self.peer == PeerKind::Stranger || self.advertise.is_some()
    }

    /// Maximum number of message bytes in flight.
    fn most_on_the_way(&self) -> Option<usize> {
        let foreign = self.has_foreign_sockets().then_some(STRANGER_BUFFER);
        let buffer = self.peer_buffer.into_iter().chain(foreign).min()?;
        Some(most_on_the_way(buffer, self.packet_size()))
    }

    /// Unacknowledged bytes on a lane at which a send waits. Together with the next message, they are no more than the
    /// peer takes.
    pub(super) fn send_buffer(&self) -> usize {
        let most = self.most_on_the_way().map_or(usize::MAX, |most| most.saturating_sub(self.message_size()));
        most.clamp(1, self.most_in_flight.unwrap_or(SEND_BUFFER).max(1))
    }

    /// Largest message: as many full packets as one system call sends, within what the peer can take. (At an MTU of
    /// 16,000, each message of 64 KiB left a rest of 1.6 kB, which cost both ends an extra packet and system call.) In
    /// live delivery it is what one packet holds, so that a lost packet affects no other message.
    pub(super) fn message_size(&self) -> usize {
        let largest = if self.has_foreign_sockets() { STRANGER_MESSAGE_SIZE } else { MESSAGE_SIZE };
        // Half of the bytes that may be in flight, so that the next message is handed over while one is acknowledged.
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
        // The limit of a stranger's sockets applies too.
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
                    // If the buffer takes fewer than three packets, one message is on its way at a time.
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
    fn a_stranger_and_a_published_port_get_no_larger_buffer_than_a_browser() {
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
