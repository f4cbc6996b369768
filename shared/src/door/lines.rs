//! Signaling: one JSON object a line over TCP, until both ends have each other's description.
//!
//! A Plumb client speaks first (`hello`); to `ping` the server answers `pong`; a peer that stays silent for
//! [`STRANGER_SILENCE`] is a stranger, for whom the server offers settings that every peer takes.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::protocol::message::Role;

/// The longest line taken, in bytes, its `\n` included.
pub const MAX_LINE: usize = 64 << 10;

/// A peer that has said nothing for this long is a stranger (aiortc's `TcpSocketSignaling` waits for the offer).
pub const STRANGER_SILENCE: Duration = Duration::from_millis(100);

/// How long a peer may take for its description.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A line of signaling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Signal {
    /// A Plumb client introduces itself.
    Hello(Introduction),
    /// Is a Plumb server there?
    Ping {},
    /// Yes.
    Pong {
        /// The server's name, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Drawn by each server process.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
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
    },
    /// One more address of the sender.
    Candidate {
        /// The `candidate:` line.
        candidate: String,
    },
    /// The server will not serve, and why.
    Error {
        /// For people.
        reason: String,
    },
    /// The sender is leaving.
    Bye {},
}

/// What a Plumb client says of itself before the offer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Introduction {
    /// Protocol version.
    pub plumb: u32,
    /// What the speaker will be.
    pub role: Role,
    /// The largest SCTP packet it can take on this path, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// What else it can do; unknown names are ignored.
    #[serde(default)]
    pub features: Vec<String>,
}

/// Why signaling ended.
#[derive(Debug, Error)]
pub enum SignalingError {
    /// The connection failed.
    #[error("signaling connection: {0}")]
    Io(#[from] io::Error),
    /// The peer closed the connection.
    #[error("the peer closed the signaling connection")]
    Closed,
    /// A line over [`MAX_LINE`].
    #[error("a signaling line is longer than {MAX_LINE} bytes")]
    LineTooLong,
    /// A line that is no JSON object of ours.
    #[error("not a signaling message ({error}): {line}")]
    NotASignal {
        /// What the parser says.
        error: serde_json::Error,
        /// The beginning of the line.
        line: String,
    },
    /// The peer took too long.
    #[error("no signaling message for {} s", .0.as_secs())]
    Silence(Duration),
    /// A signal that has no place here.
    #[error("expected {expected}, got {got}")]
    Unexpected {
        /// What would have been right.
        expected: &'static str,
        /// What came.
        got: String,
    },
    /// The server will not serve.
    #[error("the server refused: {0}")]
    Refused(String),
}

/// A signaling connection.
#[derive(Debug)]
pub struct Signaling {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    line: Vec<u8>,
}

impl Signaling {
    /// Speaks over `stream`.
    pub fn new(stream: TcpStream) -> Self {
        // A description must not wait for more bytes; a failure costs 40 ms, no more.
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        Self { reader: BufReader::new(reader), writer, line: Vec::new() }
    }

    /// Sends a line.
    pub async fn send(&mut self, signal: &Signal) -> Result<(), SignalingError> {
        let mut line = serde_json::to_vec(signal).map_err(io::Error::from)?;
        line.push(b'\n');
        Ok(self.writer.write_all(&line).await?)
    }

    /// The next line. Safe to cancel: a line read in part is kept for the next call.
    pub async fn receive(&mut self) -> Result<Signal, SignalingError> {
        loop {
            self.read_line().await?;
            let line = std::mem::take(&mut self.line);
            if !line.trim_ascii().is_empty() {
                return parse(&line);
            }
        }
    }

    /// The next line, if it comes within `limit`.
    pub async fn receive_within(&mut self, limit: Duration) -> Result<Signal, SignalingError> {
        tokio::time::timeout(limit, self.receive()).await.unwrap_or(Err(SignalingError::Silence(limit)))
    }

