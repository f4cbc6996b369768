//! Paced sessions in virtual time, on a link that takes frames at its own pace: which ticks are skipped, and from when
//! the frames count.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use server::session::{Action, Capture, Session, SessionConfig};
use server::task::TaskName;
use server::truth::{Limit, Truth};
use shared::flow::pacer::Rate;
use shared::geometry::{Circle, Size};
use shared::image::PixelFormat;
use shared::link::Lane;
use shared::protocol::VERSION;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::message::{Control, Delivery, Hello, Role, encode};
use shared::time::Micros;

/// Interval between two ticks, in µs.
const INTERVAL: u64 = 10_000;

/// What happened to a session's ticks.
struct Ran {
    /// When each frame was taken, in µs from the first.
    taken: Vec<u64>,
    /// The time from which each frame counts.
    captured: Vec<u64>,
    skipped: u64,
}

/// Runs a session until 200 frames have been taken, on a link that needs these times for the frames, in µs.
fn run(delivery: Delivery, link_us: impl Fn(u64) -> u64) -> Ran {
    let mut session = Session::new(config(delivery), Micros(0), Micros(0));
    session.message(Lane::Control, &Bytes::from(hello()), Micros(0));
    let (mut now, mut free_at) = (0, u64::MAX);
    let mut ran = Ran { taken: Vec::new(), captured: Vec::new(), skipped: 0 };
    while ran.taken.len() < 200 {
        match session.poll(Micros(now)) {
            Action::Capture(id) => {
                let captured = Micros(now - session.waited_us());
                ran.taken.push(now);
                ran.captured.push(captured.0);
                session.captured(capture(id, captured), []);
                free_at = now + link_us(id);
            }
            Action::Wait(until) if until.0 < free_at => now = until.0,
            Action::Wait(_) => {
                (now, free_at) = (free_at, u64::MAX);
                session.link_ready();
            }
            Action::Close(end) => panic!("{end:?}"),
            _ => {}
        }
    }
    ran.skipped = session.tally().counts().skipped;
    ran
}

fn config(delivery: Delivery) -> SessionConfig {
    SessionConfig {
        number: 1,
        size: Size { width: 40, height: 30 },
        pixel: PixelFormat::Gray8,
        encoding: StreamEncoding::Raw,
        rate: Rate::Hz(1e6 / INTERVAL as f64),
        // No frame is answered, so only the link holds frames up.
        window: NonZeroU32::new(1_000).unwrap(),
        delivery,
        deadline: Duration::from_secs(60),
        task: TaskName::default(),
        meta: None,
        frames: None,
        warmup: 0,
        duration: None,
        let_clients_stop: false,
    }
}

fn hello() -> Vec<u8> {
    let (name, version) = ("test".into(), "1".into());
    let hello = Hello {
        protocol: VERSION,
        name,
        version,
        session: 0,
        role: Role::Sink,
        stream: None,
        features: Vec::new(),
        pull: false,
    };
    let mut bytes = Vec::new();
    encode(&Control::Hello(hello), &mut bytes).unwrap();
    bytes
}

fn capture(id: u64, captured: Micros) -> Capture {
    let truth = Truth::Ball { circle: Circle { x: 1.0, y: 1.0, radius: 1.0 }, limit: Limit::Unknown };
    Capture { source_index: id, truth, captured, encoded: captured, raw_bytes: 1, wire_bytes: 1 }
}

/// Link times of 0.9 intervals on average, and up to 1.6.
fn jittery(id: u64) -> u64 {
    [2_000, 16_000, 9_000, 13_000, 5_000][id as usize % 5]
}

#[test]
fn a_link_that_keeps_up_on_average_skips_no_tick() {
    let ran = run(Delivery::Reliable, jittery);
    assert_eq!(ran.skipped, 0);
    let waits = ran.taken.iter().zip(&ran.captured).map(|(taken, captured)| taken - captured);
    assert!(waits.clone().any(|wait| wait > 0), "it did hold frames up");
    assert!(waits.clone().all(|wait| wait < INTERVAL), "none for longer than an interval");
}

