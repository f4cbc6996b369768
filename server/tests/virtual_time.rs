//! Both session cores against each other in virtual time, over a network that loses, delays, reorders and duplicates
//! by a seed. An oracle keeps its own book of what was delivered when; outcomes must agree with it exactly.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use client::session::{Action as ClientAction, Detection, End as ClientEnd, Session as Client};
use server::camera::Limit;
use server::score::summary::FrameCounts;
use server::score::{FrameScore, Outcome, Truth};
use server::session::{Action, Capture, End, Session, SessionConfig};
use shared::flow::pacer::Rate;
use shared::geometry::{Circle, Size};
use shared::image::PixelFormat;
use shared::link::Lane;
use shared::protocol::encoding::{Encoding, StreamEncoding};
use shared::protocol::fragment;
use shared::protocol::message::{self, Answers, Control, Delivery, Finding, Frame, Ping, Reply};
use shared::time::Micros;

/// Runs of each kind of network. A run takes some 100 µs.
const RUNS: u64 = 1000;

const SIZE: Size = Size { width: 40, height: 30 };
const DEADLINE_US: u64 = 50_000;

/// Small enough to cut each frame of 1200 bytes into three.
const MAX_MESSAGE_SIZE: usize = 560;

/// Every message of answers fits one piece, so that the oracle can read it.
const ANSWER_SIZE: usize = 65_536;

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, good enough to shake a network.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.roll() < probability
    }

    fn up_to(&mut self, limit_us: u64) -> u64 {
        (self.roll() * limit_us as f64) as u64
    }
}

/// What a network does to messages on the `frames` and `answers` lanes; `control` is only delayed, and in order.
#[derive(Clone, Copy)]
struct Weather {
    loss: f64,
    duplication: f64,
    /// How often the pipeline answers a frame twice.
    stammer: f64,
    delay_us: u64,
    /// The client's clock minus the server's.
    clock_offset_us: u64,
    detection_us: u64,
    none_rate: f64,
    fps: Rate,
    window: u32,
    delivery: Delivery,
}

const CALM: Weather = Weather {
    loss: 0.0,
    duplication: 0.0,
    stammer: 0.0,
    delay_us: 500,
    clock_offset_us: 0,
    detection_us: 200,
    none_rate: 0.0,
    fps: Rate::Hz(1000.0),
    window: 8,
    delivery: Delivery::Reliable,
};

/// What happens at a moment.
enum Event {
    ToServer(Lane, Bytes),
    ToClient(Lane, Bytes),
    Detected(u64, Micros, Micros),
    StopServer,
    StopClient,
    CutLink,
}

/// A book of what the server was told, kept apart from its own.
#[derive(Default)]
struct Book {
    captured: BTreeMap<u64, Micros>,
    /// First answer that reached the server in time.
    answered: BTreeMap<u64, Finding>,
    lost_at: BTreeMap<u64, Micros>,
    /// The client said in time that it will not be answered.
    given_up: BTreeSet<u64>,
}

struct World {
    now: u64,
    order: u64,
    dice: Dice,
    weather: Weather,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    pending: BTreeMap<u64, Event>,
    control_free: [u64; 2],
    server: Session,
    client: Client,
    server_end: Option<End>,
    client_end: Option<ClientEnd>,
    server_wakes: u64,
    client_wakes: u64,
    scores: Vec<FrameScore>,
    book: Book,
    most_in_flight: u64,
}

impl World {
    fn new(seed: u64, weather: Weather, frames: Option<u64>) -> Self {
        let config = SessionConfig {
            number: 1,
            size: SIZE,
            pixel: PixelFormat::Gray8,
            encoding: StreamEncoding::Raw,
            rate: weather.fps,
            window: NonZeroU32::new(weather.window).unwrap(),
            delivery: weather.delivery,
            deadline: Duration::from_micros(DEADLINE_US),
            frames: frames.and_then(NonZeroU64::new),
            duration: None,
        };
        Self {
            now: 1_000,
            order: 0,
            dice: Dice(seed),
            weather,
            events: BinaryHeap::new(),
            pending: BTreeMap::new(),
            control_free: [0; 2],
            server: Session::new(config, Micros(0), Micros(1_000)),
            client: Client::new(ANSWER_SIZE, Micros(1_000 + weather.clock_offset_us)),
            server_end: None,
            client_end: None,
            server_wakes: 0,
            client_wakes: 0,
            scores: Vec::new(),
            book: Book::default(),
            most_in_flight: 0,
        }
    }

    fn client_now(&self) -> Micros {
        Micros(self.now + self.weather.clock_offset_us)
    }

