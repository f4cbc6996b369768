//! HTTP/1 on the port: each connection carries one request and its answer, or becomes a WebSocket.
//!
//! A visitor may be anybody, and shares its thread with sessions. So everything is bounded: the head of a request, its
//! headers, and the time that a visitor takes to send the request, to read the answer and to leave. The content of a
//! request is ignored.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use crate::socket::Socket;

/// Largest head of a request in bytes: the limit of nginx and Apache.
pub const MAX_HEAD: usize = 8 << 10;

/// Maximum number of headers of a request. Browsers send about 20.
const MAX_HEADERS: usize = 64;

/// How long a visitor may take to send the head of its request, and to read the answer.
pub const LIMIT: Duration = Duration::from_secs(2);

/// How long a visitor may take to leave after the answer.
const LEAVE_LIMIT: Duration = Duration::from_millis(200);

/// Maximum number of bytes that are read and ignored before the visitor leaves: the content of a refused request.
const MAX_IGNORED: u64 = 64 << 10;

/// A request, with the headers that are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: String,
    /// The path, without host and query.
    pub path: String,
    /// For whom the request is meant: the header `Host`. `None` if it is missing, or given twice.
    pub host: Option<String>,
    /// The page that makes the request: the header `Origin`.
    pub origin: Option<String>,
    /// The key of a handshake that asks for a WebSocket of version 13 (RFC 6455, section 4.2.1).
    pub websocket_key: Option<String>,
}

/// Why a request gets an error as its answer.
#[derive(Debug, Error)]
pub enum BadRequest {
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The visitor closed the connection within its request.
    #[error("the request ends within its headers")]
    Closed,
    /// The head took too long.
    #[error("the request was not complete within {} s", LIMIT.as_secs())]
    Slow,
    /// The head is too long.
    #[error("the headers of the request are longer than {MAX_HEAD} bytes, or more than {MAX_HEADERS}")]
    Long,
    /// It is not HTTP/1.
    #[error("that is not an HTTP/1 request: {0}")]
    Malformed(#[from] httparse::Error),
}

impl BadRequest {
    /// The answer to the visitor; `None` if the visitor is gone.
    pub fn answer(&self) -> Option<Answer> {
        let status = match self {
            Self::Io(_) | Self::Closed => return None,
            Self::Slow => Status::RequestTimeout,
            Self::Long => Status::HeadersTooLarge,
            Self::Malformed(_) => Status::BadRequest,
        };
        Some(Answer::text(status, format!("{self}\n")))
    }
}

/// The status of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 200.
    Ok,
    /// 400.
    BadRequest,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 405; the answer names the methods that are allowed.
    MethodNotAllowed,
    /// 408.
    RequestTimeout,
    /// 421.
    Misdirected,
    /// 426.
    UpgradeRequired,
    /// 429.
    TooMany,
    /// 431.
    HeadersTooLarge,
    /// 503.
    Unavailable,
}

impl Status {
    /// Number and reason, as in the first line of an answer.
    pub fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::Forbidden => "403 Forbidden",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::RequestTimeout => "408 Request Timeout",
            Self::Misdirected => "421 Misdirected Request",
            Self::UpgradeRequired => "426 Upgrade Required",
            Self::TooMany => "429 Too Many Requests",
            Self::HeadersTooLarge => "431 Request Header Fields Too Large",
            Self::Unavailable => "503 Service Unavailable",
        }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: Status,
    /// The media type of the content.
    pub media_type: &'static str,
    /// More headers, each ending with `\r\n`.
    pub headers: &'static str,
    /// The content.
    pub content: Cow<'static, [u8]>,
}

impl Answer {
    /// An answer of plain text.
    pub fn text(status: Status, content: impl Into<Cow<'static, str>>) -> Self {
        let content = match content.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Self { status, media_type: "text/plain; charset=utf-8", headers: "", content }
    }

    /// The bytes of the answer. A `HEAD` request gets the length of the content, and no content.
    fn bytes(&self, is_head: bool) -> Vec<u8> {
        let Self { status, media_type, headers, content } = self;
        let more = match status {
            Status::MethodNotAllowed => "Allow: GET, HEAD\r\n",
            Status::UpgradeRequired => "Upgrade: websocket\r\n",
            _ => "",
        };
        let head = format!(
            "HTTP/1.1 {}\r\n{more}{headers}Content-Type: {media_type}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            status.line(),
            content.len(),
        );
        let content: &[u8] = if is_head { &[] } else { content };
        [head.as_bytes(), content].concat()
    }
}

