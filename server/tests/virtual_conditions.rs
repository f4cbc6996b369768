//! Sessions in virtual time over good and bad networks: every frame is accounted for, the window is kept, and the
//! clock's offset is found.

use client::session::End as ClientEnd;
use server::score::counts::FrameCounts;
use server::session::End;
use shared::flow::pacer::Rate;
use shared::protocol::message::Delivery;
use shared::time::Micros;
use testkit::world::{Conditions, Dice, LOSSLESS, RUNS, World, bad_conditions};

#[test]
fn on_a_calm_network_every_frame_is_scored_and_both_ends_end_normally() {
    for seed in 0..RUNS {
        let mut world = World::new(seed, LOSSLESS, Some(40));
        world.run(10_000_000);
        let counts = world.check();
        assert_eq!((counts.sent, counts.answered), (40, 40), "seed {seed}");
        assert_eq!(world.server_end, Some(End::Finished));
        assert_eq!(world.client_end, Some(ClientEnd::ServerLeft { reason: "finished".into() }));
    }
}

#[test]
fn loss_reordering_duplication_and_lateness_lose_frames_but_never_the_count() {
    let mut totals = FrameCounts::default();
    for seed in 0..RUNS {
        let mut dice = Dice(seed ^ 0xabcd);
        let conditions = bad_conditions(&mut dice, Delivery::Reliable);
        let mut world = World::new(seed, conditions, Some(30));
        world.run(60_000_000);
        let counts = world.check();
        assert_eq!(counts.sent, 30, "seed {seed}");
        assert_eq!(counts.unresolved, 0, "a finished session resolves every frame, seed {seed}");
        assert_eq!(world.server_end, Some(End::Finished));
        totals.answered += counts.answered;
        totals.lost += counts.lost;
        totals.late += counts.late;
        totals.duplicate += counts.duplicate;
        totals.skipped += counts.skipped;
    }
    // The network really was bad.
    let FrameCounts { answered, lost, late, duplicate, skipped, .. } = totals;
    assert!([answered, lost, late, duplicate, skipped].iter().all(|n| *n > RUNS / 10), "{totals:?}");
}

#[test]
fn never_more_frames_are_out_than_the_window_and_the_deadline_allow() {
    for seed in 0..RUNS / 10 {
        // Nothing comes back, so each frame keeps its place in the window until it is lost.
        let conditions = Conditions { loss: 1.0, window: 4, fps: Rate::Max, ..LOSSLESS };
        let mut world = World::new(seed, conditions, Some(20));
        world.run(60_000_000);
        assert_eq!(world.check().lost, 20);
        assert_eq!(world.most_in_flight, 4);
    }
}

#[test]
fn the_clock_offset_is_found_within_its_uncertainty() {
    for seed in 0..RUNS / 10 {
        let offset = Dice(seed).up_to(1 << 45);
        let mut world =
            World::new(seed, Conditions { clock_offset_us: offset, delay_us: 3_000, ..LOSSLESS }, Some(200));
        world.run(10_000_000);
        let found = world.server.clock_offset(Micros(world.now)).unwrap();
        assert!(found.offset_us.abs_diff(offset as i64) <= found.uncertainty_us, "{found:?}, truly {offset}");
    }
}

#[test]
fn the_same_seed_plays_the_same_scores() {
    let scores = |seed| {
        let mut world = World::new(seed, Conditions { loss: 0.1, delay_us: 30_000, ..LOSSLESS }, Some(50));
        world.run(60_000_000);
        world.scores
    };
    assert_eq!(scores(5), scores(5));
    assert_ne!(scores(5), scores(6));
}
