//! Descriptions in the form before RFC 8841 (draft-ietf-mmusic-sctp-sdp-07), which aiortc wrote until 1.9. The old form
//! has `m=application 9 DTLS/SCTP 5000` with `a=sctpmap:5000 webrtc-datachannel 65535`; the new form has `UDP/DTLS/SCTP
//! webrtc-datachannel` and `a=sctp-port:5000`. The `webrtc` crate reads only the new form.

/// Converts a description to the form of RFC 8841. One already in that form is returned unchanged.
pub(super) fn current(sdp: String) -> String {
    let Some(port) = sdp.lines().find_map(old_port) else { return sdp };
    // Only one line of the peer becomes a line with the port, so that it cannot make the description many times longer.
    let mut has_port = sdp.lines().any(|line| line.starts_with("a=sctp-port:"));
    let mut current = String::new();
    for line in sdp.split_inclusive('\n') {
        if old_port(line).is_some() {
            current.push_str(&line.replacen(&format!("DTLS/SCTP {port}"), "UDP/DTLS/SCTP webrtc-datachannel", 1));
        } else if !line.starts_with("a=sctpmap:") {
            current.push_str(line);
        } else if !has_port {
            has_port = true;
            current.push_str(&format!("a=sctp-port:{port}\r\n"));
        }
    }
    current
}

/// The SCTP port in a media line of the old form.
fn old_port(line: &str) -> Option<u16> {
    let mut words = line.trim_end().strip_prefix("m=application ")?.split(' ').skip(1);
    (words.next()? == "DTLS/SCTP").then(|| words.next()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_form_of_data_channels_is_read_as_the_new_one() {
        let old = "v=0\r\nm=application 49152 DTLS/SCTP 5000\r\nc=IN IP4 10.0.0.1\r\na=mid:0\r\n\
                   a=sctpmap:5000 webrtc-datachannel 65535\r\na=max-message-size:65536\r\na=setup:actpass\r\n";
        let new = "v=0\r\nm=application 49152 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 10.0.0.1\r\na=mid:0\r\n\
                   a=sctp-port:5000\r\na=max-message-size:65536\r\na=setup:actpass\r\n";
        assert_eq!(current(old.into()), new);
        assert_eq!(current(new.into()), new);
    }

    #[test]
    fn a_description_never_becomes_many_times_longer() {
        let maps = "a=sctpmap:\r\n".repeat(2_700);
        let with = |port: &str| format!("v=0\r\nm=application 9 DTLS/SCTP {port}\r\n{maps}");
        let port = "5".repeat(31_000);
        assert_eq!(current(with(&port)), with(&port), "no port has so many digits");
        let new = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=sctp-port:5000\r\n";
        assert_eq!(current(with("5000")), new);
        let repeated = format!("m=application 9 DTLS/SCTP 5{}\r\n", " DTLS/SCTP 5".repeat(5_000));
        assert!(current(repeated.clone()).len() < repeated.len() + 40);
    }

    #[test]
    fn a_description_in_neither_form_stays_unchanged() {
        for sdp in
            ["", "m=application", "m=application 9 DTLS/SCTP", "m=application 9 UDP/DTLS/SCTP x\r\na=sctpmap:1\r\n"]
        {
            assert_eq!(current(sdp.into()), sdp);
        }
    }
}
