//! A peer's description, reduced to what is read for data channels.
//!
//! The `webrtc` crate also reads what audio and video need, and some of that costs it far more than its bytes: 64 KiB of
//! formats took seconds and a gigabyte. It reads lines leniently, and refuses a certificate that is named by another hash
//! before SHA-256. What Plumb counts and checks here must be what the crate reads.

use std::collections::BTreeMap;

use super::error::OpenError;

/// Maximum number of addresses taken from a peer, in its description and after it: more than any machine offers. Each
/// one is sent connectivity checks, even if it belongs to another machine (900 of them held up a session's thread for 9
/// s). No other attribute has as many lines.
pub(super) const MAX_CANDIDATES: usize = 16;

/// The attributes that Plumb or the crate reads for data channels (RFC 8839, 8841, 8842, 9143; RFC 4566 for the
/// directions).
const READ: [&str; 17] = [
    "candidate",
    "end-of-candidates",
    "fingerprint",
    "group",
    "ice-lite",
    "ice-options",
    "ice-pwd",
    "ice-ufrag",
    "inactive",
    "max-message-size",
    "mid",
    "recvonly",
    "sctp-port",
    "sctpmap",
    "sendonly",
    "sendrecv",
    "setup",
];

/// Plumb's own attribute.
const OWN: &str = "x-plumb";

/// The hash by which the crate compares certificates.
const HASH: &str = "sha-256";

/// The description with each line as `type=value`, without spaces around the value, and only with lines that are read.
///
/// # Errors
/// [`OpenError::OtherMedia`], or [`OpenError::OtherHash`] if the certificate is named, but not by its SHA-256.
pub(super) fn plain(sdp: &str) -> Result<String, OpenError> {
    let (mut plain, mut counts, mut other_hash) = (String::with_capacity(sdp.len()), BTreeMap::new(), None);
    for line in sdp.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
        // The crate refuses a line without a type.
        let (kind, value) = line.split_once('=').unwrap_or(("", line));
        let value = value.trim_start();
        let name = value.split(':').next().unwrap_or_default().trim_end();
        let most = match kind {
            "v" | "o" | "s" | "t" => 1,
            // Of the session and of its section.
            "c" => 2,
            "m" if value.starts_with("application ") && !counts.contains_key("m") => 1,
            "m" => return Err(OpenError::OtherMedia(value.split(' ').next().unwrap_or_default().to_owned())),
            "a" if READ.contains(&name) || name == OWN => MAX_CANDIDATES,
            "" => {
                plain.extend([line, "\r\n"]);
                continue;
            }
            _ => continue,
        };
        let mut value = value.to_owned();
        if let Some(hash) = value.strip_prefix("fingerprint:").and_then(|named| named.split_whitespace().next())
            && kind == "a"
        {
            if !hash.eq_ignore_ascii_case(HASH) {
                other_hash = Some(hash.to_owned());
                continue;
            }
            let digits = value.split_whitespace().last().unwrap_or_default();
            value = format!("fingerprint:{HASH} {digits}");
        }
        let count = counts.entry(if kind == "a" { name } else { kind }).or_insert(0);
        *count += 1;
        if *count <= most {
            plain.extend([kind, "=", &value, "\r\n"]);
        }
    }
    match other_hash {
        Some(hash) if !counts.contains_key("fingerprint") => Err(OpenError::OtherHash(hash)),
        _ => Ok(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTION: &str = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=x-plumb:1 mtu=1300\r\n\
                           m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=setup:active\r\n\
                           a=mid:0\r\na=sendrecv\r\na=sctp-port:5000\r\na=max-message-size:65536\r\na=ice-ufrag:u\r\n\
                           a=ice-pwd:p\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=end-of-candidates\r\n";

    #[test]
    fn a_description_of_data_channels_stays_as_it_is_however_its_lines_are_written() {
        assert_eq!(plain(SECTION).unwrap(), SECTION);
        for written in [
            SECTION.replace("\r\n", "\n"),
            SECTION.replace("\r\na=", "\r\n a= ").replace("\r\n", " \r\r\n\r\n"),
            SECTION.replace("a=mid", "a=\u{a0}mid").trim_end().to_owned(),
        ] {
            assert_eq!(plain(&written).unwrap(), SECTION, "{written}");
        }
        assert_eq!([plain("").unwrap(), plain("no type").unwrap()], ["", "no type\r\n"]);
    }

    #[test]
    fn candidates_are_counted_however_their_lines_are_written() {
        let written = [
            "a=candidate:",
            "\ra=candidate:",
            "a= candidate:",
            "a=\u{a0}candidate:",
            " a=candidate:",
            "a=\tcandidate:",
        ];
        for start in written {
            let sdp = format!("v=0\r\n{}", format!("{start}1 1 udp 1 192.0.2.1 9 typ host \r\n").repeat(1_200));
            let few = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n".repeat(MAX_CANDIDATES);
            assert_eq!(plain(&sdp).unwrap(), format!("v=0\r\n{few}"));
        }
    }

    #[test]
    fn what_data_channels_do_not_need_is_left_out() {
        for line in ["a=rtcp-fb:1 n\r\n", "a=rtpmap:1 x/1\r\n", "a=ssrc:1 a:b\r\n", "b=AS:1\r\n", "a=\r\n", "x=1\r\n"] {
            assert_eq!(plain(&(SECTION.to_owned() + &line.repeat(5_000))).unwrap(), SECTION, "{line}");
        }
        let repeated = ["a=mid:0\r\n", "a=sctpmap:5000 webrtc-datachannel\r\n", "t=0 0\r\n", "c=IN IP4 0.0.0.0\r\n"];
        for line in repeated {
            let more = plain(&(SECTION.to_owned() + &line.repeat(5_000))).unwrap();
            assert!(more.len() <= SECTION.len() + MAX_CANDIDATES * line.len(), "{line}");
        }
    }

    #[test]
    fn a_section_of_other_media_or_a_second_one_is_refused() {
        for section in ["m=video 9 UDP/TLS/RTP/SAVPF 1 1\r\n", "m=audio 9 RTP/AVP 0\r\n", "m=application 9 x y\r\n"] {
            let wrong = plain(&(SECTION.to_owned() + section)).unwrap_err().to_string();
            assert!(wrong.contains("data channels"), "{wrong}");
        }
    }

    #[test]
    fn the_certificate_is_named_by_its_sha_256_in_any_order_and_case() {
        let with = |lines: &[&str]| {
            let lines: String = lines.iter().map(|line| format!("a=fingerprint:{line}\r\n")).collect();
            plain(&(SECTION.to_owned() + &lines))
        };
        let right = with(&["sha-256 AB:CD"]).unwrap();
        assert!(right.ends_with("a=fingerprint:sha-256 AB:CD\r\n"), "{right}");
        assert_eq!(with(&["sha-512 01", "sha-384 02", "SHA-256  AB:CD"]).unwrap(), right);
        let wrong = with(&["sha-512 01", "sha-384 02"]).unwrap_err().to_string();
        assert!(wrong.contains("SHA-256") && wrong.contains("sha-384"), "{wrong}");
    }
}
