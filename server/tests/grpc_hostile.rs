//! Peers that break the rules over gRPC: their session ends and names the cause, and other sessions are not disturbed.
#![cfg(feature = "grpc")]

use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::HeaderMap;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use shared::link::grpc::wire::{self, Answer, Bye, FromSink, Hello, Image, NoCircle, answer, from_sink};
use testkit::ends::{Server, client};
#[cfg(target_os = "linux")]
use testkit::processes::Holdings;
use testkit::program::LIMIT;
use testkit::report::rows;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// The method that a client calls.
const SESSION: &str = "/plumb.v1.Source/Session";

/// A client on bare HTTP/2, that can send any bytes.
struct Peer {
    runtime: Runtime,
    /// Its messages to the server. Its half of the call ends when this is dropped.
    says: Option<UnboundedSender<Said>>,
    /// The messages from the server.
    hears: Incoming,
    headers: HeaderMap,
}

/// Bytes that a peer sends, or `None` if it cancels its call.
type Said = Option<Bytes>;

/// The messages that a peer sends.
struct Says {
    queue: UnboundedReceiver<Said>,
    /// Bytes that it repeats without end once the first bytes of the queue are sent.
    flood: Option<Bytes>,
    is_flooding: bool,
}

impl Body for Says {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match (self.queue.poll_recv(cx), &self.flood) {
            (Poll::Pending, Some(bytes)) if self.is_flooding => Poll::Ready(Some(Ok(Frame::data(bytes.clone())))),
            (said, _) => {
                self.is_flooding |= said.is_ready();
                said.map(|said| said.map(|bytes| bytes.map(Frame::data).ok_or_else(|| h2::Reason::CANCEL.into())))
            }
        }
    }
}

impl Peer {
    /// Calls the session of a server.
    fn call(server: &Server) -> Self {
        Self::call_with(server, SESSION, None, None)
    }

    fn call_with(server: &Server, path: &str, timeout: Option<&str>, flood: Option<from_sink::Message>) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let stream = server.connect();
        stream.set_nonblocking(true).expect("a stream");
        let (says, said) = unbounded_channel();
        let mut request = hyper::Request::post(format!("http://{}{path}", server.address))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if let Some(timeout) = timeout {
            request = request.header("grpc-timeout", timeout);
        }
        // Many messages in one piece, because HTTP/2 itself ends a connection with very many small frames.
        let flood = flood.map(|message| framed(message).repeat(500).into());
        let request = request.body(Says { queue: said, flood, is_flooding: false }).expect("a request");
        let response = runtime.block_on(async {
            let stream = TokioIo::new(tokio::net::TcpStream::from_std(stream).expect("a stream"));
            let (mut requests, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
            tokio::spawn(connection);
            tokio::time::timeout(LIMIT, requests.send_request(request)).await.expect("a response").expect("HTTP/2")
        });
        let (parts, hears) = response.into_parts();
        Self { runtime, says: Some(says), hears, headers: parts.headers }
    }

    /// Sends bytes. Ignores that the call may be over.
    fn write(&self, bytes: Vec<u8>) {
        let _ = self.says.as_ref().expect("it still speaks").send(Some(bytes.into()));
    }

    fn send(&self, message: from_sink::Message) {
        self.write(framed(message));
    }

    fn introduce(&self) {
        let (name, version) = ("peer".into(), "1".into());
        let hello = Hello { protocol: 1, name, version, role: wire::Role::Sink.into(), ..Default::default() };
        self.send(from_sink::Message::Hello(hello));
    }

    /// Reads until the server ends the call. Returns the status and its message, from the trailers or the headers.
    fn until_ended(&mut self) -> (String, String) {
        let mut trailers = self.headers.clone();
        let hears = &mut self.hears;
        self.runtime.block_on(async {
            loop {
                let frame = std::future::poll_fn(|cx| Pin::new(&mut *hears).poll_frame(cx));
                match timeout(LIMIT, frame).await.expect("the end of the call") {
                    Some(Ok(frame)) if frame.is_trailers() => trailers = frame.into_trailers().expect("trailers"),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                }
            }
        });
        let said = |name| trailers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        (said("grpc-status").unwrap_or_default(), said("grpc-message").unwrap_or_default().replace("%20", " "))
    }
}

