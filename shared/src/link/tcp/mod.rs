//! Links over a TCP connection: the signaling connection itself becomes the link.
//!
//! Every message is a header of five bytes (`framing`) and its payload; all lanes share one stream per direction.
//! `outbox` writes: a message goes straight to the socket if that has room, otherwise a task writes it later, control
//! messages first. `inbox` reads, and `assembler` puts messages together: large ones straight into memory of their
//! own. A stream repeats what was lost,
//! in order, so live delivery makes no sense here.
//!
//! On the way from a renderer's pixels to the kernel there is one copy, the one into the message.

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

pub use framing::MAX_PAYLOAD;

/// How long the server's answer to a hello may take: as long as an offer may.
const REPLY_LIMIT: Duration = Duration::from_secs(10);

/// Introduces a client and asks for this connection as the link. Messages of more than `most` bytes are refused.
///
/// # Errors
/// [`SignalingError`] if the server refuses, has no such link, or does not answer.
pub async fn dial(mut signaling: Signaling, hello: Introduction, most: usize) -> Result<Link, SignalingError> {
    signaling.send(&Signal::Hello(Introduction { link: Some(Kind::Tcp.to_string()), ..hello })).await?;
    match signaling.receive_within(REPLY_LIMIT).await? {
        Signal::Link { link } if link == Kind::Tcp.name() => Ok(self::link(signaling, most)?),
        Signal::Error { reason, retry } => Err(SignalingError::Refused { reason, retry }),
        other => Err(SignalingError::Unexpected {
            expected: "a link over this connection, which servers before version 0.2 cannot give",
            got: other.name(),
        }),
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

/// Makes a link of a signaling connection, after both ends agreed to it there. Messages of more than `most` bytes are
/// refused: the link then closes.
///
/// # Errors
/// If the connection is broken.
fn link(signaling: Signaling, most: usize) -> io::Result<Link> {
    let (stream, read) = signaling.into_stream()?;
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    let outbox = Arc::new(Outbox::new(writer));
    tokio::spawn(outbox.clone().write());
    let inbox = Inbox::new(reader, read, most);
    let events = stream::unfold(Some(inbox), |inbox| async {
        let mut inbox = inbox?;
        match inbox.next().await {
            // Nothing follows.
            last @ (LinkEvent::Closed | LinkEvent::Broken(_)) => Some((last, None)),
            event => Some((event, Some(inbox))),
        }
    });
    // A fragment of a whole message, with its header.
    Ok(Link::new(Arc::new(outbox::Closing(outbox)), events, MAX_PAYLOAD))
}

#[cfg(test)]
mod tests;
