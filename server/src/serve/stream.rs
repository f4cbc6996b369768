//! The shell of a session: link, source and view around the session's core.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::BytesMut;
use shared::flow::pacer::Rate;
use shared::link::{Lane, Link, LinkClosed, LinkEvent, LinkSender};
use shared::protocol::fragment::Splitter;
use shared::protocol::message::Frame;
use shared::shell::stop::Stop;
use shared::time::{Micros, MonotonicClock};
use tokio::time::{sleep, sleep_until};
use tracing::{debug, info};

use crate::encode::FrameEncoder;
use crate::report::SessionReport;
use crate::serve::room::Room;
use crate::session::{Action, Capture, End, Session, SessionConfig};
use crate::source::{BallScene, Source};
use crate::view::View;

/// How long to wait until the client has our `bye`: nobody waits for the end of a session that has come to it, and where
/// every fifth packet is lost it may take several repeats.
const BYE_LIMIT: Duration = Duration::from_secs(1);

/// The same when the server stops, which must be done within a second.
const STOP_BYE_LIMIT: Duration = Duration::from_millis(200);

/// How often a live frame looks whether the link has room: a sixteenth of the interval at 60 frames a second.
const ROOM_INTERVAL: Duration = Duration::from_millis(1);

/// A client with an open link.
pub(super) struct Client {
    pub(super) link: Link,
    pub(super) address: String,
    pub(super) accepted: Micros,
}

/// The rest of a frame on its way into the link.
type Sending = Pin<Box<dyn Future<Output = Result<(), LinkClosed>> + Send>>;

/// A session's shell.
struct Streamer<'a> {
    session: Session,
    source: Box<dyn Source>,
    view: &'a dyn View,
    clock: MonotonicClock,
    sender: LinkSender,
    encoder: FrameEncoder,
    splitter: Splitter,
    sending: Option<Sending>,
    is_unpaced: bool,
    /// In live delivery only.
    room: Option<Room>,
    /// What the last frame was, for the link.
    last_bytes: usize,
    introduced: bool,
}

/// Runs a session until it ends.
pub(super) async fn stream(
    client: Client,
    config: SessionConfig,
    scene: &BallScene,
    view: &dyn View,
    clock: MonotonicClock,
    stop: Stop,
) -> SessionReport {
    let Client { link, address, accepted } = client;
    let (delivery, encoding) = (config.delivery, config.encoding);
    let is_unpaced = config.rate == Rate::Max;
    let room = config.lifetime().map(|lifetime| Room::new(config.rate, lifetime, config.window.get()));
    let mut session = Session::new(config, accepted, clock.now());
    let source: Box<dyn Source> = match scene.source() {
        Ok(source) => Box::new(source),
        // The scene was checked before the server listened.
        Err(error) => {
            session.link_closed(&error.to_string());
            return SessionReport::new(&session, &address, End::Rejected { reason: error.to_string() }, clock.now());
        }
    };
    let mut streamer = Streamer {
        session,
        source,
        view,
        clock,
        sender: link.sender(),
        encoder: FrameEncoder::new(encoding, delivery),
        splitter: Splitter::new(link.max_message_size()),
        sending: None,
        is_unpaced,
        room,
        last_bytes: 0,
        introduced: false,
    };
    let end = streamer.drive(link, stop, &address).await;
    SessionReport::new(&streamer.session, &address, end, clock.now())
}

