//! The DTLS roles in descriptions, which also decide who starts SCTP.
//!
//! By RFC 8841 both ends start SCTP. Version 0.21 of the crate starts it only as the DTLS client. Some peers (aiortc
//! before 1.16, werift) start it only as ICE's controlling end, which is the offerer. So our offer claims the client
//! role, `a=setup:active`, instead of `actpass`, which would leave the choice to the answer: then our SCTP starts. We
//! answer a peer's offer as the DTLS server: then its SCTP starts.

/// The DTLS role that a description claims (RFC 8122, `a=setup`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setup {
    /// The client, which begins.
    Active,
    /// The server.
    Passive,
}

/// Start of the attribute's line.
const SETUP: &str = "a=setup:";

impl Setup {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
        }
    }

    /// Replaces the role that the description claims by this one.
    pub(super) fn put(self, sdp: &str) -> String {
        let line = format!("{SETUP}{}\r\n", self.word());
        if !sdp.lines().any(|given| given.starts_with(SETUP)) {
            return format!("{}\r\n{line}", sdp.trim_end());
        }
        sdp.split_inclusive('\n').map(|given| if given.starts_with(SETUP) { &line } else { given }).collect()
    }

    /// The role that an offer leaves to us. It is the client's if the offer insists on being the server, and otherwise
    /// the server's.
    pub(super) fn left_by(offer: &str) -> Self {
        let claimed = offer.lines().find_map(|line| line.trim_end().strip_prefix(SETUP));
        if claimed == Some("passive") { Self::Active } else { Self::Passive }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=setup:actpass\r\na=mid:0\r\n";

    #[test]
    fn a_role_replaces_the_claimed_one() {
        let active = Setup::Active.put(OFFER);
        assert_eq!(active, OFFER.replace("actpass", "active"));
        assert_eq!(Setup::Passive.put(&active), OFFER.replace("actpass", "passive"));
    }

    #[test]
    fn a_role_is_added_to_a_description_without_one() {
        let bare = OFFER.replace("a=setup:actpass\r\n", "");
        assert_eq!(Setup::Passive.put(&bare), format!("{bare}a=setup:passive\r\n"));
    }

    #[test]
    fn an_offer_that_insists_on_being_the_server_gets_a_client() {
        assert_eq!(Setup::left_by(OFFER), Setup::Passive);
        assert_eq!(Setup::left_by(&Setup::Active.put(OFFER)), Setup::Passive);
        assert_eq!(Setup::left_by(&Setup::Passive.put(OFFER)), Setup::Active);
        assert_eq!(Setup::left_by("v=0\r\n"), Setup::Passive);
    }
}
