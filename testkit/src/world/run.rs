//! Runs both ends and the network between them in virtual time.

use std::num::{NonZeroU32, NonZeroU64};
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use client::session::{End as ClientEnd, Session as Client};
use server::score::counts::FrameCounts;
use server::score::record::FrameRecord;
use server::session::{End, Session, SessionConfig};
use server::task::TaskName;
use shared::image::PixelFormat;
use shared::link::Lane;
use shared::protocol::encoding::StreamEncoding;
use shared::time::Micros;

use super::book::Book;
use super::conditions::Conditions;
use super::network::{Network, To};
use super::schedule::Event;
use super::stream::SIZE;

/// Size limit of a message from the client, in bytes: each answer fits into one fragment, so the oracle can read it.
const ANSWER_SIZE: usize = 65_536;

/// Two sessions with their network and clock. Times are in µs of the server's clock.
pub struct World {
    /// The current time.
    pub now: u64,
    /// The network between the two ends.
    pub network: Network,
    /// The server's session.
    pub server: Session,
    /// The client's session.
    pub(super) client: Client,
    /// Commands `n` that the client was given and has not taken.
    pub wanted: u64,
    /// Whether the server's session asked its shell to stop the server.
    pub stops: bool,
    /// How the server's session ended.
    pub server_end: Option<End>,
    /// How the client's session ended.
    pub client_end: Option<ClientEnd>,
    /// When the server wants to be polled again.
    pub server_wakes: u64,
    /// When the client wants to be polled again.
    pub client_wakes: u64,
    /// The server's scores.
    pub scores: Vec<FrameRecord>,
    /// When the client is frozen. What reaches it then waits until the end of this range.
    pub frozen: Range<u64>,
    /// The oracle's record.
    pub book: Book,
    /// Maximum number of frames that were sent but not yet scored.
    pub most_in_flight: u64,
    /// The frame that the link is taking, with its fragments.
    pub(super) sending: Option<(u64, Vec<Bytes>)>,
    /// Number of fragments to be resent that the link still refuses.
    pub refusals: u64,
    /// Fragments that were resent.
    pub resent: u64,
}

impl World {
    /// A session under these conditions with this number of frames. With `None` it is endless.
    pub fn new(seed: u64, conditions: Conditions, frames: Option<u64>) -> Self {
        Self {
            now: 1_000,
            network: Network::new(seed, conditions),
            server: Session::new(config(&conditions, frames), Micros(0), Micros(1_000)),
            client: Client::new(ANSWER_SIZE, Micros(1_000 + conditions.clock_offset_us)).pulling(conditions.pull),
            wanted: 0,
            stops: false,
            server_end: None,
            client_end: None,
            server_wakes: 0,
            client_wakes: 0,
            scores: Vec::new(),
            book: Book::new(conditions.deadline_us),
            frozen: 0..0,
            most_in_flight: 0,
            sending: None,
            refusals: 0,
            resent: 0,
        }
    }

    /// Schedules an event.
    pub fn at(&mut self, time: u64, event: Event) {
        self.network.schedule.at(time, event);
    }

    /// Runs until both ends are done or `limit_us` has passed.
    pub fn run(&mut self, limit_us: u64) {
        loop {
            self.drain_server();
            self.drain_client();
            let over = self.server_end.is_some() && self.client_end.is_some();
            let next_event = self.network.schedule.next_time();
            let wakes = [
                next_event,
                self.server_end.is_none().then_some(self.server_wakes),
                self.client_end.is_none().then_some(self.client_wakes),
            ];
            let Some(next) = wakes.into_iter().flatten().min() else { return };
            if over || next > limit_us {
                return;
            }
            self.now = next.max(self.now);
            if next_event == Some(next) {
                self.happen();
            }
        }
    }

    /// Asserts that every frame is accounted for, and that the scores agree with the book.
    pub fn check(&self) -> FrameCounts {
        let counts = self.server.tally().counts();
        assert_eq!(counts.sent, counts.finished(), "{counts:?}");
        let by = counts.lost_by;
        assert_eq!(counts.lost, by.not_ready + by.unsent + by.incomplete + by.late + by.unanswered, "{counts:?}");
        assert_eq!(counts.sent, self.book.captured.len() as u64);
        self.book.agrees_with(&self.scores);
        counts
    }

    /// Sends a message.
    pub(super) fn carry(&mut self, to: To, lane: Lane, bytes: Bytes) {
        self.network.carry(self.now, to, lane, bytes);
    }

    /// Whether the client is frozen now.
    pub(super) fn is_frozen(&self) -> bool {
        self.frozen.contains(&self.now)
    }

    /// The current time by the client's clock.
    pub(super) fn client_now(&self) -> Micros {
        Micros(self.now + self.network.conditions.clock_offset_us)
    }

    fn happen(&mut self) {
        let (now, client_now) = (Micros(self.now), self.client_now());
        let Some(event) = self.network.schedule.take() else { return };
        if self.is_frozen() && matches!(event, Event::ToClient(..) | Event::Detected(..) | Event::StopClient) {
            return self.at(self.frozen.end, event);
        }
        match event {
            Event::ToServer(lane, bytes) => {
                if self.server_end.is_none() {
                    self.book.read(now, lane, &bytes);
                    self.server.message(lane, &bytes, now);
                }
            }
            Event::ToClient(lane, bytes) => self.client.message(lane, &bytes, client_now),
            Event::Detected(frame, received, started) => self.detected(frame, received, started),
            Event::LinkReady(id) => self.link_ready(id),
            Event::StopServer => self.server.stop(now),
            Event::StopClient => self.client.stop(),
            Event::Next(count) => self.wanted += count,
            Event::QuitBoth => self.client.stop_server(client_now),
            Event::CutLink => {
                self.server.link_closed("cut");
                self.client.link_closed("cut");
            }
        }
    }
}

fn config(conditions: &Conditions, frames: Option<u64>) -> SessionConfig {
    SessionConfig {
        number: 1,
        size: SIZE,
        pixel: PixelFormat::Gray8,
        encoding: StreamEncoding::Raw,
        rate: conditions.fps,
        window: NonZeroU32::new(conditions.window).unwrap(),
        delivery: conditions.delivery,
        deadline: Duration::from_micros(conditions.deadline_us),
        task: TaskName::default(),
        meta: None,
        frames: frames.and_then(NonZeroU64::new),
        warmup: 0,
        duration: None,
        let_clients_stop: conditions.let_clients_stop,
    }
}
