//! The page that a listening client shows a browser: with it, the browser's camera is a source that calls.
//!
//! The page contains no data of this client, so every address may see it. A page of another site must not make a
//! visitor's browser call this client. So outside TLS, `Host` must be an IP address or `localhost`; inside TLS, the
//! certificate excludes foreign names. Only the page itself may open the WebSocket.

use std::io;
use std::net::IpAddr;

use shared::door::access::{Access, Refusal};
use shared::door::http::{Answer, Request, Status, answer, request};
use shared::door::page::{CSS, HEADERS, HTML, MESSAGES, SCRIPT, SESSION, STYLE};
use shared::door::upgrade::upgraded;
use shared::door::websocket::WebSocket;
use shared::socket::Socket;
use tracing::debug;

/// Path, media type and content of each file.
const FILES: [(&str, &str, &str); 6] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/page.css", CSS, STYLE),
    ("/camera.js", SCRIPT, include_str!("page/camera.js")),
    ("/source.js", SCRIPT, include_str!("page/source.js")),
    ("/messages.js", SCRIPT, MESSAGES),
    ("/session.js", SCRIPT, SESSION),
];

/// The response to an unknown path, which lists the known ones.
const PATHS: &str = "This is a Plumb client that waits for servers. It has / (a page that sends a browser's camera). Servers \
                     call it with --dial: docs/protocol.md.\n";

/// How a request is answered.
#[derive(Debug, PartialEq)]
enum Response {
    Answer(Answer),
    /// With a WebSocket, for signaling.
    Signaling,
}

/// Reads one request and answers it. Returns the WebSocket if it asks for one.
///
/// # Errors
/// If the connection fails.
pub(super) async fn answered(mut socket: Socket, peer: IpAddr) -> io::Result<Option<WebSocket>> {
    let is_encrypted = socket.is_encrypted();
    let (response, is_head, key) = match request(&mut socket).await {
        Ok(request) => {
            debug!("{peer}: {} {}", request.method, request.path);
            (response_to(&request, peer, is_encrypted), request.method == "HEAD", request.websocket_key)
        }
        Err(wrong) => {
            debug!("{peer}: {wrong}");
            let Some(answer) = wrong.answer() else { return Ok(None) };
            (Response::Answer(answer), false, None)
        }
    };
    match response {
        Response::Signaling => upgraded(socket, &key.unwrap_or_default()).await.map(Some),
        Response::Answer(answered) => {
            if let Err(error) = answer(socket, &answered, is_head).await {
                debug!("{peer}: the answer was not read: {error}");
            }
            Ok(None)
        }
    }
}

fn response_to(request: &Request, peer: IpAddr, is_encrypted: bool) -> Response {
    let file = FILES.into_iter().find(|(known, ..)| *known == request.path);
    if file.is_none() && request.path != "/signaling" {
        return Response::Answer(Answer::text(Status::NotFound, PATHS));
    }
    if !matches!(&request.method[..], "GET" | "HEAD") {
        return Response::Answer(Answer::text(Status::MethodNotAllowed, "only GET and HEAD\n"));
    }
    if !is_encrypted {
        let access = Access { names: Vec::new(), is_open: true };
        match access.admit(peer, request.host.as_deref()) {
            Ok(()) => {}
            Err(wrong @ Refusal::OtherHost(_)) => {
                let right = "open the page of this client by an IP address or localhost, or inside TLS (--tls-cert)\n";
                return Response::Answer(Answer::text(wrong.status(), right));
            }
            Err(wrong) => return Response::Answer(wrong.answer()),
        }
    }
    match file {
        Some((_, media_type, content)) => Response::Answer(Answer {
            status: Status::Ok,
            media_type,
            headers: HEADERS,
            content: content.as_bytes().into(),
        }),
        None => match Access::admit_websocket(request) {
            Ok(()) => Response::Signaling,
            Err(refusal) => Response::Answer(refusal),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn asking(path: &str, host: &str) -> Request {
        Request { method: "GET".into(), path: path.into(), host: Some(host.into()), ..Default::default() }
    }

    fn status(request: &Request, is_encrypted: bool) -> Option<Status> {
        match response_to(request, Ipv4Addr::LOCALHOST.into(), is_encrypted) {
            Response::Answer(answer) => Some(answer.status),
            Response::Signaling => None,
        }
    }

    #[test]
    fn the_page_is_shown_under_addresses_of_this_machine_and_inside_tls() {
        for (host, is_encrypted, expected) in [
            ("127.0.0.1:9000", false, Status::Ok),
            ("localhost:9000", false, Status::Ok),
            ("192.0.2.7:9000", false, Status::Ok),
            ("evil.example:9000", false, Status::Misdirected),
            ("desk.example:9000", true, Status::Ok),
        ] {
            for (path, ..) in FILES {
                assert_eq!(status(&asking(path, host), is_encrypted), Some(expected), "{host} {path}");
            }
        }
        assert_eq!(status(&asking("/figures", "localhost"), false), Some(Status::NotFound));
        let post = Request { method: "POST".into(), ..asking("/", "localhost") };
        assert_eq!(status(&post, false), Some(Status::MethodNotAllowed));
    }

    #[test]
    fn only_the_page_of_this_client_may_call_it() {
        let calling = |origin: Option<&str>, key: Option<&str>| Request {
            origin: origin.map(str::to_owned),
            websocket_key: key.map(str::to_owned),
            ..asking("/signaling", "127.0.0.1:9000")
        };
        assert_eq!(status(&calling(Some("http://127.0.0.1:9000"), Some("key")), false), None);
        for origin in [None, Some("null"), Some("http://evil.example"), Some("http://127.0.0.1:9001")] {
            assert_eq!(status(&calling(origin, Some("key")), false), Some(Status::Forbidden), "{origin:?}");
            assert_eq!(status(&calling(origin, Some("key")), true), Some(Status::Forbidden), "{origin:?}");
        }
        assert_eq!(status(&calling(Some("http://127.0.0.1:9000"), None), false), Some(Status::UpgradeRequired));
    }

    #[test]
    fn every_imported_file_is_there_and_nothing_is_interpreted() {
        for (path, _, content) in FILES {
            for forbidden in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "style=\"", "<script>"]
            {
                assert!(!content.contains(forbidden), "{path} uses {forbidden}");
            }
            for import in content.split(" from \"./").skip(1) {
                let name = import.split('"').next().unwrap_or_default();
                assert!(FILES.iter().any(|(known, ..)| known.strip_prefix('/') == Some(name)), "{path} imports {name}");
            }
        }
    }
}