/// Reads the head of a request.
///
/// # Errors
/// [`BadRequest`] if it is malformed, too long or too slow.
pub async fn request(socket: &mut Socket) -> Result<Request, BadRequest> {
    let until = Instant::now() + LIMIT;
    let mut head = Vec::with_capacity(1024);
    loop {
        let before = head.len();
        let room = (MAX_HEAD - before) as u64;
        let read = timeout_at(until, (&mut *socket).take(room).read_buf(&mut head)).await;
        if read.map_err(|_| BadRequest::Slow)?? == 0 {
            return Err(BadRequest::Closed);
        }
        // The head can end only with the end of a line. So a slow visitor's bytes are not parsed one by one.
        let has_line = head[before..].contains(&b'\n');
        if has_line && let Some(request) = parse(&head)? {
            return Ok(request);
        }
        if head.len() >= MAX_HEAD {
            return Err(BadRequest::Long);
        }
    }
}

/// Reads a head; `None` if it is not complete.
pub(super) fn parse(head: &[u8]) -> Result<Option<Request>, BadRequest> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(end)) => {
            let (method, target) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
            let [host, origin] = ["host", "origin"].map(|name| header(request.headers, name).map(str::to_owned));
            // A page sends nothing more before the answer.
            let websocket_key = websocket_key(request.headers).filter(|_| end == head.len()).map(str::to_owned);
            Ok(Some(Request { method: method.into(), path: path(target).into(), host, origin, websocket_key }))
        }
        Err(httparse::Error::TooManyHeaders) => Err(BadRequest::Long),
        Err(error) => Err(error.into()),
    }
}

/// The value of a header that is given once; `None` if it is missing, given twice, or not ASCII.
fn header<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a str> {
    let mut named = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    let value = std::str::from_utf8(named.next()?.value).ok().filter(|value| value.is_ascii())?;
    named.next().is_none().then(|| value.trim())
}

/// The key of a WebSocket's handshake; `None` if the headers ask for no WebSocket of version 13.
fn websocket_key<'a>(headers: &[httparse::Header<'a>]) -> Option<&'a str> {
    let has = |name: &str, word: &str| {
        header(headers, name).is_some_and(|value| value.split(',').any(|one| one.trim().eq_ignore_ascii_case(word)))
    };
    let is_asked = has("upgrade", "websocket") && has("connection", "upgrade") && has("sec-websocket-version", "13");
    // 16 bytes in base64.
    header(headers, "sec-websocket-key").filter(|key| is_asked && key.len() == 24)
}

