//! The shell of a session: connects the session's core to the link, the workers and the view.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::time::Duration;

use shared::geometry::Size;
use shared::link::{Lane, Link, LinkClosed, LinkEvent, LinkSender, Signs};
use shared::memory::NoMemory;
use shared::protocol::message::{IMAGE_TASK, Meta, Payload, Stream};
use shared::shell::stop::Stop;
use shared::text::Escaped;
use shared::time::{Micros, MonotonicClock};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::sleep_until;
use tracing::{debug, warn};

use crate::commands::{Command, Commands};
use crate::config::Config;
use crate::pipeline::{ChosenPipeline, NoAnswers};
use crate::session::{Action, Detection, End, ReceivedFrame, Session};
use crate::tally::Tally;
use crate::view::View;
use crate::workers::{Pool, PoolError, Submitted, Turns, affordable, possible};

/// How long to wait for the server to receive the client's `bye`.
const BYE_LIMIT: Duration = Duration::from_millis(200);

/// In live delivery, replies are held back and sent together while the link has more than this in flight, in bytes.
///
/// This is about four messages of four outcomes each: more than a stream of 60 frames per second has in flight on a
/// link without congestion.
const BACKLOG: usize = 3 << 10;

/// Pictures that a worker holds if answers are pictures: the picture that it makes, and the picture's LZ4 block twice,
/// in the encoder's memory and in the answer.
const PICTURES: usize = 3;

/// A picture that is being handed to the link.
type Sending = Pin<Box<dyn Future<Output = Result<(), LinkClosed>> + Send>>;

/// A session's shell.
struct Runner<'a> {
    config: &'a Config,
    turns: Option<&'a Turns>,
    clock: MonotonicClock,
    session: Session,
    view: &'a mut dyn View,
    pool: Option<Pool>,
    chosen: Option<ChosenPipeline>,
    detections: UnboundedSender<Detection>,
    tally: Tally,
}

/// Runs a session on an open link until it ends. Returns why it ended, and the counts.
pub async fn run(
    link: Link,
    config: &Config,
    view: &mut dyn View,
    stop: Stop,
    commands: &mut Commands,
) -> Result<(End, Tally), PoolError> {
    run_in_turns(link, config, None, view, stop, commands).await
}

/// Like [`run`], for a session that shares the workers with others if there are `turns`.
pub async fn run_in_turns(
    link: Link,
    config: &Config,
    turns: Option<&Turns>,
    view: &mut dyn View,
    stop: Stop,
    commands: &mut Commands,
) -> Result<(End, Tally), PoolError> {
    let clock = MonotonicClock::start();
    // Bounded by the pool's queue, because each frame handed over makes one detection.
    let (detections, found) = mpsc::unbounded_channel();
    let session = Session::new(link.max_message_size(), clock.now()).pulling(config.pull);
    let tally = Tally::of(&NoAnswers);
    let mut runner = Runner { config, turns, clock, session, view, pool: None, chosen: None, detections, tally };
    let end = runner.drive(link, found, stop, commands).await;
    runner.end_pipelines();
    let end = end?;
    debug!("{} messages ignored", runner.session.ignored_messages());
    Ok((end, runner.tally))
}

