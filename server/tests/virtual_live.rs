//! Live delivery in virtual time: lost pieces are requested, outcomes are repeated, and every frame is accounted for.

use server::score::counts::FrameCounts;
use server::session::End;
use shared::flow::pacer::Rate;
use shared::link::Lane;
use shared::protocol::fragment;
use shared::protocol::message::{Delivery, Incomplete, Resend};
use shared::time::Micros;
use testkit::world::{Conditions, Dice, LOSSLESS, RUNS, World, bad_conditions};

/// Networks this bad are common. The time a frame takes to cross it is negligible.
const LOSSY: Conditions = Conditions { fps: Rate::Hz(60.0), delay_us: 1_500, delivery: Delivery::Live, ..LOSSLESS };

#[test]
fn in_live_delivery_every_frame_is_accounted_for_under_any_conditions() {
    let mut totals = FrameCounts::default();
    for seed in 0..RUNS {
        let conditions = bad_conditions(&mut Dice(seed ^ 0xabcd), Delivery::Live);
        let mut world = World::new(seed, conditions, Some(30));
        world.run(60_000_000);
        let counts = world.check();
        assert_eq!((counts.sent, counts.unresolved), (30, 0), "seed {seed}");
        assert_eq!(counts.invalid, 0, "seed {seed}");
        assert_eq!(world.server_end, Some(End::Finished));
        totals.answered += counts.answered;
        totals.lost_by.unsent += counts.lost_by.unsent;
        totals.lost_by.incomplete += counts.lost_by.incomplete;
        totals.lost_by.late += counts.lost_by.late;
        totals.lost_by.unanswered += counts.lost_by.unanswered;
        totals.duplicate += counts.duplicate;
    }
    let by = totals.lost_by;
    assert!(
        [totals.answered, by.unsent, by.incomplete, by.late, by.unanswered, totals.duplicate]
            .iter()
            .all(|n| *n > RUNS / 20),
        "{totals:?}"
    );
}

#[test]
fn in_live_delivery_lost_pieces_are_requested_and_answers_are_repeated() {
    // Loss of messages, and the least share of frames that must be scored.
    for (loss, goal) in [(0.01, 0.99), (0.05, 0.95), (0.2, 0.8)] {
        let mut scored = 0;
        for seed in 0..20 {
            let mut world = World::new(seed, Conditions { loss, ..LOSSY }, Some(100));
            world.run(60_000_000);
            scored += world.check().answered;
        }
        assert!(scored as f64 >= goal * 2000.0, "{scored} of 2000 at {loss}");
    }
}

/// A network within a building. Lost pieces are retransmitted before the next frame is due.
const NEAR: Conditions = Conditions { delay_us: 150, ..LOSSY };

/// Sorted latencies of all scored frames, and the share of retransmitted pieces, over 20 runs of 300 frames.
fn near_runs(conditions: Conditions) -> (Vec<u64>, f64) {
    let (mut latencies_us, mut repeated) = (Vec::new(), 0);
    for seed in 0..20 {
        let mut world = World::new(seed, conditions, Some(300));
        world.run(60_000_000);
        world.check();
        latencies_us.extend(world.scores.iter().filter_map(|score| Some(score.latency?.total_us)));
        repeated += world.server.repeated_pieces();
    }
    latencies_us.sort_unstable();
    (latencies_us, repeated as f64 / (20.0 * 300.0 * 3.0))
}

#[test]
fn in_live_delivery_a_lost_piece_costs_less_than_a_frame_interval() {
    // Loss of messages, and the largest share of retransmitted pieces: one for each lost piece, and one for each frame
    // whose answer is late.
    for (loss, most_repeated) in [(0.01, 0.03), (0.05, 0.15)] {
        let (latencies_us, repeated) = near_runs(Conditions { loss, ..NEAR });
        let p99_us = latencies_us[latencies_us.len() * 99 / 100];
        assert!(latencies_us.len() >= 5_990 && p99_us < 16_667, "{} scored, p99 {p99_us} µs", latencies_us.len());
        assert!(repeated < most_repeated, "{repeated} of the pieces sent again at a loss of {loss}");
    }
}

