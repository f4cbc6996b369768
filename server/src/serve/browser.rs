//! Greets a browser: answers its request, shows it the dashboard, or greets its page as a client.

use std::time::Duration;

use shared::connect::Path;
use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::Signal;
use shared::door::stranger::{Arrived, Opening};
use shared::door::websocket::WebSocket;
use shared::link::webrtc::HandshakeError;
use shared::protocol::HELLO_LIMIT;
use shared::socket::Socket;
use tokio::time::Instant;
use tracing::debug;

use super::greet::misunderstood;
use super::greeter::{Connection, Greeter, Guest};
use super::http::Upgraded;
use crate::browser::Dashboard;

/// How long a connection may be silent if its address has the page open. Chromium opens connections in advance and
/// closes those that it has not used within 10 s. An offer on one of them would be taken for the answer to the request
/// that follows.
const SPARE_SILENCE: Duration = Duration::from_secs(12);

impl Greeter<'_> {
    /// Waits longer for the first bytes of a connection that a browser may have opened in advance.
    pub(super) async fn silent_of_browser(&self, arrived: Arrived, path: Path) -> Result<Arrived, SignalingError> {
        let has_spoken = arrived.opening != Opening::Other || Instant::now() < arrived.until;
        if has_spoken || !self.requests.is_browsing(path.peer.ip(), SPARE_SILENCE) {
            return Ok(arrived);
        }
        Ok(Arrived::new(arrived.socket, SPARE_SILENCE).await?)
    }

    /// Answers a request of HTTP/1. Only a page that says hello becomes a client; a connection that a browser opens in
    /// advance, and the dashboard, never do.
    pub(super) async fn greet_browser(&self, socket: Socket, path: Path) -> Result<Option<Guest>, HandshakeError> {
        let is_encrypted = socket.is_encrypted();
        let upgraded = self.requests.serve(socket, path.peer.ip(), &self.config.metrics, &self.config.pages).await;
        match upgraded {
            None => Ok(None),
            Some(Upgraded::Signaling(socket)) => self.greet_page(socket, path, is_encrypted).await,
            Some(Upgraded::Dashboard(dashboard, socket)) => {
                self.show(dashboard, socket);
                Ok(None)
            }
        }
    }

    /// Greets a page that is a client: its first message is a hello.
    async fn greet_page(
        &self,
        socket: WebSocket,
        path: Path,
        is_encrypted: bool,
    ) -> Result<Option<Guest>, HandshakeError> {
        let mut signaling = Signaling::of_page(socket);
        let mut turn = self.strangers.come();
        let said = tokio::select! {
            said = signaling.receive_within(HELLO_LIMIT) => said,
            () = turn.dismissed() => return Ok(None),
        };
        drop(turn);
        match said {
            Ok(Signal::Hello(hello)) => {
                let mtu = self.config.sctp_mtu.unwrap_or(path.mtu);
                self.greet_plumb(Connection { signaling, is_encrypted, path: Path { mtu, ..path } }, hello).await
            }
            // The page was closed.
            Ok(Signal::Bye { .. }) | Err(SignalingError::Closed) => Ok(None),
            Ok(other) => {
                let error = SignalingError::Unexpected { expected: "a hello", got: other.name() };
                Err(misunderstood(signaling, error).await.into())
            }
            Err(error) => Err(misunderstood(signaling, error).await.into()),
        }
    }

    /// Starts a task that shows the sessions to a page. If there is a token, the page must prove it first.
    fn show(&self, dashboard: Dashboard, socket: WebSocket) {
        let admission = self.config.admission.clone();
        tokio::spawn(async move {
            let mut signaling = Signaling::of_page(socket);
            match admission.admit_page(&mut signaling).await {
                Ok(()) => {
                    if let Some(socket) = signaling.into_page() {
                        dashboard.run(socket).await;
                    }
                }
                Err(error) => debug!("a page is shown nothing: {error}"),
            }
        });
    }
}
