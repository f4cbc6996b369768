//! The server's HTTP responses: its metrics, whether it is healthy, and the page.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shared::door::http::{Answer, Request, Status, answer, request};
use shared::door::websocket::WebSocket;
use shared::socket::Socket;
use tracing::debug;

use crate::browser::{Access, Dashboard, Pages, Shows, file, upgraded};
use crate::limited::Limited;
use crate::metrics::{MEDIA_TYPE, Metrics};

/// Maximum number of requests at a time. A monitor sends one or two, a page eight at once; more would take time from the
/// sessions on the same threads.
const MAX_REQUESTS: usize = 16;

/// Maximum number of refusals that are being sent at a time; further visitors are closed without one. A refusal keeps its
/// connection open for up to two seconds, so without a limit a flood would use up the descriptors. As many as wait by
/// default (`--max-waiting`).
const MAX_REFUSALS: usize = 256;

/// The response to an unknown path, which lists the known ones.
const PATHS: &str = "This is a Plumb server. It has / (a page for a browser), /metrics (OpenMetrics) and /healthz. Frames come \
                     over WebRTC, TCP or gRPC: docs/protocol.md.\n";

/// Maximum number of addresses that are remembered because they asked for the page. The oldest is forgotten first.
const MAX_BROWSING: usize = 64;

/// The requests that are being answered, and who asked for the page lately.
#[derive(Debug)]
pub(super) struct Requests {
    open: Limited,
    refusals: Limited,
    browsing: Mutex<VecDeque<(IpAddr, Instant)>>,
}

/// A connection that has become a WebSocket.
pub(super) enum Upgraded {
    /// It carries the lines of signaling: the page is a client.
    Signaling(WebSocket),
    /// A dashboard watches.
    Dashboard(Dashboard, WebSocket),
}

/// How a request is answered.
#[derive(Debug)]
enum Response {
    Answer(Answer),
    WebSocket(Asked),
}

/// What a WebSocket is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Signaling,
    /// With the session to show, if one is named.
    Dashboard(Shows, Option<u64>),
}

impl Default for Requests {
    fn default() -> Self {
        Self { open: Limited::new(MAX_REQUESTS), refusals: Limited::new(MAX_REFUSALS), browsing: Mutex::default() }
    }
}

impl Requests {
    /// Reads one request and answers it. Returns the connection if it has become a WebSocket.
    pub(super) async fn serve(
        &self,
        mut socket: Socket,
        peer: IpAddr,
        metrics: &Arc<Metrics>,
        pages: &Arc<Pages>,
    ) -> Option<Upgraded> {
        let Some(_place) = self.open.take() else {
            self.refuse(socket, peer, Status::Unavailable, &format!("more than {MAX_REQUESTS} requests at a time"))
                .await;
            return None;
        };
        let (response, is_head, key) = match request(&mut socket).await {
            Ok(request) => {
                debug!("{peer}: {} {}", request.method, request.path);
                let response = response_to(&request, peer, metrics, &pages.access);
                if is_of_page(&request.path, &response) {
                    self.browses(peer);
                }
                (response, request.method == "HEAD", request.websocket_key)
            }
            Err(wrong) => {
                debug!("{peer}: {wrong}");
                (Response::Answer(wrong.answer()?), false, None)
            }
        };
        let answered = match response {
            Response::Answer(answered) => answered,
            Response::WebSocket(asked) => match upgrade(asked, pages, socket, &key.unwrap_or_default()).await {
                Ok(upgraded) => return upgraded,
                Err((full, taken_back)) => {
                    socket = taken_back;
                    full
                }
            },
        };
        if let Err(error) = answer(socket, &answered, is_head).await {
            debug!("{peer}: the answer was not read: {error}");
        }
        None
    }

    /// Answers that a request is not served, whatever it asks for.
    pub(super) async fn refuse(&self, socket: Socket, peer: IpAddr, status: Status, reason: &str) {
        debug!("{peer}: refused: {reason}");
        if let Some(_place) = self.refusals.take() {
            // A visitor that does not read it is gone anyway.
            let _ = answer(socket, &Answer::text(status, format!("{reason}\n")), false).await;
        }
    }