fn framed(message: from_sink::Message) -> Vec<u8> {
    prefixed(&FromSink { message: Some(message) }.encode_to_vec())
}

/// A message as gRPC frames it.
fn prefixed(message: &[u8]) -> Vec<u8> {
    [&[0][..], &(message.len() as u32).to_be_bytes(), message].concat()
}

fn none(frame: u64) -> from_sink::Message {
    let kind = Some(answer::Kind::None(NoCircle {}));
    from_sink::Message::Answer(Answer { frame, kind, ..Default::default() })
}

fn image(pixel: i32, data: Vec<u8>) -> from_sink::Message {
    let image = Image { width: 2, height: 1, pixel, encoding: wire::Encoding::Raw.into(), data: data.into() };
    from_sink::Message::Answer(Answer { kind: Some(answer::Kind::Image(image)), ..Default::default() })
}

#[track_caller]
fn serves_a_good_client(server: &Server) {
    let client = server.client(&["--link", "grpc", "--wait", "0s"]).end().expect(0);
    assert_eq!(rows(&client.stdout).len(), 30);
}

/// What a peer sends after its hello, the status that it gets, and what the server's log says about it.
type Case = (fn(&mut Peer), &'static str, &'static str);

const CASES: [Case; 9] = [
    (
        |peer| peer.write(prefixed(&[])),
        "3",
        "it sent a message without content: it must hold one of hello, ping, pong, bye, answer, next and stop",
    ),
    (|peer| peer.send(image(77, vec![1, 2])), "3", "it sent image.pixel 77: PIXEL_GRAY8, _BGR8 or _GRAY16 is right"),
    (|peer| peer.send(from_sink::Message::Answer(Answer::default())), "3", "it sent an answer without kind"),
    (|peer| peer.write(prefixed(&[0xff; 20])), "3", "it sent bytes that are not a message of the proto"),
    (|peer| peer.send(image(1, vec![0; 65_561])), "8", "it sent a message that is too large: found 65"),
    (
        |peer| peer.write(vec![0, 0xff, 0xff, 0xff, 0xff, 1]),
        "8",
        "it sent a message that is too large: found 4294967295 bytes, the limit is: 65561",
    ),
    (|peer| peer.write(vec![1, 0, 0, 0, 1, 1]), "", "the call broke: "),
    (
        |peer| {
            peer.write(vec![0, 0, 0, 1, 0, 1, 2, 3]);
            peer.says = None;
        },
        "",
        "it ended the call in the middle of a message",
    ),
    (|peer| peer.says = None, "0", "it closed the link"),
];

