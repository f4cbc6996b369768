//! The end that is called.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::poll_fn;
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::server::{Grpc, StreamingService};
use tonic::{Request, Response, Status, Streaming};

use super::admission::{Guard, Refusal};
use super::body::Watched;
use super::codec::SessionCodec;
use super::connection;
use super::error::GrpcError;
use super::events::{Deadline, events};
use super::outbox::{Closing, Outbox, Outgoing, Pull};
use super::socket::Counted;
use super::translate::{Read, Side};
use super::{FEATURES, REPLY_LIMIT, features_of, features_text};
use crate::admission::NotAdmitted;
use crate::door::admission::Admission;
use crate::link::Link;
use crate::link::tcp::MAX_PAYLOAD;
use crate::socket::Socket;

/// A call that waits for its answer.
pub struct Call {
    features: Vec<String>,
    link: Link,
    decide: oneshot::Sender<Result<(), Status>>,
}

impl Call {
    /// What the caller can read, if it is a sink.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Accepts the call as a session.
    pub fn accept(self) -> Link {
        // Fails if the caller has left; then the link says so.
        let _ = self.decide.send(Ok(()));
        self.link
    }

    /// Tells the caller why it gets no session, and whether a later attempt may succeed.
    pub async fn refuse(self, reason: String, retry: bool) {
        let refusal = if retry { Status::unavailable(reason) } else { Status::failed_precondition(reason) };
        // Fails if the caller has left.
        let _ = self.decide.send(Err(refusal));
        self.link.sender().close_within(Duration::ZERO).await;
    }
}

/// Waits for a call on this connection.
pub(super) async fn answer<Ours: Side, Theirs: Side>(
    socket: Socket,
    most: usize,
    features: &[String],
    admission: &Admission,
) -> Result<Call, GrpcError> {
    let outbox = Outbox::<Ours>::new();
    let socket = Counted::new(socket, outbox.account.clone()).map_err(|error| GrpcError::Broken(error.to_string()))?;
    let (first, mut called) = oneshot::channel();
    let features = MetadataValue::try_from(features_text(features)).ok();
    let first = Mutex::new(Some(first));
    let guard = Guard::new(admission.clone(), Ours::ROLE);
    let desk =
        Arc::new(Desk::<Ours, Theirs> { outbox: outbox.clone(), most, features, guard, first, theirs: PhantomData });
    let until_called = CloseUnlessCalled(Some(outbox.clone()));
    connection::serve::<Ours, Theirs, _, _>(socket, outbox.clone(), move |request| desk.clone().answer(request));
    let call = tokio::select! {
        call = timeout(REPLY_LIMIT, &mut called) => call.map_err(|_| GrpcError::Silence(REPLY_LIMIT))?,
        () = outbox.ended() => called.await,
    };
    let call = call.map_err(|_| GrpcError::Broken("it ended before a call".into()))??;
    until_called.keep_open();
    Ok(call)
}

/// Closes the connection if no call comes, or if its receiver is gone.
struct CloseUnlessCalled<S: Side>(Option<Arc<Outbox<S>>>);

impl<S: Side> CloseUnlessCalled<S> {
    fn keep_open(mut self) {
        self.0 = None;
    }
}

impl<S: Side> Drop for CloseUnlessCalled<S> {
    fn drop(&mut self) {
        drop(self.0.take().map(Closing));
    }
}

/// Answers the requests of a connection. The first call gets the session.
struct Desk<Ours: Side, Theirs: Side> {
    outbox: Arc<Outbox<Ours>>,
    most: usize,
    features: Option<MetadataValue<tonic::metadata::Ascii>>,
    guard: Guard,
    first: Mutex<Option<oneshot::Sender<Result<Call, NotAdmitted>>>>,
    theirs: PhantomData<Theirs>,
}

/// The response to a call: the messages of this end.
type Answers<S> = Pin<Box<dyn Stream<Item = Result<Outgoing<S>, Status>> + Send>>;

