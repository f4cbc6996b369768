//! Links over gRPC: one call with a stream of messages each way carries all lanes.
//!
//! The messages are those of `proto/plumb.proto`. A session knows only MessagePack, so `translate` turns each message
//! into the other form. Pixels are copied once on the way in and not at all on the way out. tonic calls `codec` for each
//! message. `outbox` holds messages that wait to be sent, at most one frame of them, so that no frame grows old there.
//! `ledger` counts what the peer has acknowledged, by what `body` and `socket` observe of the call and its connection.
//!
//! The end that accepted or dialled a connection gives it to hyper: `serve` answers a call, `call` makes one. Either end
//! may call, whichever sends the frames: `Source` and `Sink` (in `translate`) are the roles. `admission` proves a token.

mod account;
mod admission;
mod body;
mod call;
mod codec;
mod connection;
mod error;
mod events;
pub mod fuzz;
mod ledger;
mod outbox;
mod outline;
mod serve;
mod socket;
mod translate;

#[cfg(test)]
mod tests;

/// The messages of `proto/plumb.proto`, as prost makes them.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery, rustdoc::all)]
pub mod wire {
    include!(concat!(env!("OUT_DIR"), "/plumb.v1.rs"));
}

use std::time::Duration;

use super::Link;
use crate::door::admission::Admission;
use crate::door::lines::SignalingError;
use crate::socket::Socket;

pub use self::serve::Call;

use self::translate::{Sink, Source};

/// Whether this build has the link grpc (the cargo feature `grpc`).
pub const IS_BUILT: bool = true;

/// How long the server of a call waits for it, and the caller for the answer: as long as for an offer.
const REPLY_LIMIT: Duration = Duration::from_secs(10);

/// Metadata that names the features of a sink: of the call if the sink calls, else of the response.
const FEATURES: &str = "plumb-features";

/// Waits for a sink's call on this connection, whose first bytes are HTTP/2's. Messages of more than `most` bytes are
/// refused.
///
/// # Errors
/// [`SignalingError`] if no call comes in time, the caller is not admitted, or the connection breaks.
pub async fn answer_sink(
    socket: impl Into<Socket>,
    most: usize,
    admission: &Admission,
) -> Result<Call, SignalingError> {
    Ok(serve::answer::<Source, Sink>(socket.into(), most, &[], admission).await?)
}

/// Waits for a source's call on this connection. `features` is what this sink can read. Messages of more than `most`
/// bytes are refused.
///
/// # Errors
/// [`SignalingError`] if no call comes in time, the caller is not admitted, or the connection breaks.
pub async fn answer_source(
    socket: impl Into<Socket>,
    most: usize,
    features: &[String],
    admission: &Admission,
) -> Result<Call, SignalingError> {
    Ok(serve::answer::<Sink, Source>(socket.into(), most, features, admission).await?)
}

/// Calls a source that serves sinks. `features` is what this sink can read. Messages of more than `most` bytes are
/// refused.
///
/// # Errors
/// [`SignalingError`] if the source refuses, serves no sinks over gRPC, or does not answer.
pub async fn call_source(
    socket: impl Into<Socket>,
    most: usize,
    features: &[String],
    admission: &Admission,
) -> Result<Link, SignalingError> {
    Ok(call::call::<Sink, Source>(socket.into(), most, features, admission).await?.0)
}

/// Calls a sink that waits for sources. Returns the link, and what the sink can read. Messages of more than `most` bytes
/// are refused.
///
/// # Errors
/// [`SignalingError`] if the sink refuses, serves no sources over gRPC, or does not answer.
pub async fn call_sink(
    socket: impl Into<Socket>,
    most: usize,
    admission: &Admission,
) -> Result<(Link, Vec<String>), SignalingError> {
    Ok(call::call::<Source, Sink>(socket.into(), most, &[], admission).await?)
}

/// Writes features as metadata.
fn features_text(features: &[String]) -> String {
    features.join(", ")
}

/// Reads features from metadata; names that are not text count as absent.
fn features_of(metadata: &tonic::metadata::MetadataMap) -> Vec<String> {
    let lists = metadata.get_all(FEATURES).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).filter(|name| !name.is_empty()).map(String::from).collect()
}
