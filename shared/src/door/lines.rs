//! Plumb's own door: one JSON object a line over TCP.
//!
//! A Plumb client speaks first (`hello`); to `ping` the server answers `pong`; to a [`stranger`](super::stranger) it speaks
//! first. Descriptions are exchanged here, and once a link is open the connection stays beside it.

use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::signal::Signal;

/// The longest line taken, in bytes, its `\n` included: a description with 64 candidates of 100 bytes is a tenth of this.
pub const MAX_LINE: usize = 64 << 10;

/// A signaling connection.
#[derive(Debug)]
pub struct Signaling {
    reader: LineReader,
    writer: LineWriter,
}

/// Its reading half.
#[derive(Debug)]
pub struct LineReader {
    stream: BufReader<OwnedReadHalf>,
    line: Vec<u8>,
}

/// Its writing half.
#[derive(Debug)]
pub struct LineWriter(OwnedWriteHalf);

impl Signaling {
    /// Speaks over `stream`.
    pub fn new(stream: TcpStream) -> Self {
        // A description must not wait for more bytes; a failure costs 40 ms, no more.
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        Self { reader: LineReader { stream: BufReader::new(reader), line: Vec::new() }, writer: LineWriter(writer) }
    }

    /// Sends a line.
    pub async fn send(&mut self, signal: &Signal) -> Result<(), SignalingError> {
        self.writer.send(signal).await
    }

    /// The next line. Safe to cancel: a line read in part is kept for the next call.
    pub async fn receive(&mut self) -> Result<Signal, SignalingError> {
        self.reader.receive().await
    }

    /// The next line, if it comes within `limit`.
    pub async fn receive_within(&mut self, limit: Duration) -> Result<Signal, SignalingError> {
        tokio::time::timeout(limit, self.receive()).await.unwrap_or(Err(SignalingError::Silence(limit)))
    }

    /// Its two halves. The connection is closed when both are dropped.
    pub fn split(self) -> (LineReader, LineWriter) {
        (self.reader, self.writer)
    }
}

impl LineWriter {
    /// Sends a line.
    pub async fn send(&mut self, signal: &Signal) -> Result<(), SignalingError> {
        let mut line = serde_json::to_vec(signal).map_err(io::Error::from)?;
        line.push(b'\n');
        Ok(self.0.write_all(&line).await?)
    }
}

impl LineReader {
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

    /// Waits until the peer says bye or the connection ends, ignoring anything else; the bye's reason, where it has one.
    /// Safe to cancel.
    pub async fn ended(&mut self) -> Option<String> {
        loop {
            match self.receive().await {
                Ok(Signal::Bye { reason }) => return reason,
                Err(SignalingError::Closed | SignalingError::Io(_)) => return None,
                Ok(_) | Err(_) => {}
            }
        }
    }

    async fn read_line(&mut self) -> Result<(), SignalingError> {
        let room = MAX_LINE - self.line.len();
        (&mut self.stream).take(room as u64).read_until(b'\n', &mut self.line).await?;
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
    #[error("the server refused: {reason}")]
    Refused {
        /// What it says.
        reason: String,
        /// Whether it says that another attempt may be served.
        retry: bool,
    },
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

    #[tokio::test]
    async fn the_halves_of_a_connection_work_apart() {
        let (ours, mut theirs) = pair().await;
        let (mut reader, mut writer) = ours.split();
        writer.send(&Signal::GOODBYE).await.unwrap();
        drop(writer);
        let mut said = String::new();
        theirs.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "{\"type\":\"bye\"}\n");
        theirs.write_all(b"nonsense\n{\"type\":\"bye\",\"reason\":\"finished\"}\n").await.unwrap();
        assert_eq!(reader.ended().await.as_deref(), Some("finished"));
    }
}