impl<Ours: Side, Theirs: Side> Desk<Ours, Theirs> {
    async fn answer(self: Arc<Self>, request: hyper::Request<Incoming>) -> hyper::Response<Watched> {
        let (service, path) = Ours::SERVICE;
        let account = self.outbox.account.clone();
        let response = if request.uri().path() == path {
            let codec = SessionCodec::<Ours, Theirs>::new(account.clone(), self.most);
            let mut grpc = Grpc::new(codec).apply_max_message_size_config(Some(self.most), None);
            grpc.streaming(Session(self), request).await
        } else {
            Status::unimplemented(format!("there is one method here: Session of {service}")).into_http()
        };
        response.map(|body| Watched::new(body, account))
    }

    /// Waits for the decision about a call.
    async fn decide(self: Arc<Self>, request: Request<Streaming<Read>>) -> Result<Response<Answers<Ours>>, Status> {
        let proved = self.admitted(request.metadata()).await?;
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(first) = first else {
            return Err(Status::resource_exhausted(
                "there is one session per connection: open another channel, with its own connection (grpc.use_local_subchannel_pool)",
            ));
        };
        let features = features_of(request.metadata());
        let deadline = timeout_of(request.metadata()).map(|after| Deadline { at: Instant::now() + after, after });
        let messages = events(request.into_inner(), self.outbox.clone(), deadline);
        let link = Link::new(Arc::new(Closing(self.outbox.clone())), messages, MAX_PAYLOAD);
        let (decide, decision) = oneshot::channel();
        // Fails if the receiver is gone. Then there is no decision either.
        let _ = first.send(Ok(Call { features, link, decide }));
        decision.await.unwrap_or_else(|_| Err(Status::unavailable("this end stops")))?;
        let pull = Pull(self.outbox.clone());
        let mut response = Response::new(Box::pin(poll_fn(move |cx| pull.0.poll_next(cx))) as Answers<Ours>);
        if let Some(features) = self.features.clone() {
            response.metadata_mut().insert(FEATURES, features);
        }
        response.metadata_mut().as_mut().extend(proved.into_headers());
        Ok(response)
    }

    /// Admits a call, and returns what the response says to prove this end. A caller that is not admitted ends the
    /// connection; one that has to prove itself first may call again.
    async fn admitted(&self, said: &MetadataMap) -> Result<MetadataMap, Status> {
        match self.guard.admit(said).await {
            Ok(proved) => Ok(proved),
            Err(Refusal::Challenge(status)) => Err(status),
            Err(Refusal::Final(reason)) => {
                if let Some(first) = self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    // Fails if the receiver is gone.
                    let _ = first.send(Err(reason));
                }
                Err(Status::permission_denied(reason.to_string()))
            }
        }
    }
}

/// The method that both services have.
struct Session<Ours: Side, Theirs: Side>(Arc<Desk<Ours, Theirs>>);

impl<Ours: Side, Theirs: Side> StreamingService<Read> for Session<Ours, Theirs> {
    type Response = Outgoing<Ours>;
    type ResponseStream = Answers<Ours>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answers<Ours>>, Status>> + Send>>;

    fn call(&mut self, request: Request<Streaming<Read>>) -> Self::Future {
        Box::pin(self.0.clone().decide(request))
    }
}

/// How long the caller gives its call: gRPC over HTTP/2 writes a number of at most eight digits and a unit.
fn timeout_of(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok().filter(|number| *number < 100_000_000)?;
    Some(match unit {
        "H" => Duration::from_secs(3600) * number,
        "M" => Duration::from_secs(60) * number,
        "S" => Duration::from_secs(number.into()),
        "m" => Duration::from_millis(number.into()),
        "u" => Duration::from_micros(number.into()),
        "n" => Duration::from_nanos(number.into()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        let read = |text: &str| {
            let mut metadata = MetadataMap::new();
            metadata.insert("grpc-timeout", MetadataValue::try_from(text).unwrap());
            timeout_of(&metadata)
        };
        assert_eq!(read("2000m"), Some(Duration::from_secs(2)));
        assert_eq!(read("3S"), Some(Duration::from_secs(3)));
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        for wrong in ["", "S", "1", "-1S", "1.5S", "100000000S", "1x", "\u{e4}"] {
            if let Ok(value) = MetadataValue::try_from(wrong) {
                let mut metadata = MetadataMap::new();
                metadata.insert("grpc-timeout", value);
                assert_eq!(timeout_of(&metadata), None, "{wrong}");
            }
        }
        assert_eq!(timeout_of(&MetadataMap::new()), None);
    }
}
