//! Introduces this client to a server on a connection, and opens the link.

use shared::connect::Path;
use shared::door::admission::{Admission, Proven};
use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::{Introduction, Signal};
use shared::link::webrtc::{self, HandshakeError, LinkSettings, PeerKind};
use shared::link::{Kind, Link, grpc, tcp};
use shared::protocol::encoding::FEATURES;
use shared::socket::Socket;
use shared::tls::Tls;
use tracing::debug;

/// The link that a client asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) link: Kind,
    pub(crate) admission: Admission,
    pub(crate) tls: Tls,
    /// Largest SCTP packet, in bytes. `None` means as large as the path allows.
    pub(crate) mtu: Option<u32>,
}

/// Opens the link to the server that this client has called.
///
/// # Errors
/// [`HandshakeError`] if the server refuses, or no link opens.
pub(crate) async fn open(socket: Socket, path: Path, asked: Asked) -> Result<Link, HandshakeError> {
    let protected = asked.admission.protects(asked.link, path.peer.ip(), socket.is_encrypted());
    protected.map_err(SignalingError::from)?;
    match asked.link {
        Kind::Grpc => Ok(grpc::call_source(socket, tcp::MAX_PAYLOAD, &features(), &asked.admission).await?),
        Kind::Webrtc | Kind::Tcp => {
            let (signaling, proven) = introduced(Signaling::new(socket), path, &asked).await?;
            joined(signaling, path, &asked, proven).await
        }
    }
}

/// Says hello, whichever end called. With a token, both ends then prove that they hold it.
///
/// # Errors
/// [`SignalingError`] if the server refuses, or its proof fails.
pub(crate) async fn introduced(
    mut signaling: Signaling,
    path: Path,
    asked: &Asked,
) -> Result<(Signaling, Option<Proven>), SignalingError> {
    let nonce = asked.admission.nonce()?;
    let hello = Introduction { nonce: nonce.map(|nonce| nonce.to_string()), ..Introduction::new(features()) };
    let hello = match asked.link {
        Kind::Webrtc => {
            let mtu = Some(asked.mtu.unwrap_or(path.mtu));
            Introduction { mtu, receive_buffer: webrtc::receive_buffer(), ..hello }
        }
        Kind::Tcp | Kind::Grpc => Introduction { link: Some(asked.link.to_string()), ..hello },
    };
    signaling.send(&Signal::Hello(hello)).await?;
    let proven = asked.admission.admit_source(&mut signaling, nonce).await?;
    Ok((signaling, proven))
}

/// Opens the link after the hello.
///
/// # Errors
/// [`HandshakeError`] if the server refuses, or no link opens.
pub(crate) async fn joined(
    signaling: Signaling,
    path: Path,
    asked: &Asked,
    proven: Option<Proven>,
) -> Result<Link, HandshakeError> {
    match asked.link {
        Kind::Webrtc => open_webrtc(signaling, path, asked.mtu, proven).await,
        Kind::Tcp => Ok(tcp::join(signaling, tcp::MAX_PAYLOAD).await?),
        Kind::Grpc => {
            let wrong = "gRPC does not begin with lines of JSON: call plumb.v1.Sink without them";
            Err(SignalingError::WrongPeer(wrong.into()).into())
        }
    }
}

/// What this client can read.
pub(crate) fn features() -> Vec<String> {
    FEATURES.map(String::from).to_vec()
}

async fn open_webrtc(
    signaling: Signaling,
    path: Path,
    mtu: Option<u32>,
    proven: Option<Proven>,
) -> Result<Link, HandshakeError> {
    let mtu = Some(mtu.unwrap_or(path.mtu));
    let signaling_peer = Some(path.peer.ip());
    // A page has its browser's sockets, so it gets the settings of a stranger, and one address.
    let (peer, addresses) = match signaling.is_of_page() {
        true => (PeerKind::Stranger, webrtc::one_address(path.local)),
        false => (PeerKind::Plumb, webrtc::local_addresses(path.local)),
    };
    let settings =
        LinkSettings { peer, addresses, mtu, path_mtu: mtu, proven, signaling: signaling_peer, ..Default::default() };
    debug!("answering an offer: {settings}");
    webrtc::dial(signaling, &settings).await
}
