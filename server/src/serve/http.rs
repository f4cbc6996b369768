//! The server's HTTP responses: its metrics, and whether it is healthy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shared::door::http::{Answer, Status, answer, request};
use tokio::net::TcpStream;
use tracing::debug;

use crate::metrics::{MEDIA_TYPE, Metrics};

/// Maximum number of requests at a time. A monitor sends one or two; more would take time from the sessions on the same
/// threads.
const MAX_REQUESTS: usize = 16;

/// The response to an unknown path, which lists the known ones.
const PATHS: &str = "This is a Plumb server. It has /metrics (OpenMetrics) and /healthz. Frames come over WebRTC, TCP or \
                     gRPC: docs/protocol.md.\n";

/// The requests that are being answered.
#[derive(Debug, Default)]
pub(super) struct Requests(AtomicUsize);

/// A request's place; freed when dropped.
struct Place<'a>(&'a Requests);

impl Requests {
    /// Reads one request and answers it.
    pub(super) async fn serve(&self, mut stream: TcpStream, metrics: &Arc<Metrics>) {
        let peer = stream.peer_addr().map_or_else(|_| "?".into(), |peer| peer.to_string());
        let Some(_place) = self.take() else {
            debug!("{peer}: refused: {MAX_REQUESTS} requests at a time");
            let full = Answer::text(Status::Unavailable, format!("more than {MAX_REQUESTS} requests at a time\n"));
            let _ = answer(stream, &full, false).await;
            return;
        };
        let (answered, is_head) = match request(&mut stream).await {
            Ok(request) => {
                debug!("{peer}: {} {}", request.method, request.path);
                (answer_to(&request.method, &request.path, metrics), request.method == "HEAD")
            }
            Err(wrong) => {
                debug!("{peer}: {wrong}");
                let Some(answer) = wrong.answer() else { return };
                (answer, false)
            }
        };
        if let Err(error) = answer(stream, &answered, is_head).await {
            debug!("{peer}: the answer was not read: {error}");
        }
    }

    fn take(&self) -> Option<Place<'_>> {
        let place = Place(self);
        // Dropping the place frees it.
        (self.0.fetch_add(1, Ordering::AcqRel) < MAX_REQUESTS).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn answer_to(method: &str, path: &str, metrics: &Metrics) -> Answer {
    let found = match path {
        "/metrics" => {
            |metrics: &Metrics| Answer { status: Status::Ok, media_type: MEDIA_TYPE, content: metrics.text() }
        }
        "/healthz" => |_: &Metrics| Answer::text(Status::Ok, "ok\n"),
        "/" => |_: &Metrics| Answer::text(Status::Ok, PATHS),
        _ => return Answer::text(Status::NotFound, PATHS),
    };
    match method {
        "GET" | "HEAD" => found(metrics),
        _ => Answer::text(Status::MethodNotAllowed, "only GET and HEAD\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::TaskName;

    #[test]
    fn each_path_has_its_answer_and_takes_get_and_head_only() {
        let metrics = Metrics::new(TaskName::default());
        for (method, path, status) in [
            ("GET", "/metrics", Status::Ok),
            ("HEAD", "/healthz", Status::Ok),
            ("GET", "/", Status::Ok),
            ("GET", "/metrics/", Status::NotFound),
            ("POST", "/nothing", Status::NotFound),
            ("POST", "/metrics", Status::MethodNotAllowed),
            ("DELETE", "/healthz", Status::MethodNotAllowed),
        ] {
            assert_eq!(answer_to(method, path, &metrics).status, status, "{method} {path}");
        }
    }

    #[test]
    fn places_are_limited_and_come_back() {
        let requests = Requests::default();
        let places: Vec<_> = (0..MAX_REQUESTS).map(|_| requests.take().unwrap()).collect();
        assert!(requests.take().is_none() && requests.take().is_none());
        drop(places);
        assert!(requests.take().is_some());
    }
}