/// Tells a visitor that its connection is a WebSocket from here on. `accept` is made of its key.
///
/// # Errors
/// If the visitor does not read it in time, or the connection fails.
pub async fn switch_to_websocket(socket: &mut Socket, accept: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let sent = async {
        socket.write_all(head.as_bytes()).await?;
        socket.flush().await
    };
    timeout(LIMIT, sent).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The path of a target, which may name the host too (RFC 9112, section 3.2.2).
fn path(target: &str) -> &str {
    let after_host = target.strip_prefix("http://").map(|rest| rest.find('/').map_or("/", |slash| &rest[slash..]));
    let target = after_host.unwrap_or(target);
    target.split(['?', '#']).next().unwrap_or(target)
}

/// Sends an answer and waits a moment until the visitor leaves. `is_head` tells that it asked for the head only.
///
/// # Errors
/// If the visitor does not read it in time, or the connection fails.
pub async fn answer(mut socket: Socket, answer: &Answer, is_head: bool) -> io::Result<()> {
    let bytes = answer.bytes(is_head);
    let sent = async {
        socket.write_all(&bytes).await?;
        socket.shutdown().await
    };
    timeout(LIMIT, sent).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    // A connection that is closed with bytes unread is reset, and the visitor may lose the answer.
    let mut ignored = tokio::io::sink();
    let mut rest = socket.take(MAX_IGNORED);
    let _ = timeout(LEAVE_LIMIT, tokio::io::copy(&mut rest, &mut ignored)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Reads the request of a visitor that sends these bytes and closes its side.
    async fn sent(bytes: &[u8]) -> Result<Request, BadRequest> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (theirs, ours) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (mut theirs, mut ours) = (theirs.unwrap(), Socket::from(ours.unwrap().0));
        theirs.write_all(bytes).await.unwrap();
        theirs.shutdown().await.unwrap();
        request(&mut ours).await
    }

    #[tokio::test]
    async fn method_and_path_are_read_and_the_rest_is_ignored() {
        for (target, path) in [
            ("/metrics", "/metrics"),
            ("/metrics?a=1", "/metrics"),
            ("http://plumb:8080/healthz#x", "/healthz"),
            ("http://plumb", "/"),
            ("*", "*"),
        ] {
            let request = sent(format!("GET {target} HTTP/1.1\r\nHost: plumb\r\n\r\n").as_bytes()).await.unwrap();
            let host = Some("plumb".into());
            assert_eq!(
                request,
                Request { method: "GET".into(), path: path.into(), host, ..Default::default() },
                "{target}"
            );
        }
        assert_eq!(sent(b"HEAD / HTTP/1.0\n\n").await.unwrap().method, "HEAD");
    }

    #[tokio::test]
    async fn a_websocket_is_asked_for_by_all_its_headers() {
        const ASKED: &str = "GET /x HTTP/1.1\r\nHost: a:1\r\nOrigin: http://a:1\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
                             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let request = sent(ASKED.as_bytes()).await.unwrap();
        assert_eq!(request.websocket_key.as_deref(), Some("dGhlIHNhbXBsZSBub25jZQ=="));
        assert_eq!((request.host.as_deref(), request.origin.as_deref()), (Some("a:1"), Some("http://a:1")));
        for (right, wrong) in [
            ("Version: 13", "Version: 12"),
            ("WebSocket\r\nC", "h2c\r\nC"),
            ("keep-alive, Upgrade", "close"),
            ("ZQ==\r\n", "\r\n"),
            ("\r\n\r\n", "\r\n\r\nmore"),
        ] {
            let request = sent(ASKED.replace(right, wrong).as_bytes()).await.unwrap();
            assert_eq!(request.websocket_key, None, "{wrong}");
        }
        let twice = sent(ASKED.replace("\r\nOrigin", "\r\nHost: b\r\nOrigin").as_bytes()).await.unwrap();
        assert_eq!(twice.host, None);
    }

    #[tokio::test]
    async fn a_malformed_request_gets_an_answer_that_says_why() {
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(MAX_HEAD));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(MAX_HEADERS + 1));
        for (bytes, status) in [
            ("GET / HTTP/9.9\r\n\r\n", Some(Status::BadRequest)),
            ("GET /\u{0} HTTP/1.1\r\n\r\n", Some(Status::BadRequest)),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", Some(Status::BadRequest)),
            (&long, Some(Status::HeadersTooLarge)),
            (&many, Some(Status::HeadersTooLarge)),
            ("GET / HTTP/1.1\r\nHost: pl", None),
        ] {
            let wrong = sent(bytes.as_bytes()).await.unwrap_err();
            assert_eq!(wrong.answer().map(|answer| answer.status), status, "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_does_not_end_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (theirs, ours) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (mut theirs, mut ours) = (theirs.unwrap(), Socket::from(ours.unwrap().0));
        theirs.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let wrong = request(&mut ours).await.unwrap_err();
        assert_eq!(wrong.answer().map(|answer| answer.status), Some(Status::RequestTimeout), "{wrong}");
    }

    #[test]
    fn an_answer_to_head_has_the_length_and_no_content() {
        let answer = Answer::text(Status::MethodNotAllowed, "no\n");
        let [whole, head] = [false, true].map(|is_head| String::from_utf8(answer.bytes(is_head)).unwrap());
        assert!(whole.starts_with("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"), "{whole}");
        assert!(whole.contains("Content-Length: 3\r\n") && whole.ends_with("\r\n\r\nno\n"), "{whole}");
        assert_eq!(head + "no\n", whole);
    }
}
