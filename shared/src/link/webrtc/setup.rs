//! Who begins: DTLS roles in descriptions, and with them who starts SCTP.
//!
//! RFC 8841 has both ends start SCTP. Version 0.21 of the crate does so only where it is the DTLS client, and some peers
//! (aiortc before 1.16, werift) only where they are ICE's controlling end, which is the one that offers. So the offer claims
//! the client's role, `a=setup:active`, in place of `actpass`, which leaves the choice to the answer: then our SCTP starts.
//! A peer's offer is answered as its server: its SCTP starts.

/// The DTLS role that a description claims (RFC 8122, `a=setup`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setup {
    /// The client: it begins.
    Active,
    /// The server.
    Passive,
}

/// Begins the line.
const SETUP: &str = "a=setup:";

impl Setup {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
        }
    }

    /// The description with this role in place of the one it claims.
    pub(super) fn put(self, sdp: &str) -> String {
        let line = format!("{SETUP}{}\r\n", self.word());
        if !sdp.lines().any(|given| given.starts_with(SETUP)) {
            return format!("{}\r\n{line}", sdp.trim_end());
        }
        sdp.split_inclusive('\n').map(|given| if given.starts_with(SETUP) { &line } else { given }).collect()
    }

    /// The role an offer leaves to us: its client's only where it insists on being the server.
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
    fn a_role_takes_the_place_of_the_one_claimed() {
        let active = Setup::Active.put(OFFER);
        assert_eq!(active, OFFER.replace("actpass", "active"));
        assert_eq!(Setup::Passive.put(&active), OFFER.replace("actpass", "passive"));
    }

    #[test]
    fn a_description_that_claims_none_gets_one() {
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