#[test]
fn in_live_delivery_without_loss_hardly_anything_is_sent_again() {
    // Longest detection time in µs (the times are random), and the largest share of retransmitted pieces.
    for (detection_us, most_repeated) in [(200, 0.0), (12_000, 0.02), (25_000, 0.02)] {
        let (latencies_us, repeated) = near_runs(Conditions { detection_us, ..NEAR });
        assert_eq!(latencies_us.len(), 6_000);
        assert!(repeated <= most_repeated, "{repeated} of the pieces sent again at {detection_us} µs");
    }
}

#[test]
fn in_live_delivery_the_timeout_adapts_quickly_to_slower_answers() {
    let mut world = World::new(1, Conditions { least_detection_us: 800, detection_us: 1, ..NEAR }, Some(600));
    world.run(5_000_000);
    assert_eq!(world.server.repeated_pieces(), 0);
    // From here on, the client's machine is busy.
    world.network.conditions.least_detection_us = 8_000;
    world.run(60_000_000);
    let counts = world.check();
    assert_eq!((counts.answered, world.server_end.clone()), (600, Some(End::Finished)));
    assert!(world.server.repeated_pieces() < 30, "{} pieces sent again", world.server.repeated_pieces());
}

#[test]
fn in_live_delivery_a_second_answer_is_a_duplicate_and_a_repeated_one_is_not() {
    let mut duplicates = 0;
    for seed in 0..RUNS / 10 {
        let repeated = Conditions { loss: 0.2, duplication: 0.3, delay_us: 60_000, ..LOSSY };
        let mut world = World::new(seed, repeated, Some(40));
        world.run(60_000_000);
        assert_eq!(world.check().duplicate, 0, "seed {seed}");
        let mut world = World::new(seed, Conditions { stammer: 1.0, ..LOSSY }, Some(40));
        world.run(60_000_000);
        duplicates += world.check().duplicate;
    }
    assert_eq!(duplicates, 40 * RUNS / 10);
}

#[test]
fn in_live_delivery_a_frame_keeps_its_place_only_for_its_lifetime() {
    // Nothing comes back. At 1000 frames per second, a lifetime is 10 ms.
    let mut world = World::new(1, Conditions { loss: 1.0, delivery: Delivery::Live, ..LOSSLESS }, Some(200));
    world.run(60_000_000);
    assert_eq!(world.check().lost_by.unanswered, 200);
    let captured: Vec<u64> = world.book.captured.values().map(|captured| captured.0).collect();
    for (eighth_before, later) in captured.iter().zip(&captured[8..]) {
        let apart = later - eighth_before;
        assert!((10_000..12_000).contains(&apart), "{apart} µs: a window of 8 each lifetime of 10 ms");
    }
}

#[test]
fn in_live_delivery_a_piece_that_the_link_refuses_does_not_count_as_sent_again() {
    let mut world = World::new(1, Conditions { loss: 1.0, ..LOSSY }, Some(1));
    // Wait until the frame has been sent.
    world.run(9_000);
    assert_eq!(world.book.captured.len(), 1);
    world.refusals = 30;
    for message_id in 0..20 {
        let all = Resend { messages: vec![Incomplete { id: 0, pieces: vec![] }] };
        let piece = fragment::split(message_id, &all, 10_000).unwrap().remove(0).freeze();
        world.server.message(Lane::Answers, &piece, Micros(world.now));
        world.drain_server();
    }
    // Three pieces, three times each.
    assert_eq!((world.resent, world.server.repeated_pieces()), (9, 9));
}

#[test]
fn in_live_delivery_a_frame_whose_encoding_outlasts_its_lifetime_is_lost_with_the_reason() {
    // At 1000 frames per second, a lifetime is 10 ms.
    for (encoding_us, lost) in [(9_000, 0), (10_000, 20), (14_000, 20)] {
        let conditions = Conditions { encoding_us, window: 1, delivery: Delivery::Live, ..LOSSLESS };
        let mut world = World::new(1, conditions, Some(20));
        world.run(60_000_000);
        let counts = world.check();
        assert_eq!((counts.lost_by.not_ready, counts.lost), (lost, lost), "{counts:?}");
        assert_eq!(
            world.server.tally().figures().bytes.frames_wire == 0,
            lost == 20,
            "nothing of them went to the link"
        );
    }
}
