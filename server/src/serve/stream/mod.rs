//! The shell of a session: connects the session's core to its link, source and outputs.
//!
//! [`frames`] makes frames, those that take long on a thread of their own ([`offload`]). [`ages`] says how old a camera's
//! frames were when they were answered. [`outgoing`] hands frames to the link; in live delivery, only as many as it has
//! [`room`] for. [`reporter`] informs the outputs. The loop here carries out the core's actions and reports events back to
//! it.

mod ages;
mod frames;
mod offload;
mod outgoing;
mod reporter;
mod room;

use std::sync::Arc;
use std::time::Duration;

use shared::flow::pacer::Rate;
use shared::link::{Lane, Link, LinkClosed, LinkEvent, LinkSender, Signs};
use shared::memory::look_for;
use shared::protocol::message::Delivery;
use shared::shell::log::SESSIONS_AT_ONCE;
use shared::shell::stop::{Stop, Stopper};
use shared::time::{Micros, MonotonicClock};
use tokio::sync::Notify;
use tokio::time::{sleep, sleep_until};
use tracing::{debug, info};

use crate::encode::FrameEncoder;
use crate::output::Outputs;
use crate::output::mcap::SessionRecorder;
use crate::output::report::{SessionReport, UdpBuffers, Whereabouts};
use crate::score::record::FrameRecord;
use crate::session::{Action, End, Session, SessionConfig};
use crate::source::{Deferred, SourceError, StreamFormat, Supply};

use super::config::ServeConfig;
use super::places::Place;

use ages::Ages;
use frames::{FrameMaker, MadeFrame, MakeError};
use offload::{Flight, Frames, Made};
use outgoing::Outgoing;
use reporter::Reporter;
use room::Room;

/// A frame's bytes on their way to the link, at the least: encoded, and in messages.
const UNDER_WAY: usize = 2;

/// Longest wait between two acknowledgements while the `bye` and what is queued before it are delivered. If every fifth
/// packet is lost, delivery may take several retransmissions.
const BYE_STANDSTILL: Duration = Duration::from_secs(1);

/// Longest total wait until the client has our `bye`. It is bounded so that every session ends. A full lane of frames,
/// 1 MiB, takes 8.4 s at 1 Mbit/s.
const BYE_LIMIT: Duration = Duration::from_secs(10);

/// Longest total wait for the `bye` when the server stops, which it must do within a second.
const STOP_BYE_LIMIT: Duration = Duration::from_millis(200);

/// Longest wait until a session's frames are recorded, so that its report counts them. Up to 64 MiB may wait, and only
/// a nearly stuck disk needs longer for them.
const RECORD_LIMIT: Duration = Duration::from_secs(5);

/// Longest wait for the recording when the server stops, which it must do within a second.
const STOP_RECORD_LIMIT: Duration = Duration::from_millis(200);

/// A client with an open link.
pub(super) struct Client {
    pub(super) link: Link,
    /// The kind of its link.
    pub(super) kind: &'static str,
    pub(super) address: String,
    /// Whether this server called the client.
    pub(super) dialled: bool,
    pub(super) accepted: Micros,
    pub(super) place: Place,
    /// Stops the server, if the client asks for it and is allowed to.
    pub(super) stopper: Stopper,
}

/// A session's shell.
struct Streamer<'a> {
    session: Session,
    frames: Frames,
    ages: Ages,
    outgoing: Outgoing,
    reporter: Reporter<'a>,
    clock: MonotonicClock,
    at: Whereabouts,
    place: Place,
    stopper: Stopper,
    introduced: bool,
    is_live: bool,
    /// Whether no clock says when a frame is due.
    is_unpaced: bool,
    /// The frame that the core asked for, while the source is not ready.
    awaited: Option<u64>,
    /// Id of the last frame given to the link.
    latest: u64,
    /// Whether the session still has to keep that frame.
    is_unkept: bool,
}

/// Runs a session until it ends.
pub(super) async fn stream(
    client: Client,
    config: SessionConfig,
    serving: &ServeConfig,
    outputs: &Outputs,
    clock: MonotonicClock,
    stop: Stop,
) -> SessionReport {
    let Client { link, kind, address, dialled, accepted, place, stopper } = client;
    let at = Whereabouts { address, link: kind, dialled, udp_buffers: UdpBuffers::of_link(kind) };
    let session = Session::new(config.clone(), accepted, clock.now());
    let holds = config.rate == Rate::Max && !serving.supply.sets_the_pace();
    let recorder = outputs.recorder().map(|recorder| recorder.session(config.number, holds, clock.now()));
    let frames = match open(&serving.supply, &config, &link, clock, recorder) {
        Ok(frames) => frames,
        Err(error) => return refused(session, &at, &error, clock),
    };
    let room = config.lifetime().map(|lifetime| Room::new(config.rate, lifetime, config.window.get()));
    let mut streamer = Streamer {
        session,
        frames,
        ages: Ages::default(),
        outgoing: Outgoing::new(link.sender(), config.rate == Rate::Max, room),
        reporter: Reporter::new(outputs, &serving.metrics, &config),
        clock,
        at,
        place,
        stopper,
        introduced: false,
        is_live: config.delivery == Delivery::Live,
        is_unpaced: config.rate == Rate::Max && !serving.supply.sets_the_pace(),
        awaited: None,
        latest: 0,
        is_unkept: false,
    };
    if streamer.reporter.keeps_crops() {
        streamer.session.keep_for_pictures();
    }
    let end = streamer.drive(link, stop).await;
    let mut figures = streamer.frames.figures();
    if let Some(device) = figures.as_mut().and_then(|figures| figures.device.as_mut()) {
        device.to_answer_us = streamer.ages.to_answer_us();
    }
    let recording = streamer.frames.recorded(if end == End::Stopped { STOP_RECORD_LIMIT } else { RECORD_LIMIT }).await;
    let report = SessionReport::new(&streamer.session, &streamer.at, figures, end, clock.now()).recorded(recording);
    let Streamer { frames, place, .. } = streamer;
    frames.keep(place);
    report
}