    fn at(&mut self, time: u64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((time, self.order)));
        self.pending.insert(self.order, event);
    }

    /// Puts a message on the way, as often and as late as the weather says.
    fn carry(&mut self, to_server: bool, lane: Lane, bytes: Bytes) {
        let event = |bytes| if to_server { Event::ToServer(lane, bytes) } else { Event::ToClient(lane, bytes) };
        if lane == Lane::Control {
            let arrival = self.now + 1 + self.dice.up_to(self.weather.delay_us);
            let free = &mut self.control_free[usize::from(to_server)];
            *free = arrival.max(*free);
            let arrival = *free;
            return self.at(arrival, event(bytes));
        }
        if self.dice.happens(self.weather.loss) {
            return;
        }
        let copies = 1 + u64::from(self.dice.happens(self.weather.duplication));
        for _ in 0..copies {
            let arrival = self.now + 1 + self.dice.up_to(self.weather.delay_us);
            self.at(arrival, event(bytes.clone()));
        }
    }

    /// Runs until both ends are done or `limit_us` has passed.
    fn run(&mut self, limit_us: u64) {
        loop {
            self.drain_server();
            self.drain_client();
            let over = self.server_end.is_some() && self.client_end.is_some();
            let next_event = self.events.peek().map(|Reverse((time, _))| *time);
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

    fn happen(&mut self) {
        let Some(Reverse((_, order))) = self.events.pop() else { return };
        let client_now = self.client_now();
        match self.pending.remove(&order).unwrap() {
            Event::ToServer(lane, bytes) => {
                if self.server_end.is_none() {
                    self.note_answer(lane, &bytes);
                    self.server.message(lane, &bytes, Micros(self.now));
                }
            }
            Event::ToClient(lane, bytes) => self.client.message(lane, &bytes, client_now),
            Event::Detected(frame, received, started) => {
                let finding = self.finding(frame);
                let detection = Detection { frame, received, started, finished: client_now, finding };
                self.client.detected(detection, client_now);
                if self.dice.happens(self.weather.stammer) {
                    self.client.detected(detection, client_now);
                }
            }
            Event::StopServer => self.server.stop(Micros(self.now)),
            Event::StopClient => self.client.stop(),
            Event::CutLink => {
                self.server.link_closed("cut");
                self.client.link_closed("cut");
            }
        }
    }

    /// What the pipeline under test finds: a function of the frame alone.
    fn finding(&self, frame: u64) -> Finding {
        let mut dice = Dice(frame.wrapping_mul(31) + 7);
        if dice.happens(self.weather.none_rate) {
            return Finding::None;
        }
        let Circle { x, y, radius } = truth(frame);
        let circle = Circle { x: x + dice.roll() - 0.5, y: y + dice.roll() - 0.5, radius };
        Finding::Circle { circle, covariance: None }
    }

    /// The oracle reads the answer on the wire by itself.
    fn note_answer(&mut self, lane: Lane, bytes: &Bytes) {
        if lane != Lane::Answers {
            return;
        }
        let (_, _, _, payload): (u64, u32, u32, serde_bytes::ByteBuf) = rmp_serde::from_slice(bytes).unwrap();
        // Live messages of several answers may take several pieces: they are small enough here to take one.
        match message::decode_reply(&payload).unwrap() {
            Reply::Answer(answer) => self.note(answer.frame, Some(answer.finding)),
            Reply::Answers(Answers { answers, previous, missing }) => {
                for answer in previous.iter().rev().chain(answers.iter().rev()) {
                    self.note(answer.frame, Some(answer.finding));
                }
                missing.iter().for_each(|&frame| self.note(frame, None));
            }
            Reply::Resend(_) => {}
        }
    }

    /// A frame was answered, or given up.
    fn note(&mut self, frame: u64, finding: Option<Finding>) {
        let captured = self.book.captured[&frame];
        if self.book.given_up.contains(&frame) || self.book.answered.contains_key(&frame) {
            return;
        }
        match finding {
            _ if self.now >= captured.0 + DEADLINE_US => {
                self.book.lost_at.entry(frame).or_insert(Micros(self.now));
            }
            Some(finding) => {
                self.book.answered.insert(frame, finding);
            }
            None => {
                self.book.given_up.insert(frame);
            }
        }
    }

    fn drain_server(&mut self) {
        while self.server_end.is_none() {
            match self.server.poll(Micros(self.now)) {
                Action::Send(lane, bytes) => self.carry(false, lane, bytes.freeze()),
                Action::Capture(id) => self.capture(id),
                Action::Resend(piece) => self.carry(false, Lane::Frames, piece),
                Action::GiveUp => unreachable!("the link takes all at once"),
                Action::Score(score) => self.scores.push(score),
                Action::Close(end) => self.server_end = Some(end),
                Action::Wait(until) => {
                    assert!(until.0 > self.now, "the server spins at {}", self.now);
                    self.server_wakes = until.0;
                    return;
                }
            }
        }
    }

    fn capture(&mut self, id: u64) {
        let captured = Micros(self.now);
        let message = Frame {
            id,
            captured_us: captured,
            width: SIZE.width,
            height: SIZE.height,
            pixel: PixelFormat::Gray8,
            encoding: Encoding::Raw,
            data: &[40; 1200],
            meta: None,
        };
        let fragments = fragment::split(id, &message, MAX_MESSAGE_SIZE).unwrap();
        let fragments: Vec<Bytes> = fragments.into_iter().map(BytesMut::freeze).collect();
        assert_eq!(fragments.len(), 3);
        self.book.captured.insert(id, captured);
        let truth = Truth::Ball { circle: truth(id), limit: Limit::Unknown };
        self.server.captured(
            Capture { truth, captured, encoded: captured, raw_bytes: 1200, wire_bytes: 1300 },
            fragments.clone(),
        );
        self.server.link_ready();
        let out = self.server.tally().counts().sent - self.scores.len() as u64;
        self.most_in_flight = self.most_in_flight.max(out);
        for piece in fragments {
            self.carry(false, Lane::Frames, piece);
        }
    }

    fn drain_client(&mut self) {
        while self.client_end.is_none() {
            let now = self.client_now();
            match self.client.poll(now) {
                ClientAction::Send(lane, bytes) => self.carry(true, lane, bytes.freeze()),
                ClientAction::Greeted { .. } => {}
                ClientAction::Detect(frame) => {
                    assert_eq!(frame.image(&mut Vec::new()).unwrap().size(), SIZE);
                    let done = self.now + self.dice.up_to(self.weather.detection_us);
                    self.at(done, Event::Detected(frame.id, frame.received, now));
                }
                ClientAction::Close(end) => self.client_end = Some(end),
                ClientAction::Wait(until) => {
                    assert!(until > now, "the client spins at {}", now.0);
                    self.client_wakes = until.0 - self.weather.clock_offset_us;
                    return;
                }
            }
        }
    }

    /// Conservation, and agreement with the book.
    fn check(&self) -> FrameCounts {
        let counts = self.server.tally().counts();
        assert_eq!(counts.sent, counts.finished(), "{counts:?}");
        let by = counts.lost_by;
        assert_eq!(counts.lost, by.unsent + by.incomplete + by.late + by.unanswered, "{counts:?}");
        assert_eq!(counts.sent, self.book.captured.len() as u64);
        assert_eq!(counts.sent, self.scores.len() as u64);
        let mut cumulative = 0.0;
        for (index, score) in self.scores.iter().enumerate() {
            assert_eq!(score.id, index as u64, "scores come in frame order");
            match (score.outcome, self.book.answered.get(&score.id)) {
                (Outcome::Circle { estimate, .. }, Some(Finding::Circle { circle, .. })) => {
                    assert_eq!(estimate, *circle);
                    let ball = truth(score.id);
                    cumulative += (circle.x - ball.x).abs() + (circle.y - ball.y).abs();
                }
                (Outcome::NoCircle, Some(Finding::None)) | (Outcome::Lost | Outcome::Unresolved, None) => {}
                (outcome, answer) => panic!("frame {}: {outcome:?}, but the book says {answer:?}", score.id),
            }
            assert!((score.cumulative_l1_px - cumulative).abs() < 1e-9);
        }
        counts
    }
}

fn truth(frame: u64) -> Circle {
    Circle { x: 15.0 + (frame % 10) as f64 * 0.37, y: 14.0, radius: 8.0 }
}

#[test]
fn on_a_calm_network_every_frame_is_scored_and_both_ends_part_in_peace() {
    for seed in 0..RUNS {
        let mut world = World::new(seed, CALM, Some(40));
        world.run(10_000_000);
        let counts = world.check();
        assert_eq!((counts.sent, counts.circle), (40, 40), "seed {seed}");
        assert_eq!(world.server_end, Some(End::Finished));
        assert_eq!(world.client_end, Some(ClientEnd::ServerLeft { reason: "finished".into() }));
    }
}

fn bad_weather(dice: &mut Dice, delivery: Delivery) -> Weather {
    Weather {
        loss: dice.roll() * 0.3,
        duplication: dice.roll() * 0.5,
        stammer: dice.roll() * 0.3,
        delay_us: 1 + dice.up_to(2 * DEADLINE_US),
        clock_offset_us: dice.up_to(1 << 40),
        detection_us: 1 + dice.up_to(DEADLINE_US / 4),
        none_rate: dice.roll() * 0.3,
        fps: if dice.happens(0.3) { Rate::Max } else { Rate::Hz(50.0 + dice.roll() * 2_000.0) },
        window: 1 + dice.up_to(16) as u32,
        delivery,
    }
}

#[test]
fn loss_reordering_duplication_and_lateness_lose_frames_but_never_the_count() {
    let mut totals = FrameCounts::default();
    for seed in 0..RUNS {
        let mut dice = Dice(seed ^ 0xabcd);
        let weather = bad_weather(&mut dice, Delivery::Reliable);
        let mut world = World::new(seed, weather, Some(30));
        world.run(60_000_000);
        let counts = world.check();
        assert_eq!(counts.sent, 30, "seed {seed}");
        assert_eq!(counts.unresolved, 0, "a finished session resolves every frame, seed {seed}");
        assert_eq!(world.server_end, Some(End::Finished));
        totals.circle += counts.circle;
        totals.no_circle += counts.no_circle;
        totals.lost += counts.lost;
        totals.late += counts.late;
        totals.duplicate += counts.duplicate;
        totals.skipped += counts.skipped;
    }
    // The weather really was bad.
    let FrameCounts { circle, no_circle, lost, late, duplicate, skipped, .. } = totals;
    assert!([circle, no_circle, lost, late, duplicate, skipped].iter().all(|n| *n > RUNS / 10), "{totals:?}");
}

#[test]
fn never_more_frames_are_out_than_the_window_and_the_deadline_allow() {
    for seed in 0..RUNS / 10 {
        // Nothing comes back: each frame holds its place until it is lost.
        let weather = Weather { loss: 1.0, window: 4, fps: Rate::Max, ..CALM };
        let mut world = World::new(seed, weather, Some(20));
        world.run(60_000_000);
        assert_eq!(world.check().lost, 20);
        assert_eq!(world.most_in_flight, 4);
    }
}

#[test]
fn stopping_the_server_leaves_the_rest_unresolved_within_300_ms() {
    for seed in 0..RUNS {
        let weather = Weather { delay_us: 20_000, loss: 0.05, ..CALM };
        let mut world = World::new(seed, weather, None);
        let stop = 30_000 + Dice(seed).up_to(200_000);
        world.at(stop, Event::StopServer);
        world.run(60_000_000);
        world.check();
        assert_eq!(world.server_end, Some(End::Stopped));
        assert_eq!(world.client_end, Some(ClientEnd::ServerLeft { reason: "the server stops".into() }));
        assert!(world.now <= stop + 300_000 + 20_000, "took {} µs", world.now - stop);
    }
}

#[test]
fn stopping_the_client_ends_the_session_at_once() {
    for seed in 0..RUNS {
        let mut world = World::new(seed, CALM, None);
        world.at(50_000, Event::StopClient);
        world.run(60_000_000);
        world.check();
        assert_eq!(world.server_end, Some(End::ClientLeft { reason: "the client stops".into() }));
        assert_eq!(world.client_end, Some(ClientEnd::Stopped));
    }
}

#[test]
fn a_cut_link_leaves_both_ends_knowing_and_the_count_whole() {
    for seed in 0..RUNS {
        let mut world = World::new(seed, Weather { delay_us: 5_000, ..CALM }, None);
        world.at(20_000 + Dice(seed).up_to(50_000), Event::CutLink);
        world.run(60_000_000);
        world.check();
        assert!(matches!(world.server_end, Some(End::ClientGone { .. })));
        assert!(matches!(world.client_end, Some(ClientEnd::ServerGone { .. })));
    }
}

#[test]
fn the_clock_offset_is_found_within_its_uncertainty() {
    for seed in 0..RUNS / 10 {
        let offset = Dice(seed).up_to(1 << 45);
        let mut world = World::new(seed, Weather { clock_offset_us: offset, delay_us: 3_000, ..CALM }, Some(200));
        world.run(10_000_000);
        let found = world.server.clock_offset(Micros(world.now)).unwrap();
        assert!(found.offset_us.abs_diff(offset as i64) <= found.uncertainty_us, "{found:?}, truly {offset}");
    }
}

#[test]
fn a_silent_client_is_given_up_after_4_s() {
    let mut world = World::new(1, CALM, None);
    // The client's core is never driven: it neither greets nor answers.
    world.client_end = Some(ClientEnd::Stopped);
    world.client_wakes = u64::MAX;
    while world.server_end.is_none() && world.now < 20_000_000 {
        world.drain_server();
        world.now = world.server_wakes.max(world.now);
    }
    assert_eq!(world.server_end, Some(End::ClientGone { reason: "no packet from it".into() }));
    assert_eq!(world.now, 4_001_000);
}

#[test]
fn a_client_that_is_there_but_never_greets_is_refused_after_5_s() {
    let mut world = World::new(1, CALM, None);
    while world.server_end.is_none() && world.now < 20_000_000 {
        // It keeps pinging, so it is no silent one, and says nothing else.
        let ping = message::control_bytes(&Control::Ping(Ping { id: 1 })).unwrap().freeze();
        world.server.message(Lane::Control, &ping, Micros(world.now));
        world.drain_server();
        world.now = world.server_wakes.max(world.now);
    }
    assert_eq!(world.server_end, Some(End::Rejected { reason: "no hello within 5 s".into() }));
    assert_eq!(world.now, 5_001_000);
}

#[test]
fn the_same_seed_plays_the_same_scores() {
    let scores = |seed| {
        let mut world = World::new(seed, Weather { loss: 0.1, delay_us: 30_000, ..CALM }, Some(50));
        world.run(60_000_000);
        world.scores
    };
    assert_eq!(scores(5), scores(5));
    assert_ne!(scores(5), scores(6));
}

#[test]
fn live_too_every_frame_is_accounted_for_in_any_weather() {
    let mut totals = FrameCounts::default();
    for seed in 0..RUNS {
        let weather = bad_weather(&mut Dice(seed ^ 0xabcd), Delivery::Live);
        let mut world = World::new(seed, weather, Some(30));
        world.run(60_000_000);
        let counts = world.check();
        assert_eq!((counts.sent, counts.unresolved), (30, 0), "seed {seed}");
        assert_eq!(counts.invalid, 0, "seed {seed}");
        assert_eq!(world.server_end, Some(End::Finished));
        totals.circle += counts.circle;
        totals.lost_by.incomplete += counts.lost_by.incomplete;
        totals.lost_by.late += counts.lost_by.late;
        totals.lost_by.unanswered += counts.lost_by.unanswered;
        totals.duplicate += counts.duplicate;
    }
    let by = totals.lost_by;
    assert!(
        [totals.circle, by.incomplete, by.late, by.unanswered, totals.duplicate].iter().all(|n| *n > RUNS / 20),
        "{totals:?}"
    );
}

/// A network as bad as this is common, on which a frame takes no time to cross worth speaking of.
const LOSSY: Weather = Weather { fps: Rate::Hz(60.0), delay_us: 1_500, delivery: Delivery::Live, ..CALM };

#[test]
fn live_what_is_lost_is_asked_for_and_answers_are_told_again() {
    // Loss of messages, and the least share of frames to be scored.
    for (loss, goal) in [(0.01, 0.99), (0.05, 0.95), (0.2, 0.8)] {
        let mut scored = 0;
        for seed in 0..20 {
            let mut world = World::new(seed, Weather { loss, ..LOSSY }, Some(100));
            world.run(60_000_000);
            scored += world.check().circle;
        }
        assert!(scored as f64 >= goal * 2000.0, "{scored} of 2000 at {loss}");
    }
}

#[test]
fn live_outcomes_told_again_are_no_duplicates_and_a_second_answer_is() {
    let mut duplicates = 0;
    for seed in 0..RUNS / 10 {
        let repeated = Weather { loss: 0.2, duplication: 0.3, delay_us: 60_000, ..LOSSY };
        let mut world = World::new(seed, repeated, Some(40));
        world.run(60_000_000);
        assert_eq!(world.check().duplicate, 0, "seed {seed}");
        let mut world = World::new(seed, Weather { stammer: 1.0, ..LOSSY }, Some(40));
        world.run(60_000_000);
        duplicates += world.check().duplicate;
    }
    assert_eq!(duplicates, 40 * RUNS / 10);
}

#[test]
fn live_a_frame_holds_its_place_for_its_lifetime_and_no_longer() {
    // Nothing comes back; at 1000 frames a second a lifetime is 10 ms.
    let mut world = World::new(1, Weather { loss: 1.0, delivery: Delivery::Live, ..CALM }, Some(200));
    world.run(60_000_000);
    assert_eq!(world.check().lost_by.unanswered, 200);
    let captured: Vec<u64> = world.book.captured.values().map(|captured| captured.0).collect();
    for (eighth_before, later) in captured.iter().zip(&captured[8..]) {
        let apart = later - eighth_before;
        assert!((10_000..12_000).contains(&apart), "{apart} µs: a window of 8 each lifetime of 10 ms");
    }
}