    /// Waits until the peer says bye or the connection ends, ignoring anything else. Safe to cancel.
    pub async fn ended(&mut self) {
        while !matches!(self.receive().await, Ok(Signal::Bye {}) | Err(SignalingError::Closed | SignalingError::Io(_)))
        {
        }
    }

    async fn read_line(&mut self) -> Result<(), SignalingError> {
        let room = MAX_LINE - self.line.len();
        (&mut self.reader).take(room as u64).read_until(b'\n', &mut self.line).await?;
        if self.line.ends_with(b"\n") {
            return Ok(());
        }
        if self.line.len() >= MAX_LINE {
            self.line.clear();
            return Err(SignalingError::LineTooLong);
        }
        Err(SignalingError::Closed)
    }
}

fn parse(line: &[u8]) -> Result<Signal, SignalingError> {
    serde_json::from_slice(line).map_err(|error| SignalingError::NotASignal {
        error,
        line: String::from_utf8_lossy(&line[..line.len().min(60)]).trim_end().escape_debug().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Signaling, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (ours, theirs) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (Signaling::new(ours.unwrap()), theirs.unwrap().0)
    }

    #[test]
    fn lines_are_written_exactly_as_documented() {
        let json = |signal: &Signal| serde_json::to_string(signal).unwrap();
        assert_eq!(json(&Signal::Ping {}), r#"{"type":"ping"}"#);
        assert_eq!(json(&Signal::Offer { sdp: "v=0\r\n".into() }), r#"{"type":"offer","sdp":"v=0\r\n"}"#);
        let hello = Introduction { plumb: 1, role: Role::Sink, mtu: Some(16_000), features: vec![] };
        assert_eq!(
            json(&Signal::Hello(hello)),
            r#"{"type":"hello","plumb":1,"role":"sink","mtu":16000,"features":[]}"#
        );
    }

    #[test]
    fn fields_may_come_in_any_order_and_unknown_ones_are_ignored() {
        let aiortc =
            br#"{"candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host", "id": "0", "label": 0, "type": "candidate"}"#;
        assert!(matches!(parse(aiortc), Ok(Signal::Candidate { .. })));
        assert_eq!(parse(br#"{"sdp": "x", "type": "answer"}"#).unwrap(), Signal::Answer { sdp: "x".into() });
    }

    #[test]
    fn what_is_no_signal_is_quoted() {
        let error = parse(b"GET / HTTP/1.1\r\n").unwrap_err().to_string();
        assert!(error.starts_with("not a signaling message") && error.ends_with("GET / HTTP/1.1"), "{error}");
        assert!(parse(br#"{"type":"dance"}"#).unwrap_err().to_string().contains("dance"));
    }

    #[tokio::test]
    async fn an_endless_line_is_cut_off() {
        let (mut ours, mut theirs) = pair().await;
        let flood = tokio::spawn(async move { theirs.write_all(&vec![b'x'; 4 * MAX_LINE]).await });
        assert!(matches!(ours.receive().await, Err(SignalingError::LineTooLong)));
        drop(ours);
        let _ = flood.await;
    }

    #[tokio::test]
    async fn a_line_cut_by_a_time_out_is_read_on() {
        let (mut ours, mut theirs) = pair().await;
        theirs.write_all(b"{\"type\":").await.unwrap();
        assert!(matches!(ours.receive_within(Duration::from_millis(30)).await, Err(SignalingError::Silence(_))));
        theirs.write_all(b"\"ping\"}\n").await.unwrap();
        assert_eq!(ours.receive().await.unwrap(), Signal::Ping {});
    }

    #[tokio::test]
    async fn an_early_end_is_told_from_a_line() {
        let (mut ours, mut theirs) = pair().await;
        theirs.write_all(b"{\"type\":\"pi").await.unwrap();
        drop(theirs);
        assert!(matches!(ours.receive().await, Err(SignalingError::Closed)));
    }
}