    /// Whether this address has asked for the page within this time.
    pub(super) fn is_browsing(&self, address: IpAddr, within: Duration) -> bool {
        self.browsing().iter().any(|(known, at)| *known == address && at.elapsed() < within)
    }

    /// Notes that this address asks for the page.
    fn browses(&self, address: IpAddr) {
        let mut browsing = self.browsing();
        browsing.retain(|(known, _)| *known != address);
        if browsing.len() >= MAX_BROWSING {
            browsing.pop_front();
        }
        browsing.push_back((address, Instant::now()));
    }

    fn browsing(&self) -> MutexGuard<'_, VecDeque<(IpAddr, Instant)>> {
        // The list is whole after a panic elsewhere.
        self.browsing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a WebSocket of the connection. `None` if it fails; the answer and the connection if there is no place for it.
async fn upgrade(
    asked: Asked,
    pages: &Arc<Pages>,
    socket: Socket,
    key: &str,
) -> Result<Option<Upgraded>, (Answer, Socket)> {
    let dashboard = match asked {
        Asked::Signaling => None,
        Asked::Dashboard(shows, session) => match pages.sockets.take() {
            Some(place) => Some(Dashboard { pages: pages.clone(), shows, session, place }),
            None => return Err((Answer::text(Status::Unavailable, "too many pages are open\n"), socket)),
        },
    };
    let Ok(socket) = upgraded(socket, key).await.inspect_err(|error| debug!("no WebSocket: {error}")) else {
        return Ok(None);
    };
    Ok(Some(match dashboard {
        Some(dashboard) => Upgraded::Dashboard(dashboard, socket),
        None => Upgraded::Signaling(socket),
    }))
}

fn response_to(request: &Request, peer: IpAddr, metrics: &Metrics, access: &Access) -> Response {
    let asked = websocket(&request.path);
    let found: Option<fn(&Metrics) -> Answer> = match &request.path[..] {
        "/metrics" => Some(|metrics| Answer { media_type: MEDIA_TYPE, ..Answer::text(Status::Ok, metrics.text()) }),
        "/healthz" => Some(|_| Answer::text(Status::Ok, "ok\n")),
        _ => None,
    };
    let page = if found.is_none() && asked.is_none() { file(&request.path) } else { None };
    if found.is_none() && asked.is_none() && page.is_none() {
        return Response::Answer(Answer::text(Status::NotFound, PATHS));
    }
    if !matches!(&request.method[..], "GET" | "HEAD") {
        return Response::Answer(Answer::text(Status::MethodNotAllowed, "only GET and HEAD\n"));
    }
    if let Some(found) = found {
        return Response::Answer(found(metrics));
    }
    if let Err(refusal) = access.admit(peer, request.host.as_deref()) {
        return Response::Answer(refusal.answer());
    }
    match (page, asked) {
        (Some(page), _) => Response::Answer(page),
        (None, Some(asked)) => match Access::admit_websocket(request) {
            Ok(()) => Response::WebSocket(asked),
            Err(refusal) => Response::Answer(refusal),
        },
        (None, None) => Response::Answer(Answer::text(Status::NotFound, PATHS)),
    }
}

/// Whether a browser that shows the page asked for this, and gets it.
fn is_of_page(path: &str, response: &Response) -> bool {
    match response {
        Response::WebSocket(_) => true,
        Response::Answer(answer) => answer.status == Status::Ok && !matches!(path, "/metrics" | "/healthz"),
    }
}

/// What a WebSocket at this path carries; `None` if there is none.
fn websocket(path: &str) -> Option<Asked> {
    let (name, session) = match path.strip_prefix('/')?.split_once('/') {
        Some((name, number)) => (name, Some(number.parse().ok()?)),
        None => (path.strip_prefix('/')?, None),
    };
    match name {
        "signaling" if session.is_none() => Some(Asked::Signaling),
        "figures" => Some(Asked::Dashboard(Shows::Figures, session)),
        "frames" => Some(Asked::Dashboard(Shows::Frames, session)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::TaskName;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn asking(method: &str, path: &str) -> Request {
        Request { method: method.into(), path: path.into(), host: Some("127.0.0.1:8080".into()), ..Default::default() }
    }

    fn response(request: &Request, peer: IpAddr) -> Response {
        response_to(request, peer, &Metrics::new(TaskName::default()), &Access::default())
    }

    fn status(request: &Request, peer: IpAddr) -> Option<Status> {
        match response(request, peer) {
            Response::Answer(answer) => Some(answer.status),
            Response::WebSocket(_) => None,
        }
    }

    #[test]
    fn each_path_has_its_answer_and_takes_get_and_head_only() {
        for (method, path, expected) in [
            ("GET", "/metrics", Status::Ok),
            ("HEAD", "/healthz", Status::Ok),
            ("GET", "/", Status::Ok),
            ("HEAD", "/main.js", Status::Ok),
            ("GET", "/metrics/", Status::NotFound),
            ("GET", "/signaling/1", Status::NotFound),
            ("GET", "/figures/x", Status::NotFound),
            ("GET", "/figures", Status::Forbidden),
            ("POST", "/nothing", Status::NotFound),
            ("POST", "/", Status::MethodNotAllowed),
            ("POST", "/metrics", Status::MethodNotAllowed),
            ("DELETE", "/healthz", Status::MethodNotAllowed),
        ] {
            assert_eq!(status(&asking(method, path), HERE), Some(expected), "{method} {path}");
        }
    }

    #[test]
    fn the_page_is_refused_elsewhere_and_by_other_names_but_monitors_are_not() {
        let there = [192, 0, 2, 9].into();
        let named = |host: Option<&str>, path| Request { host: host.map(str::to_owned), ..asking("GET", path) };
        for (host, peer, expected) in [
            (Some("127.0.0.1:8080"), HERE, Status::Ok),
            (Some("evil.example"), HERE, Status::Misdirected),
            (None, HERE, Status::BadRequest),
            (Some("127.0.0.1:8080"), there, Status::Forbidden),
        ] {
            for path in ["/", "/client.js"] {
                assert_eq!(status(&named(host, path), peer), Some(expected), "{host:?} {peer} {path}");
            }
            assert_eq!(status(&named(host, "/metrics"), peer), Some(Status::Ok));
        }
    }

    #[test]
    fn a_websocket_is_for_our_own_page() {
        let asking = |path: &str, origin: Option<&str>, key: Option<&str>| Request {
            origin: origin.map(str::to_owned),
            websocket_key: key.map(str::to_owned),
            ..asking("GET", path)
        };
        let ours = Some("http://127.0.0.1:8080");
        for (path, expected) in [
            ("/signaling", Asked::Signaling),
            ("/figures", Asked::Dashboard(Shows::Figures, None)),
            ("/frames/7", Asked::Dashboard(Shows::Frames, Some(7))),
        ] {
            let got = response(&asking(path, ours, Some("key")), HERE);
            assert!(matches!(got, Response::WebSocket(asked) if asked == expected), "{path}: {got:?}");
            for foreign in [None, Some("null"), Some("http://evil.example")] {
                assert_eq!(status(&asking(path, foreign, Some("key")), HERE), Some(Status::Forbidden), "{foreign:?}");
            }
            assert_eq!(status(&asking(path, ours, None), HERE), Some(Status::UpgradeRequired));
        }
    }

    #[test]
    fn an_address_that_asks_for_the_page_is_remembered_for_a_while() {
        let (requests, while_long) = (Requests::default(), Duration::from_secs(60));
        requests.browses(HERE);
        assert!(requests.is_browsing(HERE, while_long) && !requests.is_browsing(HERE, Duration::ZERO));
        (0..MAX_BROWSING as u8).for_each(|last| requests.browses([192, 0, 2, last].into()));
        assert!(!requests.is_browsing(HERE, while_long), "the oldest is forgotten");
        assert_eq!(requests.browsing().len(), MAX_BROWSING);
    }
}
