//! The end that calls.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::poll_fn;
use hyper::body::Incoming;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codegen::http::uri::{PathAndQuery, Uri};
use tonic::codegen::{Service, http};
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status, Streaming};

use super::account::Account;
use super::body::Watched;
use super::codec::Speech;
use super::connection::{self, Requests};
use super::error::GrpcError;
use super::events::events;
use super::outbox::{Closing, Outbox, Pull};
use super::socket::Socket;
use super::translate::{Read, Side};
use super::{FEATURES, REPLY_LIMIT, features_of, features_text};
use crate::link::Link;
use crate::link::tcp::MAX_PAYLOAD;

/// Calls the other end, which serves the service of `Theirs`. Returns the link and the features that the other end names.
pub(super) async fn call<Ours: Side, Theirs: Side>(
    stream: TcpStream,
    most: usize,
    features: &[String],
) -> Result<(Link, Vec<String>), GrpcError> {
    let broken = |error: &dyn std::error::Error| GrpcError::Broken(error.to_string());
    let authority = stream.peer_addr().map_err(|error| broken(&error))?.to_string();
    let outbox = Outbox::<Ours>::new();
    // Closes the connection if there is no session.
    let lanes = Closing(outbox.clone());
    let socket = Socket::new(stream, outbox.account.clone()).map_err(|error| broken(&error))?;
    let requests = connection::begin::<Ours, Theirs>(socket, outbox.clone()).await.map_err(|error| broken(&error))?;
    let channel = Channel { requests, account: outbox.account.clone() };
    let asked = timeout(REPLY_LIMIT, ask::<Ours, Theirs>(channel, authority, &outbox, most, features)).await;
    let response = asked.map_err(|_| GrpcError::Silence(REPLY_LIMIT))?;
    let response = response.map_err(|status| GrpcError::of_answer(&status, Theirs::SERVICE.0))?;
    let theirs = features_of(response.metadata());
    let messages = events(response.into_inner(), outbox, None);
    Ok((Link::new(Arc::new(lanes), messages, MAX_PAYLOAD), theirs))
}

async fn ask<Ours: Side, Theirs: Side>(
    channel: Channel,
    authority: String,
    outbox: &Arc<Outbox<Ours>>,
    most: usize,
    features: &[String],
) -> Result<Response<Streaming<Read>>, Status> {
    let origin = Uri::builder().scheme("http").authority(authority).path_and_query("/").build();
    let origin = origin.map_err(|error| Status::internal(error.to_string()))?;
    let pull = Pull(outbox.clone());
    let messages = poll_fn(move |cx| {
        // A failure ends the call. A caller cannot tell the server what failed.
        pull.0.poll_next(cx).map(|next| next.and_then(Result::ok))
    });
    let mut request = Request::new(messages);
    if let Ok(features) = MetadataValue::try_from(features_text(features)) {
        request.metadata_mut().insert(FEATURES, features);
    }
    let codec = Speech::<Ours, Theirs>::new(outbox.account.clone(), most);
    let path = PathAndQuery::from_static(Theirs::SERVICE.1);
    Grpc::with_origin(channel, origin).max_decoding_message_size(most).streaming(request, path, codec).await
}

/// A connection in the form that tonic expects.
struct Channel {
    requests: Requests,
    account: Arc<Account>,
}

impl Service<http::Request<tonic::body::Body>> for Channel {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.requests.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(self.requests.send_request(request.map(|body| Watched::new(body, self.account.clone()))))
    }
}