fn open(
    supply: &Arc<dyn Supply>,
    config: &SessionConfig,
    link: &Link,
    clock: MonotonicClock,
    recorder: Option<SessionRecorder>,
) -> Result<Frames, SourceError> {
    let StreamFormat { size, pixel } = supply.format();
    look_for(UNDER_WAY * pixel.bytes(size), format_args!("frames of {size} {pixel} under way"))?;
    let encoder = FrameEncoder::new(config.encoding, config.delivery);
    let source = if supply.takes_long_to_open() { Box::new(Deferred::new(supply.clone())) } else { supply.open()? };
    let maker = FrameMaker::new(source, encoder, link.max_message_size(), clock, recorder);
    Ok(Frames::new(maker, config.number))
}

/// The report of a session whose source could not be opened.
fn refused(mut session: Session, at: &Whereabouts, error: &SourceError, clock: MonotonicClock) -> SessionReport {
    session.link_closed(&error.to_string());
    let end = End::SourceFailed { reason: error.to_string() };
    SessionReport::new(&session, at, None, end, clock.now())
}

impl Streamer<'_> {
    async fn drive(&mut self, mut link: Link, mut stop: Stop) -> End {
        let mut is_stopping = false;
        let wake_up = self.frames.source_wake();
        let recorder_wake = self.frames.recorder_wake();
        let mut signs = Signs::on(if self.is_live { &[Lane::Control] } else { &[Lane::Control, Lane::Frames] });
        loop {
            if signs.look(&self.outgoing.sender, self.session.silence(self.clock.now())).await {
                self.session.acknowledged(self.clock.now());
            }
            let wake = match self.session.poll(self.clock.now()) {
                Action::Wait(wake) => self.clock.instant(wake),
                Action::Close(end) => {
                    close(self.outgoing.sender.clone(), &end, &mut stop).await;
                    return end;
                }
                action => {
                    self.act(action).await;
                    continue;
                }
            };
            tokio::select! {
                event = link.next() => self.heard(event).await,
                sent = self.outgoing.handed_over() => self.handed_over(sent),
                (id, made) = self.frames.made() => self.made(id, made),
                () = woken(wake_up.as_deref()), if self.awaited.is_some() => self.source_woke(),
                () = woken(recorder_wake.as_deref()), if self.awaited.is_some() => self.source_woke(),
                () = stop.stopped(), if !is_stopping => {
                    is_stopping = true;
                    self.session.stop(self.clock.now());
                }
                () = sleep_until(wake.into()) => {}
            }
        }
    }

    /// Carries out an action that the core asked for.
    async fn act(&mut self, action: Action) {
        match action {
            Action::Send(lane, message) => {
                let sent = self.outgoing.sender.send_soon(lane, message).await;
                self.closed_if_failed(sent);
            }
            Action::Capture(id) => self.capture(id, false),
            Action::Resend { frame, piece } => match self.outgoing.resend(piece.as_ref()).await {
                Ok(true) => {}
                Ok(false) => self.session.not_resent(frame),
                Err(error) => self.session.link_closed(&error.to_string()),
            },
            Action::GiveUp => self.outgoing.give_up(),
            Action::Score(record) => {
                self.scored(record);
                if self.is_unpaced {
                    self.reporter.catch_up().await;
                }
            }
            Action::StopServer => {
                info!("session {}: its client stops the server", self.session.number());
                self.stopper.stop();
            }
            // The loop handles these.
            Action::Close(_) | Action::Wait(_) => {}
        }
    }

    async fn heard(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Message(lane, bytes) => {
                self.keep();
                self.session.message(lane, &bytes, self.clock.now());
                self.reporter.keep_worst(&mut self.session);
                self.reporter.answered(&mut self.session, self.clock.now());
                self.introduce().await;
            }
            LinkEvent::Arriving => self.session.acknowledged(self.clock.now()),
            LinkEvent::PeerMayBeGone => self.session.peer_may_be_gone(self.clock.now()),
            LinkEvent::PeerLeaves(reason) => self.session.peer_leaves(reason, self.clock.now()),
            LinkEvent::Closed => self.session.link_closed("it closed the link"),
            LinkEvent::Broken(how) => self.session.link_closed(&how),
        }
    }

    /// Handles the end of the current frame's hand-over: the link took the frame, or broke.
    fn handed_over(&mut self, sent: Result<(), LinkClosed>) {
        self.frames.record();
        self.keep();
        if sent.is_ok() {
            self.session.link_ready();
            // If the task keeps frames, the window shows each frame together with its answer.
            if !self.session.compares_frames() {
                self.reporter.picture(self.latest, self.frames.image(), self.clock.now());
            }
        }
        self.closed_if_failed(sent);
    }

    fn closed_if_failed(&mut self, sent: Result<(), LinkClosed>) {
        if let Err(error) = sent {
            self.session.link_closed(&error.to_string());
        }
    }

    /// Makes frame `id` and starts to send it, at once or when [`Self::made`] gets it. If the source is not ready, notes
    /// the frame as awaited. `is_again` says that it was awaited before.
    fn capture(&mut self, id: u64, is_again: bool) {
        if !self.frames.is_ready() {
            if !is_again {
                self.session.source_is_late();
            }
            self.awaited = Some(id);
            return;
        }
        match self.frames.make(id, self.session.waited_us()) {
            Some(made) => self.made(id, made),
            None => self.session.frame_takes_a_while(),
        }
    }

    /// Starts to send frame `id`, if it is still wanted.
    fn made(&mut self, id: u64, made: Made) {
        if !self.session.is_capturing() {
            return self.frames.forget();
        }
        match made {
            Ok(Some(MadeFrame { capture, fragments, taken })) => {
                self.latest = id;
                self.ages.sent(id, taken);
                self.reporter.sent(&capture);
                self.session.captured(capture, fragments.iter().map(|fragment| &fragment[..]));
                self.is_unkept = self.session.keeps_frame(capture.truth);
                let round_trip_us = self.session.round_trip_us();
                self.outgoing.start(fragments, capture.wire_bytes as usize, round_trip_us);
            }
            Ok(None) => self.session.source_ended(),
            Err(MakeError::Source(error)) => self.session.source_failed(&error.to_string()),
            Err(MakeError::Split(error)) => self.session.link_closed(&error.to_string()),
        }
    }

    /// Lets the session keep the last frame, once. Called after the link has the frame, so that the copy does not delay
    /// it, but before its answer is handled.
    fn keep(&mut self) {
        if std::mem::take(&mut self.is_unkept)
            && let Some(image) = self.frames.image()
        {
            self.session.keep(image);
        }
    }

    /// Retries the awaited frame after the source may have become ready, if the frame is still wanted.
    fn source_woke(&mut self) {
        if let Some(id) = self.awaited.take()
            && self.session.is_capturing()
        {
            self.capture(id, true);
        }
    }

    fn scored(&mut self, record: FrameRecord) {
        // Its image comes before its outcome.
        self.frames.record();
        let now = self.clock.now();
        self.ages.scored(&record);
        if let Some(latency) = record.latency {
            if let Some((flight_us, round_trip_us)) = latency.flight_us().zip(self.session.round_trip_us()) {
                self.frames.answered(Flight { id: record.id, flight_us, round_trip_us, at: now });
            }
            self.outgoing.answered(latency.total_us);
        }
        self.reporter.frame(record, &self.session, now);
        self.reporter.running(now, || {
            let report = SessionReport::new(&self.session, &self.at, self.frames.figures(), End::Running, now);
            report.recorded(self.frames.recording())
        });
    }

    /// Tells the outputs who the client is, once.
    async fn introduce(&mut self) {
        if self.introduced {
            return;
        }
        if let (Some(client), Some(connect_us)) = (self.session.client(), self.session.connect_us()) {
            self.introduced = true;
            if let Err(refusal) = self.place.begin() {
                return self.session.reject(refusal.to_string());
            }
            let number = self.session.number();
            let (burst, at) = (SESSIONS_AT_ONCE, &self.at.address);
            info!(kind = "begun", burst, "session {number}: {} {} at {at}", client.name, client.version);
            debug!("session {number}: connected in {:.1} ms", connect_us as f64 / 1e3);
            self.reporter.started(self.session.task()).await;
        }
    }
}

/// Waits until the source may have become ready; never returns for a source that always is. Safe to cancel.
async fn woken(wake_up: Option<&Notify>) {
    match wake_up {
        Some(wake_up) => wake_up.notified().await,
        None => std::future::pending().await,
    }
}

/// Waits until the client has our `bye`, then closes the link. The client is also told on the signaling connection.
async fn close(sender: LinkSender, end: &End, stop: &mut Stop) {
    if let Some(reason) = end.farewell() {
        sender.leave(reason).await;
    }
    let stopped = async {
        stop.stopped().await;
        sleep(STOP_BYE_LIMIT).await;
    };
    let closed = async {
        match end {
            End::Finished => sender.close_while_acknowledged(BYE_STANDSTILL, BYE_LIMIT).await,
            _ => sender.close_within(STOP_BYE_LIMIT).await,
        }
    };
    tokio::select! {
        () = closed => {}
        () = stopped => sender.close_within(Duration::ZERO).await,
    }
}
