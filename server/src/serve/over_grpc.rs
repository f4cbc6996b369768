//! Greets clients over gRPC, whichever end calls.

use std::time::Duration;

use shared::connect::Path;
use shared::door::lines::SignalingError;
use shared::door::signal::Introduction;
use shared::link::webrtc::HandshakeError;
use shared::link::{Kind, Lane, grpc};
use shared::protocol::message::{Bye, Control, control_bytes};
use shared::socket::Socket;
use tracing::debug;

use super::greeter::{Greeter, Guest};
use super::welcome::Rejection;

/// How long a client that gets no session may take to receive the reason.
const BYE_LIMIT: Duration = Duration::from_millis(200);

impl Greeter<'_> {
    /// Greets a client that speaks gRPC.
    pub(super) async fn greet_caller(&self, socket: Socket, path: Path) -> Result<Option<Guest>, SignalingError> {
        let is_encrypted = socket.is_encrypted();
        let call = grpc::answer_sink(socket, self.largest_message(), &self.config.admission).await?;
        let features = call.features().to_vec();
        match self.welcome(&over_grpc(features.clone()), path, is_encrypted) {
            Ok(place) => Ok(Some(Guest::over_grpc(call.accept(), place, features, path))),
            Err(Rejection { reason, retry }) => {
                debug!("{}: refused: {reason}", path.peer);
                call.refuse(reason, retry).await;
                Ok(None)
            }
        }
    }

    /// Calls a client that listens for gRPC, and opens the link to it.
    pub(super) async fn call_over_grpc(&self, socket: Socket, path: Path) -> Result<Guest, HandshakeError> {
        let (admission, is_encrypted) = (&self.config.admission, socket.is_encrypted());
        admission.protects(Kind::Grpc, path.peer.ip(), is_encrypted).map_err(SignalingError::from)?;
        let (link, features) = grpc::call_sink(socket, self.largest_message(), admission).await?;
        match self.welcome(&over_grpc(features.clone()), path, is_encrypted) {
            Ok(place) => Ok(Guest::over_grpc(link, place, features, path)),
            Err(Rejection { reason, .. }) => {
                let bye = control_bytes(&Control::Bye(Bye { reason: reason.clone() }));
                if let Ok(bye) = bye {
                    // Fails if the client has left.
                    let _ = link.sender().send_soon(Lane::Control, bye).await;
                }
                link.sender().close_within(BYE_LIMIT).await;
                Err(SignalingError::WrongPeer(format!("cannot work with this client: {reason}")).into())
            }
        }
    }
}

/// The hello that stands for a client's gRPC call.
fn over_grpc(features: Vec<String>) -> Introduction {
    Introduction { link: Some(Kind::Grpc.to_string()), ..Introduction::new(features) }
}
