//! Plumb's own signaling: one JSON object per line over TCP, in the clear or inside TLS. A page of a browser sends each line
//! as a message of a WebSocket.
//!
//! A Plumb client speaks first (`hello`). The server answers `ping` with `pong`, and speaks first to a
//! [`stranger`](super::stranger). Descriptions are exchanged here. The connection stays open as long as the link.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::signal::Signal;
use super::websocket::{MessageReader, MessageWriter, Opcode, WebSocket, WebSocketError};
use crate::admission::NotAdmitted;
use crate::protocol::malformed;
use crate::socket::{Socket, SocketReader, SocketWriter};
use crate::text::Brief;
use crate::tls::TlsError;

/// Longest line accepted, in bytes, including its `\n`. A description with 64 candidates of 100 bytes is a tenth of
/// this.
pub const MAX_LINE: usize = 64 << 10;

/// Deepest nesting of values in a line: the deepest message contains a list.
const MAX_DEPTH: usize = 4;

/// Maximum number of values in a line: a hello with a hundred features has a tenth of this. (Lines of 64 KiB of nested
/// empty lists took so long to parse that two connections cost a session on the same thread 221 of 480 frames.)
const MAX_VALUES: usize = 1024;

/// Maximum number of empty lines in a row, and most lines while a link is open, that are ignored. Each takes time from
/// the sessions on the same thread.
const MAX_IGNORED: usize = 1024;

/// How web servers answer a line that is not a request: with a status line, or as servers did before HTTP/1.0, with
/// only a page.
const HTTP_ANSWERS: [&str; 4] = ["HTTP/", "<!DOCTYPE", "<html", "<HTML"];

/// Characters quoted from a bad line.
const LINE_START: usize = 60;

/// A signaling connection.
#[derive(Debug)]
pub struct Signaling {
    reader: LineReader,
    writer: LineWriter,
}

/// The reading half of a signaling connection.
#[derive(Debug)]
pub struct LineReader {
    stream: Reading,
    line: Vec<u8>,
}

/// The writing half of a signaling connection.
#[derive(Debug)]
pub struct LineWriter(Writing);

/// What lines are read from.
#[derive(Debug)]
enum Reading {
    Lines(BufReader<SocketReader>),
    Messages(MessageReader),
}

/// What lines are written to.
#[derive(Debug)]
enum Writing {
    Lines(SocketWriter),
    Messages(MessageWriter),
}

impl Signaling {
    /// Makes a signaling connection of a socket.
    pub fn new(socket: impl Into<Socket>) -> Self {
        let socket = socket.into();
        // A description must not wait for more bytes. If setting the option fails, that costs only 40 ms.
        let _ = socket.tcp().set_nodelay(true);
        let (reader, writer) = socket.split();
        Self::of(Reading::Lines(BufReader::new(reader)), Writing::Lines(writer))
    }

    /// Makes a signaling connection of a page's WebSocket.
    pub fn of_page(socket: WebSocket) -> Self {
        let (reader, writer) = socket.split();
        Self::of(Reading::Messages(reader), Writing::Messages(writer))
    }

    fn of(stream: Reading, writer: Writing) -> Self {
        Self { reader: LineReader { stream, line: Vec::new() }, writer: LineWriter(writer) }
    }

    /// Whether the peer is a page of a browser.
    pub fn is_of_page(&self) -> bool {
        matches!(self.reader.stream, Reading::Messages(_))
    }

    /// Sends a line.
    pub async fn send(&mut self, signal: &Signal) -> Result<(), SignalingError> {
        self.writer.send(signal).await
    }

    /// Receives the next line. Safe to cancel: a partly read line is kept for the next call.
    pub async fn receive(&mut self) -> Result<Signal, SignalingError> {
        self.reader.receive().await
    }

    /// Receives the next line, if it arrives within `limit`.
    pub async fn receive_within(&mut self, limit: Duration) -> Result<Signal, SignalingError> {
        tokio::time::timeout(limit, self.receive()).await.unwrap_or(Err(SignalingError::Silence(limit)))
    }

    /// The connection itself, and what was read beyond the last line.
    ///
    /// # Errors
    /// If the peer is a page, whose WebSocket is no link.
    pub fn into_socket(self) -> io::Result<(Socket, BytesMut)> {
        let LineReader { stream, line } = self.reader;
        let (Reading::Lines(stream), Writing::Lines(writer)) = (stream, self.writer.0) else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a WebSocket is no link"));
        };
        let mut read = BytesMut::from(&line[..]);
        read.extend_from_slice(stream.buffer());
        let socket = stream.into_inner().reunite(writer)?;
        Ok((socket, read))
    }

    /// The WebSocket of a page; `None` if the peer is no page.
    pub fn into_page(self) -> Option<WebSocket> {
        match (self.reader.stream, self.writer.0) {
            (Reading::Messages(reader), Writing::Messages(writer)) => Some(WebSocket::of(reader, writer)),
            _ => None,
        }
    }

    /// Splits the connection into its halves. It closes when both are dropped.
    pub fn split(self) -> (LineReader, LineWriter) {
        (self.reader, self.writer)
    }
}

