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

/// Maximum number of addresses taken from a peer, in its description and after it: more than any machine offers. Each
/// one is sent connectivity checks, even if it belongs to another machine (900 of them held up a session's thread for 9
/// s).
pub(super) const MAX_CANDIDATES: usize = 16;

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

/// A peer's description with each line as `type=value`, without spaces around the value and without empty lines. The
/// `webrtc` crate reads lines so, and what is read here must be what it reads.
pub(super) fn plain(sdp: &str) -> String {
    let mut plain = String::with_capacity(sdp.len());
    for line in sdp.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
        let (kind, value) = line.split_at(line.find('=').map_or(line.len(), |at| at + 1));
        plain.extend([kind, value.trim_start(), "\r\n"]);
    }
    plain
}

/// The description with only the first [`MAX_CANDIDATES`] of its candidates.
pub(super) fn few_candidates(sdp: &str) -> String {
    let mut candidates = 0;
    let is_taken = |line: &&str| {
        candidates += usize::from(line.starts_with("a=candidate:"));
        !line.starts_with("a=candidate:") || candidates <= MAX_CANDIDATES
    };
    sdp.split_inclusive('\n').filter(is_taken).collect()
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
    fn no_more_candidates_are_taken_than_a_machine_has() {
        let line = |number: usize| format!("a=candidate:{number} 1 udp 1 192.0.2.1 {number} typ host\r\n");
        let with = |count: usize| format!("v=0\r\n{}a=mid:0\r\n", (1..=count).map(line).collect::<String>());
        assert_eq!(few_candidates(&with(MAX_CANDIDATES)), with(MAX_CANDIDATES));
        assert_eq!(few_candidates(&with(900)), with(MAX_CANDIDATES));
        assert_eq!(few_candidates("v=0"), "v=0");
    }

    #[test]
    fn candidates_are_counted_however_their_lines_are_written() {
        let written = [
            "a=candidate:",
            "\ra=candidate:",
            "a= candidate:",
            "a=\u{a0}candidate:",
            " a=candidate:",
            "\r\r a=\tcandidate:",
        ];
        for start in written {
            let sdp = format!("v=0\r\n{}", format!("{start}1 1 udp 1 192.0.2.1 9 typ host \r\n").repeat(1_200));
            let few = few_candidates(&plain(&sdp));
            assert_eq!(
                few,
                format!("v=0\r\n{}", "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n".repeat(MAX_CANDIDATES))
            );
        }
    }

    #[test]
    fn a_plain_description_stays_as_it_is_and_any_other_becomes_plain() {
        let sdp = "v=0\r\ns=-\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n";
        assert_eq!(plain(sdp), sdp);
        assert_eq!(plain("v=0\ns= -\n\n\r\na=mid:0"), "v=0\r\ns=-\r\na=mid:0\r\n");
        assert_eq!([plain(""), plain("=\r"), plain("\u{e9}==x")], ["", "=\r\n", "\u{e9}==x\r\n"]);
    }

    #[test]
    fn the_peers_message_size_is_read_from_its_description() {
        assert_eq!(peer_message_size("a=max-message-size:262144\r\n"), 262_144);
        assert_eq!(peer_message_size("a=max-message-size:0\r\n"), usize::MAX);
        assert_eq!(peer_message_size("v=0\r\n"), 65_536);
    }
}
