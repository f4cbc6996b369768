//! The end that calls.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use futures_util::stream::{self, poll_fn};
use hyper::body::Incoming;
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codegen::http::uri::{PathAndQuery, Uri};
use tonic::codegen::{Service, http};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Request, Response, Status, Streaming};

use super::account::Account;
use super::admission::Caller;
use super::body::Watched;
use super::codec::SessionCodec;
use super::connection::{self, Requests};
use super::error::GrpcError;
use super::events::events;
use super::outbox::{Closing, Outbox, Outgoing, Pull};
use super::socket::Counted;
use super::translate::{Read, Side};
use super::{FEATURES, REPLY_LIMIT, features_of, features_text};
use crate::door::admission::Admission;
use crate::link::Link;
use crate::link::tcp::MAX_PAYLOAD;
use crate::socket::Socket;

/// Calls the other end, which serves the service of `Theirs`. Returns the link and the features that the other end names.
pub(super) async fn call<Ours: Side, Theirs: Side>(
    socket: Socket,
    most: usize,
    features: &[String],
    admission: &Admission,
) -> Result<(Link, Vec<String>), GrpcError> {
    let broken = |error: &dyn std::error::Error| GrpcError::Broken(error.to_string());
    let caller = Caller::new(admission, Ours::ROLE)?;
    let origin = origin(&socket).map_err(|error| broken(&*error))?;
    let outbox = Outbox::<Ours>::new();
    // Closes the connection if there is no session.
    let lanes = Closing(outbox.clone());
    let socket = Counted::new(socket, outbox.account.clone()).map_err(|error| broken(&error))?;
    let requests = connection::begin::<Ours, Theirs>(socket, outbox.clone()).await.map_err(|error| broken(&error))?;
    let asking = Asking { requests, origin, outbox: &outbox, most, features };
    let asked = timeout(REPLY_LIMIT, asking.admitted::<Theirs>(caller)).await;
    let response = asked.map_err(|_| GrpcError::Silence(REPLY_LIMIT))??;
    let theirs = features_of(response.metadata());
    let messages = events(response.into_inner(), outbox, None);
    Ok((Link::new(Arc::new(lanes), messages, MAX_PAYLOAD), theirs))
}

/// Where the calls go.
fn origin(socket: &Socket) -> Result<Uri, Box<dyn std::error::Error>> {
    let scheme = if socket.is_encrypted() { "https" } else { "http" };
    let authority = socket.tcp().peer_addr()?.to_string();
    Ok(Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build()?)
}

/// What all calls on a connection share.
struct Asking<'a, Ours: Side> {
    requests: Requests,
    origin: Uri,
    outbox: &'a Arc<Outbox<Ours>>,
    most: usize,
    features: &'a [String],
}

impl<Ours: Side> Asking<'_, Ours> {
    /// Calls for a session. With a token, a first call asks for a nonce, and the second proves the token over it.
    async fn admitted<Theirs: Side>(&self, caller: Option<Caller<'_>>) -> Result<Response<Streaming<Read>>, GrpcError> {
        let refused = |status: Status| GrpcError::of_answer(&status, Theirs::SERVICE.0);
        let Some(caller) = caller else {
            return self.ask::<Theirs>(self.messages(), MetadataMap::new()).await.map_err(refused);
        };
        let refusal = match self.ask::<Theirs>(stream::empty(), caller.asks()).await {
            Ok(_) => return Err(caller.alone().into()),
            Err(refusal) if refusal.code() == Code::Unauthenticated => refusal,
            Err(refusal) => return Err(refused(refusal)),
        };
        let Some((proof, nonces)) = caller.proves(&refusal)? else { return Err(refused(refusal)) };
        let response = self.ask::<Theirs>(self.messages(), proof).await.map_err(refused)?;
        caller.check(response.metadata(), &nonces)?;
        Ok(response)
    }

    /// The messages of this end.
    fn messages(&self) -> impl Stream<Item = Outgoing<Ours>> + Send + use<Ours> {
        let pull = Pull(self.outbox.clone());
        // A failure ends the call. A caller cannot tell the server what failed.
        poll_fn(move |cx| pull.0.poll_next(cx).map(|next| next.and_then(Result::ok)))
    }

    async fn ask<Theirs: Side>(
        &self,
        messages: impl Stream<Item = Outgoing<Ours>> + Send + 'static,
        metadata: MetadataMap,
    ) -> Result<Response<Streaming<Read>>, Status> {
        let mut request = Request::from_parts(metadata, Default::default(), messages);
        if let Ok(features) = MetadataValue::try_from(features_text(self.features)) {
            request.metadata_mut().insert(FEATURES, features);
        }
        let account = self.outbox.account.clone();
        let codec = SessionCodec::<Ours, Theirs>::new(account.clone(), self.most);
        let path = PathAndQuery::from_static(Theirs::SERVICE.1);
        let channel = Channel { requests: self.requests.clone(), account };
        let mut grpc = Grpc::with_origin(channel, self.origin.clone()).max_decoding_message_size(self.most);
        grpc.streaming(request, path, codec).await
    }
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