impl LineWriter {
    /// Sends a line.
    pub async fn send(&mut self, signal: &Signal) -> Result<(), SignalingError> {
        let mut line = serde_json::to_vec(signal).map_err(io::Error::from)?;
        match &mut self.0 {
            Writing::Lines(socket) => {
                line.push(b'\n');
                socket.write_all(&line).await?;
                // Inside TLS a part of the line may be held back.
                Ok(socket.flush().await?)
            }
            Writing::Messages(socket) => Ok(socket.send(Opcode::Text, &line).await?),
        }
    }
}

impl LineReader {
    /// Receives the next line. Safe to cancel: a partly read line is kept for the next call.
    pub async fn receive(&mut self) -> Result<Signal, SignalingError> {
        for _ in 0..MAX_IGNORED {
            self.read_line().await?;
            let line = std::mem::take(&mut self.line);
            if !line.trim_ascii().is_empty() {
                return parse(&line);
            }
        }
        Err(SignalingError::EmptyLines)
    }

    /// Waits until the peer says bye or the connection ends, ignoring a limited number of other lines. Returns the
    /// reason of the bye, if it has one. Safe to cancel.
    pub async fn ended(&mut self) -> Option<String> {
        for _ in 0..MAX_IGNORED {
            match self.receive().await {
                Ok(Signal::Bye { reason }) => return reason,
                Err(SignalingError::Closed | SignalingError::Io(_)) => break,
                Ok(_) | Err(_) => {}
            }
        }
        None
    }