impl Runner<'_> {
    async fn drive(
        &mut self,
        mut link: Link,
        mut found: UnboundedReceiver<Detection>,
        mut stop: Stop,
        commands: &mut Commands,
    ) -> Result<End, PoolError> {
        let sender = link.sender();
        let mut sending: Option<Sending> = None;
        let mut failed = None;
        let (mut is_stopping, mut signs) = (false, Signs::on(&[Lane::Control]));
        loop {
            self.look_at(&sender, &mut signs).await;
            let wake = match self.session.poll(self.clock.now()) {
                Action::Send(lane, message) => {
                    if let Err(error) = sender.send_soon(lane, message).await {
                        self.session.link_closed(&error.to_string());
                    }
                    continue;
                }
                Action::SendPicture(pieces) => {
                    let sender = sender.clone();
                    sending = Some(Box::pin(async move { sender.send_all(Lane::Answers, pieces).await }));
                    continue;
                }
                Action::Greeted { stream, window } => {
                    match self.greeted(&stream, window) {
                        Ok(()) => self.prepared(stop.clone()).await,
                        Err(error) => {
                            self.session.reject(error.to_string());
                            failed = Some(error);
                        }
                    }
                    continue;
                }
                Action::Detect(frame) => {
                    self.received(frame);
                    continue;
                }
                Action::Refused { frame, received } => {
                    self.tally.received += 1;
                    self.count_dropped(frame, received);
                    continue;
                }
                Action::Close(end) => {
                    if let Some(reason) = end.farewell() {
                        sender.leave(reason).await;
                    }
                    sender.close_within(BYE_LIMIT).await;
                    return failed.map_or(Ok(end), Err);
                }
                Action::Wait(wake) => self.clock.instant(wake),
            };
            tokio::select! {
                event = link.next() => self.heard(event),
                Some(detection) = found.recv() => self.detected(detection),
                sent = handed_over(&mut sending) => match sent {
                    Ok(()) => self.session.picture_sent(),
                    Err(error) => self.session.link_closed(&error.to_string()),
                },
                () = stop.stopped(), if !is_stopping => {
                    is_stopping = true;
                    self.session.stop();
                }
                command = commands.taken(self.session.may_ask()), if self.session.takes_commands() => {
                    self.commanded(command);
                }
                () = sleep_until(wake.into()) => {}
            }
        }
    }

    fn commanded(&mut self, command: Command) {
        match command {
            Command::Next => self.session.ask(),
            Command::QuitBoth => self.session.stop_server(self.clock.now()),
            // The stopper ends the client.
            Command::Quit => {}
        }
    }

    /// Tells the session what the link shows before it decides: whether the silent peer acknowledges, and whether answers
    /// pile up.
    async fn look_at(&mut self, sender: &LinkSender, signs: &mut Signs) {
        if signs.look(sender, self.session.silence(self.clock.now())).await {
            self.session.acknowledged(self.clock.now());
        }
        if self.session.has_replies(self.clock.now()) && sender.buffered(Lane::Answers).await > BACKLOG {
            self.session.hold_replies(self.clock.now());
        }
    }

    fn heard(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Message(lane, bytes) => self.session.message(lane, &bytes, self.clock.now()),
            LinkEvent::Arriving => self.session.arriving(self.clock.now()),
            LinkEvent::PeerMayBeGone => self.session.peer_may_be_gone(self.clock.now()),
            LinkEvent::PeerLeaves(reason) => self.session.peer_leaves(reason, self.clock.now()),
            LinkEvent::Closed => self.session.link_closed("it closed the link"),
            LinkEvent::Broken(how) => self.session.link_closed(&how),
        }
    }

    /// Starts the pipeline that the server's task asks for. Rejects the session if there is none.
    fn greeted(&mut self, stream: &Stream, window: usize) -> Result<(), PoolError> {
        let Config { workers, policy, pipeline, .. } = self.config;
        let deadline = stream.deadline_us.map(Duration::from_micros);
        let chosen = match pipeline.for_task(&stream.task) {
            Ok(chosen) => chosen.within(deadline).with_meta(stream.meta.as_ref()),
            Err(wrong) => {
                self.session.reject(wrong.to_string());
                return Ok(());
            }
        };
        let size = Size { width: stream.width, height: stream.height };
        if let Err(wrong) = chosen.check_correction(&stream.task, size) {
            self.session.reject(wrong.to_string());
            return Ok(());
        }
        debug!("the pipeline {} does the task {}", chosen.name(), stream.task.escape_debug());
        if let Some(meta) = &stream.meta {
            debug!("the source says: {}", meta_line(meta));
        }
        let workers = match self.affordable(*workers, chosen.name(), stream) {
            Ok(workers) => workers,
            Err(none) => {
                self.session.reject(none.to_string());
                return Ok(());
            }
        };
        let chosen = self.chosen.insert(chosen).clone();
        let (clock, detections) = (self.clock, &self.detections);
        self.pool = Some(Pool::start(workers, window, *policy, &chosen, clock, detections, self.turns)?);
        self.tally = Tally::of(chosen.answers()).looking_for(chosen.looks_for(size));
        self.view.greeted(stream, chosen.answers());
        Ok(())
    }

    /// Waits until the pipelines are ready. The client's hello waits too, and the server sends no frame before it.
    async fn prepared(&mut self, mut stop: Stop) {
        if let Some(pool) = &mut self.pool {
            tokio::select! {
                () = pool.prepared() => {}
                () = stop.stopped() => {}
            }
        }
    }

    /// Ends the workers, and the programs that their pipelines run.
    fn end_pipelines(&mut self) {
        self.pool = None;
        if let Some(chosen) = self.chosen.take() {
            chosen.end();
        }
    }

    /// Limits `workers` to the number that memory has room for, and warns if that is smaller.
    fn affordable(&self, workers: NonZeroUsize, pipeline: &str, stream: &Stream) -> Result<NonZeroUsize, NoMemory> {
        // Cannot fail here: the session rejects a stream without a valid size.
        let Ok(size) = stream.size() else { return Ok(workers) };
        let pictures = if stream.task == IMAGE_TASK { PICTURES } else { 0 };
        let affordable = affordable(workers, size, stream.pixel, pictures);
        let affordable = possible(affordable, pipeline, size, stream.pixel, pictures)?;
        if affordable < workers {
            warn!("frames of {size} leave memory for {affordable} of {workers} workers");
        }
        Ok(affordable)
    }

    fn received(&mut self, frame: ReceivedFrame) {
        self.tally.received += 1;
        self.view.received(&frame);
        let Some(pool) = &mut self.pool else { return };
        match pool.submit(frame) {
            Submitted::Taken => {}
            Submitted::InPlaceOf(frame) | Submitted::Refused(frame) => self.dropped(&frame),
        }
    }

    fn dropped(&mut self, frame: &ReceivedFrame) {
        self.session.dropped(frame.id, frame.received, self.clock.now());
        self.count_dropped(frame.id, frame.received);
    }

    fn count_dropped(&mut self, frame: u64, received: Micros) {
        let now = self.clock.now();
        self.count(&Detection { frame, received, started: now, finished: now, payload: Payload::dropped() });
    }

    fn detected(&mut self, detection: Detection) {
        self.count(&detection);
        self.session.detected(detection, self.clock.now());
    }

    fn count(&mut self, detection: &Detection) {
        self.tally.add(detection);
        self.view.detected(detection, &self.tally);
    }
}

/// Metadata as one line of the log: `camera=left, gain=2.5`.
fn meta_line(meta: &Meta) -> String {
    let entries: Vec<_> = meta.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Escaped(entries.join(", ")).to_string()
}

/// Waits until the link has the whole picture; never returns while there is none. Safe to cancel.
async fn handed_over(sending: &mut Option<Sending>) -> Result<(), LinkClosed> {
    match sending {
        Some(picture) => {
            let sent = picture.as_mut().await;
            *sending = None;
            sent
        }
        None => std::future::pending().await,
    }
}