#[test]
fn a_client_that_breaks_the_rules_ends_only_its_own_session_and_the_cause_is_reported() {
    let server = Server::start(&["--frames", "30"]);
    let good = server.client(&["--link", "grpc"]);
    server.program.stderr.wait_for("session 1: ");
    for (place, (says, status, cause)) in CASES.into_iter().enumerate() {
        let mut peer = Peer::call(&server);
        peer.introduce();
        says(&mut peer);
        let (code, said) = peer.until_ended();
        assert!(status.is_empty() || code == status, "{cause}: {code} {said}");
        let about = format!("session {}: the client is gone: {cause}", place + 2);
        server.program.stderr.wait_for(&about);
        let lines = server.program.stderr.so_far();
        let named = format!("session {}:", place + 2);
        let of_it = lines.iter().filter(|line| line.contains(&named) && line.contains(cause));
        assert_eq!(of_it.count(), 1, "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("warning")), "{lines:#?}");
    }
    assert_eq!(rows(&good.end().expect(0).stdout).len(), 30);
    serves_a_good_client(&server);
}

#[test]
fn a_client_whose_first_message_is_not_a_hello_is_told_that_the_hello_comes_first() {
    let server = Server::start(&["--frames", "30"]);
    let mut peer = Peer::call(&server);
    peer.send(none(0));
    let (code, said) = peer.until_ended();
    assert_eq!((&code[..], &said[..]), ("3", "a message on the lane answers before its hello: the hello comes first"));
    server.program.stderr.wait_for("it sent a message on the lane answers before its hello");
    serves_a_good_client(&server);
}

#[test]
fn a_client_that_leaves_silently_or_says_bye_first_does_not_disturb_others() {
    let server = Server::start(&["--frames", "30"]);
    let peer = Peer::call(&server);
    peer.send(from_sink::Message::Bye(Bye { reason: "no time".into() }));
    server.program.stderr.wait_for("session 1: ");
    drop(Peer::call(&server));
    server.program.stderr.wait_for("session 2: ");
    serves_a_good_client(&server);
}

#[test]
fn a_call_that_is_cancelled_in_the_middle_of_a_frame_is_reported_as_cancelled() {
    let server = Server::start(&["--frames", "30", "--size", "1920x1080", "--pixel", "bgr8"]);
    let peer = Peer::call(&server);
    peer.introduce();
    server.program.stderr.wait_for("session 1: peer 1");
    // The window of HTTP/2, 64 KiB, has no room for a whole frame.
    peer.says.as_ref().expect("it still speaks").send(None).expect("the call goes on");
    server.program.stderr.wait_for("session 1: the client is gone: it cancelled the call");
    serves_a_good_client(&server);
}

#[test]
fn a_deadline_that_passes_ends_the_session_and_is_named() {
    let server = Server::start(&["--frames", "30"]);
    let mut peer = Peer::call_with(&server, SESSION, Some("300m"), None);
    peer.introduce();
    let (code, said) = peer.until_ended();
    assert_eq!((&code[..], &said[..]), ("4", "the deadline of its call, 300ms, passed (grpc-timeout)"));
    server
        .program
        .stderr
        .wait_for("session 1: the client is gone: the deadline of its call, 300ms, passed (grpc-timeout)");
    serves_a_good_client(&server);
}

#[test]
fn a_deadline_that_passes_while_messages_never_stop_ends_the_session_all_the_same() {
    let server = Server::start(&["--frames", "30"]);
    // Answers to no frame, which need no reply: the server stops reading a peer that does not read its replies.
    let mut peer = Peer::call_with(&server, SESSION, Some("300m"), Some(none(1 << 40)));
    peer.introduce();
    server
        .program
        .stderr
        .wait_for("session 1: the client is gone: the deadline of its call, 300ms, passed (grpc-timeout)");
    peer.until_ended();
    serves_a_good_client(&server);
}

#[test]
fn an_unknown_method_is_refused_and_a_late_hello_ends_the_call() {
    let server = Server::start(&["--frames", "30"]);
    let (code, said) = Peer::call_with(&server, "/plumb.v1.Sink/Session", None, None).until_ended();
    assert_eq!((&code[..], &said[..]), ("12", "there is one method here: Session of plumb.v1.Source"));
    let (code, said) = Peer::call(&server).until_ended();
    assert_eq!(code, "0", "{said}");
    server.program.stderr.wait_for("rejected: no hello within 5 s");
    serves_a_good_client(&server);
}

#[test]
fn several_clients_that_break_the_rules_at_once_disturb_nobody() {
    let server = Server::start(&["--frames", "120"]);
    let good = ["grpc", "tcp", "webrtc"].map(|link| server.client(&["--link", link]));
    server.program.stderr.wait_for("session 3: ");
    let peers: Vec<_> = CASES.into_iter().map(|(says, ..)| (Peer::call(&server), says)).collect();
    for (mut peer, says) in peers {
        peer.introduce();
        says(&mut peer);
        peer.until_ended();
    }
    for client in good {
        assert_eq!(rows(&client.end().expect(0).stdout).len(), 120);
    }
}

/// Memory that a client which never reads may cost: a window of frames, and what the allocator keeps.
#[cfg(target_os = "linux")]
const COST_BYTES: u64 = 64 << 20;

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_never_reads_costs_bounded_memory_and_disturbs_nobody() {
    let server = Server::start(&["--frames", "200", "--fps", "max", "--deadline", "1s"]);
    server.client(&["--link", "grpc"]).end().expect(0);
    let resident = || Holdings::of(server.program.id()).expect("a process").memory_bytes;
    let before = resident();
    let peer = Peer::call(&server);
    peer.introduce();
    server.program.stderr.wait_for("session 2: peer 1");
    // The client does not read the pongs to its pings either.
    for id in 0..20_000 {
        peer.send(from_sink::Message::Ping(wire::Ping { id }));
    }
    let good = server.client(&["--link", "grpc"]).end().expect(0);
    assert_eq!(rows(&good.stdout).len(), 200);
    let after = resident();
    assert!(after < before + COST_BYTES, "{after} bytes resident, {before} before");
    server.program.stderr.wait_for("session 2: the client is gone: ");
}

/// Tries bytes before and after those of HTTP/2.
#[test]
fn bytes_that_only_begin_like_grpc_cost_one_log_line_and_no_session() {
    use std::io::Write;
    let server = Server::start(&["--frames", "30"]);
    for bytes in [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense, and more of it"[..], b"PRI \xff\xff\xff", b"PRI * HT"] {
        let mut stream = server.connect();
        stream.write_all(bytes).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("open");
        server.program.stderr.wait_for("gRPC: it ended before a call");
    }
    serves_a_good_client(&server);
}

/// Serves one connection: answers its call with these bytes, and with this status.
fn serve(stream: TcpStream, says: Vec<u8>, trailers: &'static [(&'static str, &'static str)]) {
    struct Answer(Option<Vec<u8>>, Option<HeaderMap>);

    impl Body for Answer {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            let data = self.0.take().map(|bytes| Frame::data(bytes.into()));
            Poll::Ready(data.or_else(|| self.1.take().map(Frame::trailers)).map(Ok))
        }
    }

    stream.set_nonblocking(true).expect("a stream");
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let stream = TokioIo::new(tokio::net::TcpStream::from_std(stream).expect("a stream"));
            let service = hyper::service::service_fn(move |_| {
                let trailers: HeaderMap = trailers
                    .iter()
                    .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
                    .collect();
                let body = Answer(Some(says.clone()).filter(|bytes| !bytes.is_empty()), Some(trailers));
                let response = hyper::Response::builder().header("content-type", "application/grpc").body(body);
                async move { response }
            });
            let _ =
                hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
        });
    });
}

#[test]
fn a_server_that_breaks_the_rules_ends_the_client_with_the_cause() {
    /// What the server sends, its trailers, and what the client says about it.
    type Case = (Vec<u8>, &'static [(&'static str, &'static str)], &'static str);
    let cases: [Case; 4] = [
        (
            prefixed(&[]),
            &[("grpc-status", "0")],
            "it sent a message without content: it must hold one of hello, ping, pong, bye, frame and refused",
        ),
        (
            vec![0, 0xff, 0xff, 0xff, 0xff, 1],
            &[("grpc-status", "0")],
            "it sent a message that is too large: found 4294967295 bytes",
        ),
        (vec![], &[("grpc-status", "0")], "it closed the link"),
        (vec![], &[("grpc-status", "13"), ("grpc-message", "out of paper")], "out of paper"),
    ];
    for (says, trailers, cause) in cases {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let client = client(&address, &["--link", "grpc", "--wait", "0s"]);
        serve(listener.accept().expect("the client").0, says, trailers);
        client.end().expect(3).says(cause);
    }
}