    async fn read_line(&mut self) -> Result<(), SignalingError> {
        let stream = match &mut self.stream {
            Reading::Lines(stream) => stream,
            Reading::Messages(messages) => {
                self.line = messages.receive().await?;
                return Ok(());
            }
        };
        let room = MAX_LINE - self.line.len();
        stream.take(room as u64).read_until(b'\n', &mut self.line).await?;
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
    /// A line is longer than [`MAX_LINE`].
    #[error("a signaling line is longer than {MAX_LINE} bytes")]
    LineTooLong,
    /// Too many empty lines: the peer only keeps this end busy.
    #[error("more than {MAX_IGNORED} empty lines")]
    EmptyLines,
    /// More lines than any peer has reason to send before a description.
    #[error("more than {0} lines before the description")]
    TooManyLines(usize),
    /// A line is not a JSON object of this protocol.
    #[error("not a signaling message, {reason}: {line}")]
    NotASignal {
        /// What is wrong with it.
        reason: String,
        /// The beginning of the line.
        line: String,
    },
    /// The peer did not answer in time.
    #[error("no signaling message for {} s", .0.as_secs())]
    Silence(Duration),
    /// A signal arrived that is not expected here.
    #[error("expected {expected}, got \"{got}\"")]
    Unexpected {
        /// The signal expected.
        expected: &'static str,
        /// The signal received.
        got: &'static str,
    },
    /// The peer speaks HTTP.
    #[error("that is HTTP, from a web server and not from a Plumb peer: {line}")]
    Http {
        /// The beginning of the line.
        line: String,
    },
    /// A Plumb peer is there, but not one that this end can work with.
    #[error("{0}")]
    WrongPeer(String),
    /// The peer was silent, and too many others came after it.
    #[error("it said nothing, and too many others were waiting")]
    Dismissed,
    /// The peer accepted the connection, but never said hello.
    #[error("it took the call but said nothing for {} s: a client that listens (client --listen) says hello", .0.as_secs())]
    NoHello(Duration),
    /// The TLS handshake failed.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The peer did not prove that it holds the token, or this end could not.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// The peer refuses to serve.
    #[error("it refused: {}", Brief(.reason, crate::text::REASON))]
    Refused {
        /// The server's reason.
        reason: String,
        /// Whether the server says that a later attempt may succeed.
        retry: bool,
    },
}

impl SignalingError {
    /// The error when a peer sends another line than the one expected. An `error` and a `bye` are its last word, and may
    /// come in place of any line.
    pub fn instead(expected: &'static str, got: Signal) -> Self {
        match got {
            Signal::Error { reason, retry } => Self::Refused { reason, retry },
            Signal::Bye { reason: Some(reason) } => Self::Refused { reason, retry: true },
            Signal::Bye { reason: None } => Self::Closed,
            other => Self::Unexpected { expected, got: other.name() },
        }
    }
}

impl From<WebSocketError> for SignalingError {
    fn from(error: WebSocketError) -> Self {
        match error {
            WebSocketError::Closed => Self::Closed,
            WebSocketError::TooLong(_) => Self::LineTooLong,
            WebSocketError::Io(error) => Self::Io(error),
            WebSocketError::Malformed(_) | WebSocketError::Busy => {
                Self::Io(io::Error::new(io::ErrorKind::InvalidData, error))
            }
        }
    }
}

/// Reads a line. The error quotes its beginning.
pub(super) fn parse(line: &[u8]) -> Result<Signal, SignalingError> {
    // A character takes up to four bytes.
    let start = String::from_utf8_lossy(&line[..line.len().min(4 * LINE_START)]);
    let shown = Brief(start.trim_end(), LINE_START).to_string();
    if HTTP_ANSWERS.iter().any(|answer| start.trim_start().starts_with(answer)) {
        return Err(SignalingError::Http { line: shown });
    }
    let refused = |reason: String| SignalingError::NotASignal { reason, line: shown.clone() };
    if !is_simple(line) {
        return Err(refused(format!("over {MAX_VALUES} values, or more than {MAX_DEPTH} within each other")));
    }
    serde_json::from_slice(line).map_err(|error| refused(malformed::of_json(&error).to_string()))
}

/// Whether a line holds no more values than a message, and none nested deeper. Checked before the line is parsed.
fn is_simple(line: &[u8]) -> bool {
    let (mut depth, mut values, mut is_text, mut is_escaped) = (0usize, 0usize, false, false);
    for byte in line {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'[' | b'{' => (depth, values) = (depth + 1, values + 1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > MAX_DEPTH || values > MAX_VALUES {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair() -> (Signaling, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (ours, theirs) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (Signaling::new(ours.unwrap()), theirs.unwrap().0)
    }

    #[test]
    fn a_line_that_is_not_a_signal_is_quoted() {
        let error = parse(b"GET / HTTP/1.1\r\n").unwrap_err().to_string();
        assert!(error.starts_with("not a signaling message") && error.ends_with("GET / HTTP/1.1"), "{error}");
        assert!(parse(br#"{"type":"dance"}"#).unwrap_err().to_string().contains("dance"));
    }

    #[test]
    fn the_answer_of_a_web_server_is_recognised() {
        for answer in ["HTTP/1.1 400 Bad Request\r\n", "<!DOCTYPE HTML>\n", "<html>\n"] {
            let error = parse(answer.as_bytes()).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("that is HTTP, from a web server and not from a Plumb peer: {}", answer.trim_end())
            );
        }
    }

    #[test]
    fn a_line_with_too_many_or_too_deep_values_is_refused_before_it_is_parsed() {
        let candidate = |further: &str| format!(r#"{{"type":"candidate","candidate":"c","further":{further}}}"#);
        let read = |further: &str| parse(candidate(further).as_bytes());
        assert!(read("[[[1, 2]]]").is_ok());
        assert!(read("[[[[1, 2]]]]").unwrap_err().to_string().contains("over 1024 values"));
        assert!(read(&format!("[{}0]", "0,".repeat(1_000))).is_ok());
        assert!(read(&format!("[{}0]", "0,".repeat(1_100))).is_err());
        assert!(read(&format!("[{}[]]", "[],".repeat(600))).is_err());
        assert!(read(&format!(r#""{}""#, "[{,\\\"".repeat(2_000))).is_ok(), "brackets in a text are not values");
    }

    #[test]
    fn only_a_short_quotation_of_a_wrong_line_is_kept() {
        let long = "\u{7f}".repeat(60_000);
        for line in
            [long.clone(), format!("\"{long}\""), format!(r#"{{"type":"{long}"}}"#), format!(r#"{{"{long}":1}}"#)]
        {
            let error = parse(line.as_bytes()).unwrap_err().to_string();
            assert!(error.len() < 320 && error.is_ascii() && !error.contains('\u{7f}'), "{error}");
        }
    }

    #[tokio::test]
    async fn endless_empty_lines_are_cut_off() {
        let (mut ours, mut theirs) = pair().await;
        theirs.write_all(&[b'\n'; 2 * MAX_IGNORED]).await.unwrap();
        assert!(matches!(ours.receive().await, Err(SignalingError::EmptyLines)));
    }

    #[tokio::test]
    async fn endless_lines_beside_a_link_are_no_longer_read() {
        let (ours, mut theirs) = pair().await;
        let (mut reader, _writer) = ours.split();
        theirs.write_all("x\n".repeat(2 * MAX_IGNORED).as_bytes()).await.unwrap();
        reader.ended().await;
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
    async fn a_line_that_is_interrupted_by_a_timeout_is_read_to_its_end() {
        let (mut ours, mut theirs) = pair().await;
        theirs.write_all(b"{\"type\":").await.unwrap();
        assert!(matches!(ours.receive_within(Duration::from_millis(30)).await, Err(SignalingError::Silence(_))));
        theirs.write_all(b"\"ping\"}\n").await.unwrap();
        assert_eq!(ours.receive().await.unwrap(), Signal::Ping {});
    }

    #[tokio::test]
    async fn an_early_end_is_distinguished_from_a_line() {
        let (mut ours, mut theirs) = pair().await;
        theirs.write_all(b"{\"type\":\"pi").await.unwrap();
        drop(theirs);
        assert!(matches!(ours.receive().await, Err(SignalingError::Closed)));
    }

    #[tokio::test]
    async fn the_halves_of_a_connection_work_separately() {
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
