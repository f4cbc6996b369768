//! Links over a TCP connection: the signaling connection itself becomes the link.
//!
//! Every message is a header of five bytes (`framing`) and its payload; all lanes share one stream per direction.
//! `outbox` writes: a message goes straight to the socket if that has room, otherwise a task writes it later, control
//! messages first. `inbox` reads, and `assembler` puts messages together: large ones straight into memory of their
//! own. TCP retransmits lost bytes and delivers them in order, so live delivery makes no sense here.
//!
//! Pixels are copied once on their way from the renderer to the kernel: into the message.

mod assembler;
mod framing;
pub mod fuzz;
mod inbox;
mod outbox;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;

use self::inbox::Inbox;
use self::outbox::Outbox;
use super::{Kind, Link, LinkEvent};
use crate::door::lines::{Signaling, SignalingError};
use crate::door::signal::{Introduction, Signal};
use crate::text::Brief;

pub use framing::MAX_PAYLOAD;

/// How long the client waits for the server's answer to a hello: as long as for an offer.
const REPLY_LIMIT: Duration = Duration::from_secs(10);

/// Maximum number of characters of a wrong name that an error repeats.
const SHOWN_CHARACTERS: usize = 40;

/// Introduces a client and asks to use this connection as the link. Messages of more than `most` bytes are refused.
///
/// # Errors
/// [`SignalingError`] if the server refuses, has no such link, or does not answer.
pub async fn dial(mut signaling: Signaling, hello: Introduction, most: usize) -> Result<Link, SignalingError> {
    signaling.send(&Signal::Hello(Introduction { link: Some(Kind::Tcp.to_string()), ..hello })).await?;
    join(signaling, most).await
}

/// Waits for the link, after a hello that asked for it. Messages of more than `most` bytes are refused.
///
/// # Errors
/// [`SignalingError`] if the server refuses, has no such link, or does not answer.
pub async fn join(mut signaling: Signaling, most: usize) -> Result<Link, SignalingError> {
    match signaling.receive_within(REPLY_LIMIT).await? {
        Signal::Link { link } if link == Kind::Tcp.name() => Ok(self::link(signaling, most)?),
        Signal::Link { link } => Err(SignalingError::WrongPeer(format!(
            "it gives the link \"{}\", and {} was asked for",
            Brief(&link, SHOWN_CHARACTERS),
            Kind::Tcp
        ))),
        other => Err(SignalingError::instead(
            "a link over this connection, which servers before version 0.2 cannot give",
            other,
        )),
    }
}

/// Gives a client the link that it asked for. Messages of more than `most` bytes are refused.
///
/// # Errors
/// [`SignalingError`] if the connection is broken.
pub async fn accept(mut signaling: Signaling, most: usize) -> Result<Link, SignalingError> {
    signaling.send(&Signal::Link { link: Kind::Tcp.to_string() }).await?;
    Ok(link(signaling, most)?)
}

/// Turns a signaling connection into the link, after both ends have agreed to this on it. Messages of more than `most`
/// bytes are refused: the link then closes.
///
/// # Errors
/// If the connection is broken.
fn link(signaling: Signaling, most: usize) -> io::Result<Link> {
    let (socket, read) = signaling.into_socket()?;
    socket.tcp().set_nodelay(true)?;
    let (reader, writer) = socket.split();
    let outbox = Arc::new(Outbox::new(writer));
    tokio::spawn(outbox.clone().write());
    let inbox = Inbox::new(reader, read, most);
    let events = stream::unfold(Some(inbox), |inbox| async {
        let mut inbox = inbox?;
        match inbox.next().await {
            // These are the last events.
            last @ (LinkEvent::Closed | LinkEvent::Broken(_)) => Some((last, None)),
            event => Some((event, Some(inbox))),
        }
    });
    // A fragment may hold a whole message; `MAX_PAYLOAD` includes the fragment's header.
    Ok(Link::new(Arc::new(outbox::Closing(outbox)), events, MAX_PAYLOAD))
}

#[cfg(test)]
mod tests;
