//! Introduces this client to a server on a connection, and opens the link.

use shared::connect::Path;
use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::{Introduction, Signal};
use shared::link::webrtc::{self, HandshakeError, LinkSettings};
use shared::link::{Kind, Link, grpc, tcp};
use shared::protocol::encoding::FEATURES;
use tokio::net::TcpStream;
use tracing::debug;

/// The link that a client asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) link: Kind,
    /// Largest SCTP packet, in bytes. `None` means as large as the path allows.
    pub(crate) mtu: Option<u32>,
}

/// Opens the link to the server that this client has called.
///
/// # Errors
/// [`HandshakeError`] if the server refuses, or no link opens.
pub(crate) async fn open(stream: TcpStream, path: Path, asked: Asked) -> Result<Link, HandshakeError> {
    match asked.link {
        Kind::Grpc => Ok(grpc::call_source(stream, tcp::MAX_PAYLOAD, &features()).await?),
        Kind::Webrtc | Kind::Tcp => introduced(Signaling::new(stream), path, asked).await,
    }
}

/// Says hello and opens the link, whichever end called.
///
/// # Errors
/// [`HandshakeError`] if the server refuses, or no link opens.
pub(crate) async fn introduced(signaling: Signaling, path: Path, asked: Asked) -> Result<Link, HandshakeError> {
    let hello = Introduction::new(features());
    match asked.link {
        Kind::Webrtc => open_webrtc(signaling, hello, path, asked.mtu).await,
        Kind::Tcp => Ok(tcp::dial(signaling, hello, tcp::MAX_PAYLOAD).await?),
        Kind::Grpc => {
            let wrong = "lines of JSON lead to no gRPC: call without them (plumb.v1.Sink)";
            Err(SignalingError::WrongPeer(wrong.into()).into())
        }
    }
}

/// What this client can read.
pub(crate) fn features() -> Vec<String> {
    FEATURES.map(String::from).to_vec()
}

async fn open_webrtc(
    mut signaling: Signaling,
    hello: Introduction,
    path: Path,
    mtu: Option<u32>,
) -> Result<Link, HandshakeError> {
    let mtu = Some(mtu.unwrap_or(path.mtu));
    let hello = Introduction { mtu, receive_buffer: webrtc::receive_buffer(), ..hello };
    signaling.send(&Signal::Hello(hello)).await?;
    let addresses = webrtc::local_addresses(path.local);
    let signaling_peer = Some(path.peer.ip());
    let settings = LinkSettings { addresses, mtu, path_mtu: mtu, signaling: signaling_peer, ..Default::default() };
    debug!("answering an offer: {settings}");
    webrtc::dial(signaling, &settings).await
}
