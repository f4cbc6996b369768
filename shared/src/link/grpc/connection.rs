//! The HTTP/2 connection of a call, at either end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{client, server};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::timeout;
use tracing::debug;

use super::body::Watched;
use super::outbox::Outbox;
use super::socket::Counted;
use super::translate::Side;

/// Largest HTTP/2 frame to accept, in bytes. Measured with frames of 640x480 at 60 per second: 0.40 ms, instead of 0.55
/// ms with the usual 16 KiB.
const MAX_FRAME: u32 = 1 << 20;

/// Maximum number of bytes of a request's headers. Those of gRPC take a few hundred.
const MAX_HEADERS: u32 = 8 << 10;

/// Maximum number of calls at a time on a connection. One of them has the session, the others are refused.
const MAX_CALLS: u32 = 8;

/// How long a connection may take to end after its call: a server that stops has a second for everything.
const LINGER: Duration = Duration::from_millis(200);

/// The sending half of a connection to a server.
pub(super) type Requests = client::conn::http2::SendRequest<Watched>;

/// Serves this connection in a task of its own, until it ends or the outbox is closed.
pub(super) fn serve<Ours, Theirs, F, A>(socket: Counted, outbox: Arc<Outbox<Ours>>, answer: F)
where
    Ours: Side,
    Theirs: Side,
    F: Fn(hyper::Request<Incoming>) -> A + Send + 'static,
    A: Future<Output = hyper::Response<Watched>> + Send + 'static,
{
    let service = hyper::service::service_fn(move |request| {
        let answered = answer(request);
        async move { Ok::<_, std::convert::Infallible>(answered.await) }
    });
    let [stream, connection] = Theirs::WINDOWS;
    let serving = server::conn::http2::Builder::new(TokioExecutor::new())
        .max_frame_size(MAX_FRAME)
        .max_header_list_size(MAX_HEADERS)
        .max_concurrent_streams(MAX_CALLS)
        .initial_stream_window_size(stream)
        .initial_connection_window_size(connection)
        .serve_connection(TokioIo::new(socket), service);
    tokio::spawn(async move {
        let mut serving = std::pin::pin!(serving);
        let ended = tokio::select! {
            ended = serving.as_mut() => ended,
            () = outbox.closing() => {
                serving.as_mut().graceful_shutdown();
                timeout(LINGER, serving).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            debug!("the gRPC connection broke: {error}");
        }
        outbox.closed();
    });
}

/// Begins to speak HTTP/2 on this connection, in a task of its own, until it ends or the outbox is closed.
pub(super) async fn begin<Ours: Side, Theirs: Side>(
    socket: Counted,
    outbox: Arc<Outbox<Ours>>,
) -> Result<Requests, hyper::Error> {
    let [stream, connection] = Theirs::WINDOWS;
    let (requests, connection) = client::conn::http2::Builder::new(TokioExecutor::new())
        .max_frame_size(MAX_FRAME)
        .max_header_list_size(MAX_HEADERS)
        .initial_stream_window_size(stream)
        .initial_connection_window_size(connection)
        .handshake(TokioIo::new(socket))
        .await?;
    // hyper closes the connection when the last of these is dropped.
    let last = requests.clone();
    tokio::spawn(async move {
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            // The peer sees the end of the call, and closes the connection.
            () = outbox.closing() => timeout(LINGER, connection).await.unwrap_or(Ok(())),
        };
        drop(last);
        if let Err(error) = ended {
            debug!("the gRPC connection broke: {error}");
        }
        outbox.closed();
    });
    Ok(requests)
}
