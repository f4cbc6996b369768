//! Both ends, the network between them, and the time.

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
use super::network::{Network, To};
use super::schedule::Event;
use super::stream::SIZE;
use super::weather::Weather;

/// Every message of answers fits one piece, so that the oracle can read it.
const ANSWER_SIZE: usize = 65_536;

/// Two sessions and all that is around them. Times are in µs of the server's clock.
pub struct World {
    /// The present.
    pub now: u64,
    /// What is between the two ends.
    pub network: Network,
    /// The server's session.
    pub server: Session,
    /// The client's session.
    pub(super) client: Client,
    /// How the server's session ended.
    pub server_end: Option<End>,
    /// How the client's session ended.
    pub client_end: Option<ClientEnd>,
    /// When the server wants to be asked again.
    pub server_wakes: u64,
    /// When the client wants to be asked again.
    pub client_wakes: u64,
    /// What the server scored.
    pub scores: Vec<FrameRecord>,
    /// When the client stands still: what reaches it waits until the end of this.
    pub frozen: Range<u64>,
    /// What the oracle saw.
    pub book: Book,
    /// The most frames that were sent and not scored yet.
    pub most_in_flight: u64,
    /// The frame on its way into the link.
    pub(super) sending: Option<(u64, Vec<Bytes>)>,
    /// So many pieces to be sent again find no room on the link.
    pub refusals: u64,
    /// Pieces that were sent again.
    pub resent: u64,
}

impl World {
    /// A session of so many frames, or endless, in this weather.
    pub fn new(seed: u64, weather: Weather, frames: Option<u64>) -> Self {
        Self {
            now: 1_000,
            network: Network::new(seed, weather),
            server: Session::new(config(&weather, frames), Micros(0), Micros(1_000)),
            client: Client::new(ANSWER_SIZE, Micros(1_000 + weather.clock_offset_us)),
            server_end: None,
            client_end: None,
            server_wakes: 0,
            client_wakes: 0,
            scores: Vec::new(),
            book: Book::new(weather.deadline_us),
            frozen: 0..0,
            most_in_flight: 0,
            sending: None,
            refusals: 0,
            resent: 0,
        }
    }

    /// Lets something happen at this time.
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

    /// Asserts that every frame is accounted for, and that the book agrees.
    pub fn check(&self) -> FrameCounts {
        let counts = self.server.tally().counts();
        assert_eq!(counts.sent, counts.finished(), "{counts:?}");
        let by = counts.lost_by;
        assert_eq!(counts.lost, by.not_ready + by.unsent + by.incomplete + by.late + by.unanswered, "{counts:?}");
        assert_eq!(counts.sent, self.book.captured.len() as u64);
        self.book.agrees_with(&self.scores);
        counts
    }

    /// Puts a message on the way.
    pub(super) fn carry(&mut self, to: To, lane: Lane, bytes: Bytes) {
        self.network.carry(self.now, to, lane, bytes);
    }

    /// Whether the client stands still.
    pub(super) fn is_frozen(&self) -> bool {
        self.frozen.contains(&self.now)
    }

    /// The present by the client's clock.
    pub(super) fn client_now(&self) -> Micros {
        Micros(self.now + self.network.weather.clock_offset_us)
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
            Event::CutLink => {
                self.server.link_closed("cut");
                self.client.link_closed("cut");
            }
        }
    }
}

fn config(weather: &Weather, frames: Option<u64>) -> SessionConfig {
    SessionConfig {
        number: 1,
        size: SIZE,
        pixel: PixelFormat::Gray8,
        encoding: StreamEncoding::Raw,
        rate: weather.fps,
        window: NonZeroU32::new(weather.window).unwrap(),
        delivery: weather.delivery,
        deadline: Duration::from_micros(weather.deadline_us),
        task: TaskName::default(),
        frames: frames.and_then(NonZeroU64::new),
        duration: None,
    }
}
