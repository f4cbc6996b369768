//! Parts of a description that the `webrtc` crate neither reads nor writes: Plumb's own attribute, the advertised
//! address, the peer's message size.

use std::net::IpAddr;

use crate::link::MESSAGE_SIZE;
use crate::protocol::fragment::{MAX_HEADER, MIN_PAYLOAD};

use super::mtu::sound_mtu;

/// Position of the address among the words of a candidate line (RFC 8839, section 5.1).
const CANDIDATE_ADDRESS: usize = 4;

/// Smallest message size that a peer must take, in bytes: the smallest fragment that is not the last of its message.
pub(super) const LEAST_MESSAGE: usize = MAX_HEADER + MIN_PAYLOAD;

/// Session-level attribute by which a Plumb offer describes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlumbAttribute {
    /// Largest SCTP packet that the offerer will send and take, in bytes.
    pub(super) mtu: Option<u32>,
    /// Whether the lanes for frames and answers use live delivery.
    pub(super) live: bool,
    /// Whether the offerer has received no hello. A client whose hello came late gets another offer.
    pub(super) is_stranger: bool,
}

impl PlumbAttribute {
    /// Inserts the attribute into a description, before its first media section.
    pub(super) fn insert(self, sdp: &str) -> String {
        let mut line = String::from("a=x-plumb:1");
        if let Some(mtu) = self.mtu {
            line.push_str(&format!(" mtu={mtu}"));
        }
        if self.live {
            line.push_str(" live");
        }
        if self.is_stranger {
            line.push_str(" stranger");
        }
        line.push_str("\r\n");
        let at = sdp.find("m=").unwrap_or(sdp.len());
        format!("{}{line}{}", &sdp[..at], &sdp[at..])
    }

    /// Finds the attribute in a description.
    pub(super) fn find(sdp: &str) -> Option<Self> {
        let value = sdp.lines().find_map(|line| line.trim_end().strip_prefix("a=x-plumb:1"))?;
        let mtu = value.split_whitespace().find_map(|word| word.strip_prefix("mtu=")?.parse().ok());
        let says = |wanted| value.split_whitespace().any(|word| word == wanted);
        Some(Self { mtu: mtu.and_then(sound_mtu), live: says("live"), is_stranger: says("stranger") })
    }
}

/// Replaces our own address in the candidates by `address`. Done here because version 0.21 of the crate never reads its
/// own setting for it (`nat_1to1_ips`).
pub(super) fn advertised(sdp: String, address: Option<IpAddr>) -> String {
    let Some(address) = address.map(|address| address.to_string()) else { return sdp };
    let named = |line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        match words.get_mut(CANDIDATE_ADDRESS) {
            Some(word) if line.starts_with("a=candidate:") => *word = &address,
            _ => {}
        }
        words.join(" ")
    };
    sdp.split("\r\n").map(named).collect::<Vec<_>>().join("\r\n")
}

/// Largest message the peer takes, in bytes: `a=max-message-size`, 64 KiB if absent, no limit if 0 (RFC 8841).
pub(super) fn peer_message_size(sdp: &str) -> usize {
    let value = sdp.lines().find_map(|line| line.trim_end().strip_prefix("a=max-message-size:"));
    match value.and_then(|value| value.trim().parse().ok()) {
        Some(0) => usize::MAX,
        Some(size) => size,
        None => MESSAGE_SIZE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plumb_attribute_is_before_the_first_media_section() {
        let sdp = "v=0\r\ns=-\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n";
        let marked = PlumbAttribute { mtu: Some(16_000), live: false, is_stranger: false }.insert(sdp);
        assert!(marked.starts_with("v=0\r\ns=-\r\na=x-plumb:1 mtu=16000\r\nm=application"), "{marked}");
        assert_eq!(
            PlumbAttribute::find(&marked),
            Some(PlumbAttribute { mtu: Some(16_000), live: false, is_stranger: false })
        );
        assert_eq!(PlumbAttribute::find(sdp), None);
        let live = PlumbAttribute { mtu: None, live: true, is_stranger: false };
        assert!(live.insert(sdp).contains("\r\na=x-plumb:1 live\r\n"));
        assert_eq!(PlumbAttribute::find(&live.insert(sdp)), Some(live));
        let stranger = PlumbAttribute { is_stranger: true, ..live };
        assert!(stranger.insert(sdp).contains("\r\na=x-plumb:1 live stranger\r\n"));
        assert_eq!(PlumbAttribute::find(&stranger.insert(sdp)), Some(stranger));
    }

    #[test]
    fn an_impossible_mtu_is_ignored() {
        for mtu in ["0", "100", "-5", "x"] {
            let attribute = PlumbAttribute::find(&format!("a=x-plumb:1 mtu={mtu}\r\n"));
            assert_eq!(attribute, Some(PlumbAttribute { mtu: None, live: false, is_stranger: false }), "{mtu}");
        }
    }

    #[test]
    fn the_peers_message_size_is_read_from_its_description() {
        assert_eq!(peer_message_size("a=max-message-size:262144\r\n"), 262_144);
        assert_eq!(peer_message_size("a=max-message-size:0\r\n"), usize::MAX);
        assert_eq!(peer_message_size("v=0\r\n"), 65_536);
    }
}
