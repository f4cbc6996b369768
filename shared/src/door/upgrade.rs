//! The server's side of a WebSocket's handshake (RFC 6455, section 4.2.2).

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::http::switch_to_websocket;
use super::lines::MAX_LINE;
use super::websocket::WebSocket;
use crate::socket::Socket;

/// What the key is joined with (section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Makes a WebSocket of a connection that asked for one with this key.
///
/// # Errors
/// If the connection fails.
pub async fn upgraded(mut socket: Socket, key: &str) -> io::Result<WebSocket> {
    switch_to_websocket(&mut socket, &accept(key)).await?;
    Ok(WebSocket::new(socket, MAX_LINE))
}

fn accept(key: &str) -> String {
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_key_is_answered_as_in_the_standards_example() {
        assert_eq!(super::accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
