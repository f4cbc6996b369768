//! Signaling messages: one JSON object each, told apart by its `type`.

use serde::{Deserialize, Serialize};

use crate::protocol::VERSION;
use crate::protocol::message::Role;

/// Describes a valid hello, for peers that sent an invalid one.
pub const HELLO: &str = r#"a hello is {"type":"hello","plumb":1,"role":"sink"}, with "mtu":BYTES (a whole number, 576 or more), "receive_buffer":BYTES, "features":["NAME"] and "link":"tcp" where it has them"#;

/// Describes a valid first line of a source that calls a listening client.
pub const SOURCE_HELLO: &str =
    r#"a source that calls says {"type":"hello","plumb":1,"role":"source"}, with "link":"tcp" if it wants that link"#;

/// A signaling message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Signal {
    /// A Plumb peer introduces itself: a client that calls, a server that calls, or a client that was called.
    Hello(Introduction),
    /// Asks whether this is a Plumb server.
    Ping {},
    /// Answers a ping.
    Pong {
        /// The server's name, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Random per server process.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// This connection becomes the link, with the next byte in each direction: the answer to a hello that asks for it.
    Link {
        /// The kind of link: `tcp`.
        link: String,
    },
    /// The offerer's description.
    Offer {
        /// Session description.
        sdp: String,
    },
    /// The answerer's description.
    Answer {
        /// Session description.
        sdp: String,
        /// With a token: the answerer's proof over both descriptions' certificates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<String>,
    },
    /// With a token: the source's answer to a sink's hello.
    Challenge {
        /// The source's nonce.
        nonce: String,
        /// The source's proof over both nonces.
        proof: String,
        /// The public key of a source with an identity.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<String>,
        /// That key's signature over both nonces.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// With a token: the sink's answer to a challenge, over both nonces; and the source's answer to an answer, over both
    /// descriptions' certificates.
    Proof {
        /// The sender's proof.
        proof: String,
        /// The signature of a source with an identity, over both descriptions' certificates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// A further address of the sender.
    Candidate {
        /// The `candidate:` line.
        candidate: String,
    },
    /// There will be no session.
    Error {
        /// The reason, for people.
        reason: String,
        /// Whether a later attempt may succeed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        retry: bool,
    },
    /// The sender is leaving.
    Bye {
        /// The reason of the session's `bye`, if a session has ended. A link that carries or loses much may not deliver
        /// that message before it closes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

impl Signal {
    /// A bye without a reason: the sender leaves before there was a session.
    pub const GOODBYE: Self = Self::Bye { reason: None };
}

impl Signal {
    /// The message's `type`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Ping {} => "ping",
            Self::Pong { .. } => "pong",
            Self::Link { .. } => "link",
            Self::Offer { .. } => "offer",
            Self::Answer { .. } => "answer",
            Self::Challenge { .. } => "challenge",
            Self::Proof { .. } => "proof",
            Self::Candidate { .. } => "candidate",
            Self::Error { .. } => "error",
            Self::Bye { .. } => "bye",
        }
    }
}

/// What a Plumb peer says about itself before the offer. A server that calls names only its role and the link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Introduction {
    /// Protocol version.
    pub plumb: u64,
    /// Its role.
    pub role: Role,
    /// Largest SCTP packet that the client can take on this path, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Receive buffer of the client's UDP sockets, in bytes as `SO_RCVBUF` reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive_buffer: Option<u32>,
    /// What else the client can do. Unknown names are ignored.
    #[serde(default)]
    pub features: Vec<String>,
    /// The kind of link that the caller asks for; `webrtc` when absent. A client that was called repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// With a token: the sink's nonce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

impl Introduction {
    /// The hello of a client of this version that asks for a link over data channels.
    pub fn new(features: Vec<String>) -> Self {
        Self { plumb: VERSION, role: Role::Sink, mtu: None, receive_buffer: None, features, link: None, nonce: None }
    }

    /// The hello of a source that calls a client and asks for this kind of link.
    pub fn of_source(link: String) -> Self {
        Self { role: Role::Source, link: Some(link), ..Self::new(Vec::new()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_written_exactly_as_documented() {
        let json = |signal: &Signal| serde_json::to_string(signal).unwrap();
        assert_eq!(json(&Signal::Ping {}), r#"{"type":"ping"}"#);
        assert_eq!(json(&Signal::GOODBYE), r#"{"type":"bye"}"#);
        assert_eq!(json(&Signal::Bye { reason: Some("finished".into()) }), r#"{"type":"bye","reason":"finished"}"#);
        let refusal = |retry| json(&Signal::Error { reason: "full".into(), retry });
        assert_eq!(refusal(false), r#"{"type":"error","reason":"full"}"#);
        assert_eq!(refusal(true), r#"{"type":"error","reason":"full","retry":true}"#);
        assert_eq!(json(&Signal::Offer { sdp: "v=0\r\n".into() }), r#"{"type":"offer","sdp":"v=0\r\n"}"#);
        let hello = Introduction { mtu: Some(16_000), ..Introduction::new(vec![]) };
        assert_eq!(
            json(&Signal::Hello(hello.clone())),
            r#"{"type":"hello","plumb":1,"role":"sink","mtu":16000,"features":[]}"#
        );
        let tcp = Introduction { link: Some("tcp".into()), ..Introduction::new(vec!["lz4".into()]) };
        let written = r#"{"type":"hello","plumb":1,"role":"sink","features":["lz4"],"link":"tcp"}"#;
        assert_eq!(json(&Signal::Hello(tcp)), written);
        let nonced = Introduction { nonce: Some("00".into()), ..Introduction::new(vec![]) };
        let written = r#"{"type":"hello","plumb":1,"role":"sink","features":[],"nonce":"00"}"#;
        assert_eq!(json(&Signal::Hello(nonced)), written);
        let challenge = |identity: Option<&str>, signature: Option<&str>| {
            let (identity, signature) = (identity.map(Into::into), signature.map(Into::into));
            json(&Signal::Challenge { nonce: "00".into(), proof: "11".into(), identity, signature })
        };
        assert_eq!(challenge(None, None), r#"{"type":"challenge","nonce":"00","proof":"11"}"#);
        let signed = r#"{"type":"challenge","nonce":"00","proof":"11","identity":"22","signature":"33"}"#;
        assert_eq!(challenge(Some("22"), Some("33")), signed);
        let proof = |signature| json(&Signal::Proof { proof: "11".into(), signature });
        assert_eq!(proof(None), r#"{"type":"proof","proof":"11"}"#);
        assert_eq!(proof(Some("33".into())), r#"{"type":"proof","proof":"11","signature":"33"}"#);
        let answer = |proof| json(&Signal::Answer { sdp: "x".into(), proof });
        assert_eq!(answer(None), r#"{"type":"answer","sdp":"x"}"#);
        assert_eq!(answer(Some("11".into())), r#"{"type":"answer","sdp":"x","proof":"11"}"#);
        assert_eq!(json(&Signal::Link { link: "tcp".into() }), r#"{"type":"link","link":"tcp"}"#);
        let source = Signal::Hello(Introduction::of_source("tcp".into()));
        let written = r#"{"type":"hello","plumb":1,"role":"source","features":[],"link":"tcp"}"#;
        assert_eq!(json(&source), written);
        let hello = Introduction { receive_buffer: Some(131_072), ..hello };
        assert_eq!(
            json(&Signal::Hello(hello)),
            r#"{"type":"hello","plumb":1,"role":"sink","mtu":16000,"receive_buffer":131072,"features":[]}"#
        );
    }

    #[test]
    fn a_signals_name_is_the_type_it_is_written_with() {
        let description = || String::new();
        let hello = Introduction::new(vec![]);
        for signal in [
            Signal::Hello(hello),
            Signal::Ping {},
            Signal::Pong { name: None, id: None },
            Signal::Link { link: description() },
            Signal::Offer { sdp: description() },
            Signal::Answer { sdp: description(), proof: None },
            Signal::Challenge { nonce: description(), proof: description(), identity: None, signature: None },
            Signal::Proof { proof: description(), signature: None },
            Signal::Candidate { candidate: description() },
            Signal::Error { reason: description(), retry: false },
            Signal::Bye { reason: None },
        ] {
            assert_eq!(serde_json::to_value(&signal).unwrap()["type"], signal.name());
        }
    }

    #[test]
    fn fields_may_come_in_any_order_and_unknown_ones_are_ignored() {
        let aiortc =
            br#"{"candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host", "id": "0", "label": 0, "type": "candidate"}"#;
        assert!(matches!(serde_json::from_slice(aiortc), Ok(Signal::Candidate { .. })));
        let answer: Signal = serde_json::from_slice(br#"{"sdp": "x", "type": "answer"}"#).unwrap();
        assert_eq!(answer, Signal::Answer { sdp: "x".into(), proof: None });
    }
}
