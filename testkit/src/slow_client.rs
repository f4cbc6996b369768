//! A client with given times for queue and detection, given answers, and with its own clock.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use client::session::{Action, Detection, Session};
use shared::door::lines::Signaling;
use shared::door::signal::{Introduction, Signal};
use shared::link::webrtc::{self, LinkSettings};
use shared::link::{Lane, Link, LinkEvent};
use shared::protocol::message::Payload;
use shared::time::{Micros, MonotonicClock};
use tokio::net::TcpStream;
use tokio::time::sleep_until;

/// A client that delays each frame.
#[derive(Clone, Copy, Debug)]
pub struct SlowClient {
    /// Shortest time a frame waits in the queue.
    pub queue: Duration,
    /// Shortest time of detection after that. Any number of frames can be in detection at once.
    pub detect: Duration,
    /// Reading of the client's clock at its start, in µs.
    pub ahead_us: u64,
}

/// The real times of each frame, by the client's clock.
#[derive(Debug, Default)]
pub struct Spent {
    /// Times in the queue.
    pub queue_us: Vec<u64>,
    /// Times of detection.
    pub detect_us: Vec<u64>,
}

/// A frame that waits or is in detection.
struct Job {
    frame: u64,
    received: Micros,
    started: Option<Micros>,
}

/// A link to a server, for a client that names these features.
pub async fn dial(server: SocketAddr, features: Vec<String>) -> Link {
    let stream = TcpStream::connect(server).await.expect("the server listens");
    let local = stream.local_addr().expect("connected");
    let mtu = Some(webrtc::path_mtu(&stream).expect("connected"));
    let mut signaling = Signaling::new(stream);
    let hello = Introduction { mtu, ..Introduction::new(features) };
    signaling.send(&Signal::Hello(hello)).await.expect("sent");
    let settings = LinkSettings { addresses: webrtc::local_addresses(local), mtu, ..Default::default() };
    webrtc::dial(signaling, &settings).await.expect("a link")
}

impl SlowClient {
    /// Runs a session to its end. Each frame is answered with `none`.
    pub fn run(self, server: SocketAddr) -> Spent {
        self.run_with(server, |_| Payload::new("none"))
    }

    /// Runs a session of any task to its end. `answer` gives the answer to the frame with this id.
    pub fn run_with(self, server: SocketAddr, answer: impl FnMut(u64) -> Payload<'static>) -> Spent {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let link = dial(server, Vec::new()).await;
            self.drive(link, answer).await
        })
    }

    async fn drive(self, mut link: Link, mut answer: impl FnMut(u64) -> Payload<'static>) -> Spent {
        let clock = MonotonicClock::start();
        let now = || Micros(clock.now().0 + self.ahead_us);
        let instant = |time: Micros| clock.instant(Micros(time.0 - self.ahead_us));
        let mut session = Session::new(link.max_message_size(), now());
        // Oldest first. All frames take the same time, so the oldest is the next to change its state.
        let (mut waiting, mut in_detection) = (VecDeque::<Job>::new(), VecDeque::<Job>::new());
        let mut spent = Spent::default();
        loop {
            let mut wake = match session.poll(now()) {
                Action::Send(lane, message) => {
                    link.sender().send_soon(lane, message).await.expect("the link is open");
                    continue;
                }
                Action::SendPicture(pieces) => {
                    link.sender().send_all(Lane::Answers, pieces).await.expect("the link is open");
                    session.picture_sent();
                    continue;
                }
                Action::Detect(frame) => {
                    waiting.push_back(Job { frame: frame.id, received: frame.received, started: None });
                    continue;
                }
                Action::Greeted { .. } | Action::Refused { .. } => continue,
                Action::Close(_) => return spent,
                Action::Wait(wake) => wake,
            };
            if let Some(job) = waiting.front() {
                wake = wake.min(job.received + self.queue);
            }
            if let Some(started) = in_detection.front().and_then(|job| job.started) {
                wake = wake.min(started + self.detect);
            }
            tokio::select! {
                event = link.next() => match event {
                    LinkEvent::Message(lane, bytes) => session.message(lane, &bytes, now()),
                    LinkEvent::Arriving => session.arriving(now()),
                    LinkEvent::PeerMayBeGone | LinkEvent::PeerLeaves(_) => session.peer_may_be_gone(now()),
                    LinkEvent::Closed => session.link_closed("closed"),
                    LinkEvent::Broken(how) => session.link_closed(&how),
                },
                () = sleep_until(instant(wake).into()) => {}
            }
            let time = now();
            while let Some(job) = waiting.pop_front_if(|job| time >= job.received + self.queue) {
                spent.queue_us.push(time.since(job.received));
                in_detection.push_back(Job { started: Some(time), ..job });
            }
            let is_done = |job: &mut Job| job.started.is_some_and(|started| time >= started + self.detect);
            while let Some(Job { frame, received, started }) = in_detection.pop_front_if(is_done) {
                let started = started.unwrap_or(time);
                spent.detect_us.push(time.since(started));
                let payload = answer(frame);
                session.detected(Detection { frame, received, started, finished: time, payload }, time);
            }
        }
    }
}
