//! Ways for a session to end, in virtual time: both ends notice in time, and every frame is counted.

use client::session::End as ClientEnd;
use server::session::{Action, End};
use shared::link::Lane;
use shared::protocol::message::{self, Control, Ping};
use shared::time::Micros;
use testkit::world::{Conditions, Dice, Event, LOSSLESS, RUNS, World};

#[test]
fn stopping_the_server_leaves_the_rest_unresolved_within_300_ms() {
    for seed in 0..RUNS {
        let conditions = Conditions { delay_us: 20_000, loss: 0.05, ..LOSSLESS };
        let mut world = World::new(seed, conditions, None);
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
        let mut world = World::new(seed, LOSSLESS, None);
        world.at(50_000, Event::StopClient);
        world.run(60_000_000);
        world.check();
        assert_eq!(world.server_end, Some(End::ClientLeft { reason: "the client stops".into() }));
        assert_eq!(world.client_end, Some(ClientEnd::Stopped));
    }
}

#[test]
fn both_ends_notice_a_cut_link_and_every_frame_is_counted() {
    for seed in 0..RUNS {
        let mut world = World::new(seed, Conditions { delay_us: 5_000, ..LOSSLESS }, None);
        world.at(20_000 + Dice(seed).up_to(50_000), Event::CutLink);
        world.run(60_000_000);
        world.check();
        assert!(matches!(world.server_end, Some(End::ClientGone { .. })));
        assert!(matches!(world.client_end, Some(ClientEnd::ServerGone { .. })));
    }
}

#[test]
fn a_silent_client_is_given_up_after_4_s_and_the_time_to_read_what_has_arrived() {
    let mut world = World::new(1, LOSSLESS, None);
    // The client's core is never driven, so it neither greets nor answers.
    world.client_end = Some(ClientEnd::Stopped);
    world.client_wakes = u64::MAX;
    while world.server_end.is_none() && world.now < 20_000_000 {
        world.drain_server();
        world.now = world.server_wakes.max(world.now);
    }
    assert_eq!(world.server_end, Some(End::ClientGone { reason: "no message from it for 4.5 s".into() }));
    assert_eq!(world.now, 4_501_000);
}

#[test]
fn a_client_that_is_there_but_never_greets_is_refused_after_5_s() {
    let mut world = World::new(1, LOSSLESS, None);
    while world.server_end.is_none() && world.now < 20_000_000 {
        // It keeps pinging, so it is not silent, but it sends nothing else.
        let ping = message::control_bytes(&Control::Ping(Ping { id: 1 })).unwrap().freeze();
        world.server.message(Lane::Control, &ping, Micros(world.now));
        world.drain_server();
        world.now = world.server_wakes.max(world.now);
    }
    assert_eq!(world.server_end, Some(End::Rejected { reason: "no hello within 5 s".into() }));
    assert_eq!(world.now, 5_501_000);
}

#[test]
fn a_client_whose_hello_is_malformed_learns_what_was_wrong_with_it() {
    let mut world = World::new(1, LOSSLESS, None);
    let mut hello = Vec::new();
    let fields = serde_json::json!({"type": "hello", "protocol": 1, "name": "n", "role": "sink"});
    message::encode(&fields, &mut hello).unwrap();
    world.server.message(Lane::Control, &hello.into(), Micros(world.now));
    while world.server_end.is_none() && world.now < 20_000_000 {
        let ping = message::control_bytes(&Control::Ping(Ping { id: 1 })).unwrap().freeze();
        world.server.message(Lane::Control, &ping, Micros(world.now));
        world.drain_server();
        world.now = world.server_wakes.max(world.now);
    }
    let reason = "no valid hello within 5 s: malformed message: it has no version".into();
    assert_eq!(world.server_end, Some(End::Rejected { reason }));
}

/// Runs a world until each end has handled some frames.
fn under_way(seed: u64) -> World {
    let mut world = World::new(seed, Conditions { delay_us: 5_000, ..LOSSLESS }, None);
    world.run(50_000);
    assert!(world.server_end.is_none() && world.client_end.is_none());
    world
}

#[test]
fn a_delayed_server_reads_what_has_arrived_before_it_counts_the_client_as_gone() {
    let ping = message::control_bytes(&Control::Ping(Ping { id: 1 })).unwrap().freeze();
    for held_up in [3_990_000, 4_000_000, 4_600_000, 60_000_000] {
        let mut world = under_way(1);
        let now = Micros(world.now + held_up);
        // The session is polled first, as by a thread that resumes. Then the messages that came meanwhile are read.
        while !matches!(world.server.poll(now), Action::Wait(_)) {}
        world.server.message(Lane::Control, &ping, now);
        let later = now + std::time::Duration::from_secs(1);
        loop {
            match world.server.poll(later) {
                Action::Wait(_) => break,
                Action::Close(end) => panic!("held up for {held_up} us: {end:?}"),
                _ => {}
            }
        }
    }
}