#[test]
fn a_frame_counts_from_its_tick_even_if_it_was_taken_late() {
    let ran = run(Delivery::Reliable, jittery);
    let ticks: Vec<u64> = (0..200).map(|tick| tick * INTERVAL).collect();
    assert_eq!(ran.captured, ticks);
}

#[test]
fn a_link_that_does_not_keep_up_skips_the_ticks_that_it_cannot_serve() {
    // 200 frames in 200 times 12.5 ms: 250 ticks minus the 200 that were taken.
    let ran = run(Delivery::Reliable, |_| 12_500);
    assert_eq!(*ran.taken.last().unwrap(), 199 * 12_500, "the link is never idle");
    assert_eq!(ran.skipped, 199 * 12_500 / INTERVAL - 199);
    assert!(ran.taken.iter().zip(&ran.captured).all(|(taken, captured)| taken - captured < INTERVAL));
}

#[test]
fn a_live_tick_that_finds_the_link_busy_is_skipped_at_once() {
    let ran = run(Delivery::Live, jittery);
    assert_eq!(ran.taken, ran.captured);
    assert!(ran.taken.iter().all(|taken| taken % INTERVAL == 0), "frames are fresh");
    // Two of five frames hold the link for longer than an interval.
    assert_eq!(ran.skipped, 200 * 2 / 5);
}

/// Polls a session until it waits or asks for a frame.
fn next_step(session: &mut Session, now: u64) -> Action {
    loop {
        match session.poll(Micros(now)) {
            action @ (Action::Capture(_) | Action::Wait(_)) => return action,
            Action::Close(end) => panic!("{end:?}"),
            _ => {}
        }
    }
}

#[test]
fn ticks_begin_with_a_first_frame_that_comes_later() {
    let reasons = [Session::source_is_late, Session::frame_takes_a_while];
    let both = [Delivery::Reliable, Delivery::Live].map(|delivery| reasons.map(|comes_later| (delivery, comes_later)));
    for (delivery, comes_later) in both.into_iter().flatten() {
        let mut session = Session::new(config(delivery), Micros(0), Micros(0));
        session.message(Lane::Control, &Bytes::from(hello()), Micros(0));
        assert!(matches!(next_step(&mut session, 0), Action::Capture(0)));
        comes_later(&mut session);
        let late = 27 * INTERVAL + 3_000;
        assert!(matches!(next_step(&mut session, late), Action::Wait(_)));
        session.captured(capture(0, Micros(late)), []);
        session.link_ready();
        let Action::Wait(next) = next_step(&mut session, late) else { panic!("the next tick is not due yet") };
        assert!(next <= Micros(late + INTERVAL));
        assert!(matches!(next_step(&mut session, late + INTERVAL), Action::Capture(1)));
        assert_eq!((session.waited_us(), session.tally().counts().skipped, session.late_frames()), (0, 0, Some(0)));
    }
}

#[test]
fn ticks_that_pass_before_a_later_frame_are_skipped_and_only_a_source_without_a_frame_is_late() {
    type Reason = (fn(&mut Session), u64);
    let reasons: [Reason; 2] = [(Session::source_is_late, 1), (Session::frame_takes_a_while, 0)];
    for (comes_later, late_frames) in reasons {
        let mut session = Session::new(config(Delivery::Reliable), Micros(0), Micros(0));
        session.message(Lane::Control, &Bytes::from(hello()), Micros(0));
        assert!(matches!(next_step(&mut session, 0), Action::Capture(0)));
        session.captured(capture(0, Micros(0)), []);
        session.link_ready();
        assert!(matches!(next_step(&mut session, INTERVAL), Action::Capture(1)));
        comes_later(&mut session);
        session.captured(capture(1, Micros(4 * INTERVAL)), []);
        session.link_ready();
        assert!(matches!(next_step(&mut session, 4 * INTERVAL), Action::Capture(2)));
        assert_eq!((session.tally().counts().skipped, session.late_frames()), (2, Some(late_frames)));
    }
}
