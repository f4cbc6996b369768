//! A bare gRPC stream: the same messages with the same window, as tonic and prost carry them, and nothing else. The sizes
//! of HTTP/2 are those of the link grpc. It is the most that this link could reach.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, ready};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use shared::link::grpc::wire::{self, Answer, Circle, Frame, FromSink, FromSource, answer, from_sink, from_source};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::sleep_until;
use tonic::body::Body;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::{Pin, Service, http};
use tonic::server::StreamingService;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::frames;
use crate::options::EndOptions;
use crate::source::{Answers, WINDOW};

/// The sizes of the link grpc (`shared/src/link/grpc`).
const MAX_FRAME: u32 = 1 << 20;
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// Largest message to take, in bytes: more than any frame here.
const MAX_MESSAGE: usize = 64 << 20;

/// Timeout for the last answers.
const END_LIMIT: Duration = Duration::from_secs(2);

/// Runs either end on one thread, as the programs do.
pub(crate) fn run(end: &EndOptions) -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match end.port {
            None => source(end).await,
            Some(port) => sink(port).await,
        }
    })
}

/// What the call hands to the source: the answers, and where frames go.
type Called = (Streaming<FromSink>, mpsc::Sender<Result<FromSource, Status>>);

async fn source(end: &EndOptions) -> Result<(), Box<dyn Error>> {
    let frames = frames::read(&end.frames, end.frame_bytes)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?.port());
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    let (called, call) = oneshot::channel();
    let called = Arc::new(std::sync::Mutex::new(Some(called)));
    let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
        let called = called.clone();
        async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<FromSource, FromSink>::default());
            Ok::<_, Infallible>(grpc.streaming(Session(called), request).await)
        }
    });
    let mut http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    http2.max_frame_size(MAX_FRAME);
    tokio::spawn(http2.serve_connection(TokioIo::new(stream), service));
    let (mut messages, sender) = call.await?;
    let room = Arc::new(Semaphore::new(WINDOW));
    let (sent, mut unanswered) = mpsc::unbounded_channel();
    let over = Instant::now() + Duration::from_secs_f64(end.seconds);
    tokio::spawn(send(frames, end.fps, over, room.clone(), sent, sender));
    let mut answers = Answers::new();
    while let Ok(Ok(Some(_))) = tokio::time::timeout_at((over + END_LIMIT).into(), messages.message()).await {
        // A stream is ordered, so the answer belongs to the oldest unanswered frame.
        if let Ok(sent) = unanswered.try_recv() {
            answers.add(sent);
            room.add_permits(1);
        }
        if Instant::now() >= over && room.available_permits() == WINDOW {
            break;
        }
    }
    println!("{}", serde_json::to_string(&answers.figures())?);
    Ok(())
}

async fn send(
    frames: Vec<Vec<u8>>,
    fps: Option<f64>,
    over: Instant,
    room: Arc<Semaphore>,
    sent: mpsc::UnboundedSender<Instant>,
    sender: mpsc::Sender<Result<FromSource, Status>>,
) {
    let start = Instant::now();
    for (index, pixels) in frames.iter().cycle().enumerate() {
        if let Some(fps) = fps {
            sleep_until((start + Duration::from_secs_f64(index as f64 / fps)).into()).await;
        }
        let Ok(place) = room.acquire().await else { break };
        if Instant::now() >= over {
            break;
        }
        place.forget();
        // The receiver lives as long as the call.
        let _ = sent.send(Instant::now());
        let frame = Frame {
            id: index as u64,
            captured_us: 1,
            width: pixels.len() as u32,
            height: 1,
            pixel: wire::Pixel::Gray8.into(),
            encoding: wire::Encoding::Raw.into(),
            // As a renderer's buffer is copied into a message.
            data: pixels.clone().into(),
            ..Default::default()
        };
        let message = FromSource { message: Some(from_source::Message::Frame(frame)) };
        if sender.send(Ok(message)).await.is_err() {
            break;
        }
    }
}

/// The method that the sink calls.
struct Session(Arc<std::sync::Mutex<Option<oneshot::Sender<Called>>>>);

impl StreamingService<FromSink> for Session {
    type Response = FromSource;
    type ResponseStream = ReceiverStream<Result<FromSource, Status>>;
    type Future = Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Streaming<FromSink>>) -> Self::Future {
        let called = self.0.lock().ok().and_then(|mut called| called.take());
        let Some(called) = called else { return ready(Err(Status::resource_exhausted("one call"))) };
        // One message: no old frames queue here.
        let (sender, messages) = mpsc::channel(1);
        let _ = called.send((request.into_inner(), sender));
        ready(Ok(Response::new(ReceiverStream::new(messages))))
    }
}

async fn sink(port: u16) -> Result<(), Box<dyn Error>> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    let (requests, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .max_frame_size(MAX_FRAME)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(connection);
    let (sender, answers) = mpsc::channel(WINDOW);
    let mut grpc = tonic::client::Grpc::with_origin(Channel(requests), "http://localhost".parse()?)
        .max_decoding_message_size(MAX_MESSAGE);
    let path = PathAndQuery::from_static("/plumb.v1.Source/Session");
    let codec = ProstCodec::<FromSink, FromSource>::default();
    let mut messages = grpc.streaming(Request::new(ReceiverStream::new(answers)), path, codec).await?.into_inner();
    while let Ok(Some(FromSource { message: Some(from_source::Message::Frame(frame)) })) = messages.message().await {
        let circle = Circle { x: 1.0, y: 2.0, radius: Some(3.0), ..Default::default() };
        let answer = Answer { frame: frame.id, kind: Some(answer::Kind::Circle(circle)), ..Default::default() };
        sender.send(FromSink { message: Some(from_sink::Message::Answer(answer)) }).await?;
    }
    Ok(())
}

/// A connection as tonic takes it.
struct Channel(hyper::client::conn::http2::SendRequest<Body>);

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
