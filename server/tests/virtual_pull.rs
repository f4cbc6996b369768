//! Sessions in which the client asks for each frame, and clients that stop the server, in virtual time.

use client::session::{AHEAD, End as ClientEnd};
use server::session::End;
use shared::flow::pacer::Rate;
use shared::protocol::message::Delivery;
use testkit::world::{Conditions, Dice, Event, LOSSLESS, RUNS, World, bad_conditions};

const PULL: Conditions = Conditions { pull: true, delay_us: 5_000, ..LOSSLESS };

/// A session in which the client asks for this many frames at random times, and then stops.
fn pulled(seed: u64, conditions: Conditions, asked: u64) -> World {
    let mut world = World::new(seed, Conditions { pull: true, ..conditions }, None);
    let mut dice = Dice(seed);
    for _ in 0..asked {
        world.at(2_000 + dice.up_to(3_000_000), Event::Next(1));
    }
    world.at(10_000_000, Event::StopClient);
    world.run(60_000_000);
    world
}

#[test]
fn as_many_frames_are_sent_as_were_asked_for_and_no_tick_is_skipped() {
    for seed in 0..RUNS {
        let asked = Dice(seed).up_to(40);
        for fps in [Rate::Hz(1000.0), Rate::Hz(0.01), Rate::Max] {
            let world = pulled(seed, Conditions { fps, ..PULL }, asked);
            let counts = world.check();
            assert_eq!((counts.sent, counts.answered, counts.skipped), (asked, asked, 0), "{counts:?}");
            assert!(world.most_in_flight <= 1);
            assert_eq!(world.server.late_frames(), None, "there are no ticks");
        }
    }
}

#[test]
fn on_a_bad_network_every_frame_that_was_asked_for_is_accounted_for() {
    for seed in 0..RUNS {
        for delivery in [Delivery::Reliable, Delivery::Live] {
            let conditions = bad_conditions(&mut Dice(seed), delivery);
            let world = pulled(seed, conditions, 30);
            let counts = world.check();
            assert_eq!((counts.sent, counts.unresolved), (30, 0), "{counts:?}");
        }
    }
}

#[test]
fn nothing_is_sent_before_the_first_request() {
    let mut world = World::new(1, PULL, None);
    world.run(3_600_000_000);
    assert_eq!(world.check().sent, 0);
    assert!(world.server_end.is_none() && world.client_end.is_none(), "an hour does not count as silence");
}

#[test]
fn many_requests_ahead_wait_in_the_client_and_none_is_lost() {
    let mut world = World::new(1, PULL, None);
    world.at(2_000, Event::Next(10 * AHEAD));
    world.run(30_000);
    assert!(world.wanted >= 9 * AHEAD - 10, "{} wait", world.wanted);
    world.run(60_000_000);
    assert_eq!((world.check().sent, world.wanted), (10 * AHEAD, 0));
}

#[test]
fn a_pulled_session_ends_after_its_last_frame_whatever_else_is_asked_for() {
    let mut world = World::new(1, PULL, Some(3));
    world.at(2_000, Event::Next(5));
    world.run(60_000_000);
    assert_eq!(world.check().sent, 3);
    assert_eq!(world.server_end, Some(End::Finished));
}

#[test]
fn a_server_that_lets_its_clients_stop_it_stops() {
    for seed in 0..RUNS {
        let mut world = World::new(seed, Conditions { let_clients_stop: true, ..LOSSLESS }, None);
        world.at(20_000 + Dice(seed).up_to(50_000), Event::QuitBoth);
        world.run(60_000_000);
        world.check();
        assert!(world.stops);
        assert_eq!((&world.server_end, &world.client_end), (&Some(End::Stopped), &Some(ClientEnd::BothStopped)));
    }
}

#[test]
fn a_server_that_clients_may_not_stop_says_why_and_only_the_client_leaves() {
    let mut world = World::new(1, LOSSLESS, None);
    world.at(20_000, Event::QuitBoth);
    world.run(60_000_000);
    world.check();
    assert!(!world.stops);
    let reason = "it was started without --let-clients-stop".into();
    assert_eq!(world.client_end, Some(ClientEnd::ServerStays { reason }));
    assert_eq!(world.server_end, Some(End::ClientLeft { reason: "the client stops".into() }));
}
