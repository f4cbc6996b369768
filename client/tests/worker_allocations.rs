//! Once they are warm, the queue in front of the workers and the one behind them allocate nothing, on any thread.

use std::num::NonZeroUsize;

use bytes::Bytes;
use client::pipeline::PipelineChoice;
use client::session::{Action, ReceivedFrame, Session};
use client::workers::{Policy, Pool, Submitted};
use shared::image::PixelFormat;
use shared::link::{Lane, MESSAGE_SIZE};
use shared::protocol::encoding::{Encoding, StreamEncoding};
use shared::protocol::fragment;
use shared::protocol::message::{self, CIRCLE_TASK, Control, Delivery, Frame, Hello, Role, Stream};
use shared::time::{Micros, MonotonicClock};
use testkit::allocator::{Counting, allocations_of_process};
use tokio::sync::mpsc;

#[global_allocator]
static COUNTING: Counting = Counting;

const WINDOW: usize = 8;
/// Number of stretches of 100 windows. Within them, every thread gets its first frame, however late the system runs it.
const STRETCHES: usize = 50;
const SIDE: u32 = 120;

/// A frame as a session hands it out.
fn frame() -> ReceivedFrame {
    let mut session = Session::new(MESSAGE_SIZE, Micros(0));
    let stream = Stream {
        task: CIRCLE_TASK.into(),
        width: SIDE,
        height: SIDE,
        pixel: PixelFormat::Gray8,
        rate_hz: None,
        window: WINDOW as u32,
        delivery: Delivery::Reliable,
        lifetime_us: None,
        deadline_us: None,
        meta: None,
        encoding: StreamEncoding::Raw,
    };
    let hello = Hello {
        protocol: 1,
        name: "test".into(),
        version: "0".into(),
        session: 1,
        role: Role::Source,
        stream: Some(stream),
        features: Vec::new(),
        pull: false,
    };
    let hello = message::control_bytes(&Control::Hello(hello)).expect("a hello").freeze();
    session.message(Lane::Control, &hello, Micros(0));
    let mut pixels = vec![40; (SIDE * SIDE) as usize];
    for (index, pixel) in pixels.iter_mut().enumerate() {
        let (x, y) = (index as i64 % i64::from(SIDE) - 60, index as i64 / i64::from(SIDE) - 60);
        *pixel = if x * x + y * y <= 400 { 180 } else { 40 };
    }
    let message = Frame {
        id: 0,
        captured_us: Micros(0),
        width: SIDE,
        height: SIDE,
        pixel: PixelFormat::Gray8,
        encoding: Encoding::Raw,
        data: &pixels,
        meta: None,
    };
    for piece in fragment::split(0, &message, MESSAGE_SIZE).expect("cut") {
        session.message(Lane::Frames, &Bytes::from(piece), Micros(0));
    }
    loop {
        match session.poll(Micros(0)) {
            Action::Detect(frame) => return frame,
            Action::Wait(_) => panic!("no frame came"),
            _ => {}
        }
    }
}

// The only test in this file, because the threads of another test would be counted too.
#[test]
fn frames_that_wait_for_workers_and_their_detections_allocate_nothing() {
    let (frame, workers) = (frame(), NonZeroUsize::new(2).expect("not zero"));
    let pipeline = PipelineChoice::auto().for_task(CIRCLE_TASK).expect("hough");
    for policy in [Policy::Every, Policy::Latest] {
        let (detections, mut found) = mpsc::unbounded_channel();
        let clock = MonotonicClock::start();
        let mut pool = Pool::start(workers, WINDOW, policy, &pipeline, clock, &detections, None).expect("threads");
        let mut windows = |count: usize| {
            for _ in 0..count {
                let submitted = (0..WINDOW).map(|_| pool.submit(frame.clone()));
                let taken = submitted.filter(|submitted| matches!(submitted, Submitted::Taken)).count();
                (0..taken).for_each(|_| assert!(found.blocking_recv().is_some(), "a detection"));
            }
        };
        // Allocations per frame would show in every stretch. Allocations that warm up a thread or a channel show in a
        // few.
        let counts: Vec<_> = (0..STRETCHES).map(|_| allocations_of_process(|| windows(100))).collect();
        let clean = counts.iter().filter(|count| **count == 0).count();
        assert!(clean > STRETCHES / 2, "{policy:?}: allocations in each 100 windows: {counts:?}");
    }
}