impl Streamer<'_> {
    async fn drive(&mut self, mut link: Link, mut stop: Stop, address: &str) -> End {
        let mut told = false;
        loop {
            let wake = match self.session.poll(self.clock.now()) {
                Action::Send(lane, message) => {
                    self.send(lane, message).await;
                    continue;
                }
                Action::Capture(id) => {
                    self.capture(id);
                    continue;
                }
                Action::Resend { frame, piece } => {
                    self.resend(frame, piece.as_ref()).await;
                    continue;
                }
                Action::GiveUp => {
                    self.sending = Some(Box::pin(give_way()));
                    continue;
                }
                Action::Score(score) => {
                    let flight = score.latency.and_then(|latency| latency.flight_us());
                    if let Some((flight_us, round_trip_us)) = flight.zip(self.session.round_trip_us()) {
                        self.encoder.answered(score.id, flight_us, round_trip_us, self.clock.now());
                    }
                    if let (Some(room), Some(latency)) = (&mut self.room, score.latency) {
                        room.answered(latency.total_us);
                    }
                    self.view.scored(self.session.number(), &score, self.session.tally());
                    continue;
                }
                Action::Close(end) => {
                    let limit = if matches!(end, End::Finished) { BYE_LIMIT } else { STOP_BYE_LIMIT };
                    let stopped = async {
                        stop.stopped().await;
                        sleep(STOP_BYE_LIMIT).await;
                    };
                    tokio::select! {
                        () = self.sender.close_within(limit) => {}
                        () = stopped => self.sender.close_within(Duration::ZERO).await,
                    }
                    return end;
                }
                Action::Wait(wake) => self.clock.instant(wake),
            };
            tokio::select! {
                event = link.next() => match event {
                    LinkEvent::Message(lane, bytes) => {
                        self.session.message(lane, &bytes, self.clock.now());
                        self.introduce(address);
                    }
                    LinkEvent::PeerMayBeGone => self.session.peer_may_be_gone(self.clock.now()),
                    LinkEvent::Closed => self.session.link_closed("it closed the link"),
                },
                sent = sending(&mut self.sending) => {
                    self.sending = None;
                    match sent {
                        Ok(()) => self.session.link_ready(),
                        Err(error) => self.session.link_closed(&error.to_string()),
                    }
                }
                () = stop.stopped(), if !told => {
                    told = true;
                    self.session.stop(self.clock.now());
                }
                () = sleep_until(wake.into()) => {}
            }
        }
    }

    async fn send(&mut self, lane: Lane, message: BytesMut) {
        if let Err(error) = self.sender.send_soon(lane, message).await {
            self.session.link_closed(&error.to_string());
        }
    }

    async fn resend(&mut self, frame: u64, piece: &[u8]) {
        match self.sender.try_send(Lane::Frames, BytesMut::from(piece)).await {
            Ok(true) => {}
            Ok(false) => self.session.not_resent(frame),
            Err(error) => self.session.link_closed(&error.to_string()),
        }
    }

    /// Renders and encodes a frame, and starts to send it.
    fn capture(&mut self, id: u64) {
        let frame = self.source.frame(id);
        let captured = self.clock.now();
        let size = frame.image.size();
        let (encoding, data) = self.encoder.encode(id, frame.image);
        let message = Frame {
            id,
            captured_us: captured,
            width: size.width,
            height: size.height,
            pixel: frame.image.format(),
            encoding,
            data,
            meta: frame.meta,
        };
        let mut fragments = Vec::new();
        let wire_bytes = match self.splitter.split(id, &message, |fragment| fragments.push(fragment)) {
            Ok(bytes) => bytes,
            Err(error) => return self.session.link_closed(&error.to_string()),
        };
        let capture = Capture {
            truth: frame.truth,
            captured,
            encoded: self.clock.now(),
            raw_bytes: frame.image.bytes().len() as u64,
            wire_bytes: wire_bytes as u64,
        };
        self.session.captured(capture, fragments.iter().map(|fragment| &fragment[..]));
        self.view.sent(self.session.number(), id, frame.image);
        let last_bytes = std::mem::replace(&mut self.last_bytes, capture.wire_bytes as usize);
        let uncertainty_us = self.session.clock_offset(self.clock.now()).map(|offset| offset.uncertainty_us);
        let room = self.room.as_ref().map(|room| last_bytes * room.frames(uncertainty_us));
        self.sending = Some(Box::pin(send_all(self.sender.clone(), fragments, room, self.is_unpaced)));
    }

    /// Says once who the client is.
    fn introduce(&mut self, address: &str) {
        if self.introduced {
            return;
        }
        if let (Some(client), Some(connect_us)) = (self.session.client(), self.session.connect_us()) {
            self.introduced = true;
            let number = self.session.number();
            info!("session {number}: {} {} at {address}", client.name, client.version);
            debug!("session {number}: connected in {:.1} ms", connect_us as f64 / 1e3);
            self.view.started(number);
        }
    }
}

/// Hands a frame to the link; live, once no more than `room` bytes of earlier ones are on their way, so that it does not
/// grow old in the link's queue.
async fn send_all(
    sender: LinkSender,
    fragments: Vec<BytesMut>,
    room: Option<usize>,
    is_unpaced: bool,
) -> Result<(), LinkClosed> {
    if let Some(room) = room {
        while sender.buffered(Lane::Frames).await > room {
            sleep(ROOM_INTERVAL).await;
        }
    }
    if is_unpaced {
        return sender.send_all(Lane::Frames, fragments).await;
    }
    for fragment in fragments {
        sender.send(Lane::Frames, fragment).await?;
    }
    Ok(())
}

/// In place of a frame that is given up: the next one is due at once, and what came meanwhile is to be seen before it, by
/// this session and by the others of its thread.
async fn give_way() -> Result<(), LinkClosed> {
    tokio::task::yield_now().await;
    Ok(())
}

/// The end of the frame being sent; never while there is none.
async fn sending(sending: &mut Option<Sending>) -> Result<(), LinkClosed> {
    match sending {
        Some(sending) => sending.as_mut().await,
        None => std::future::pending().await,
    }
}
