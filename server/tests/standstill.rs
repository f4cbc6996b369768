//! A stalled pipeline is sent no frames, but the missed ticks still count in the figures.

use std::time::Duration;

use serde_json::Value;
use server::session::End;
use shared::flow::pacer::Rate;
use testkit::ends::Server;
use testkit::report::{ReportFile, only_session};
use testkit::world::{Conditions, LOSSLESS, World};

/// Time of the first tick in a world whose messages take 1 µs: the start at 1,000, plus the hello there and back.
const FIRST_TICK: u64 = 1_002;

/// Time from capture to answer in this world: 1 µs, the detection, 1 µs.
const WAY_US: u64 = 5_002;

/// Checks a figure to the three digits that are kept.
#[track_caller]
fn about(got: Option<u64>, us: u64) {
    assert!(got.is_some_and(|got| got >= us && got - us <= us / 1000), "{got:?}, not {us} µs");
}

/// Runs 60 frames per second for 10 s. The client stalls from 1.99 s to 2.99 s, with a window of two frames.
///
/// The ticks at 2.000 and 2.017 s (120 and 121) are sent and wait for 0.995 and 0.978 s. The 57 ticks from 2.033 to
/// 2.967 s (122 to 178) find no room and are skipped. The tick at 2.983 s (179) waits. At 2.995 s the first two are
/// answered, and tick 179 is sent. Its answer comes at 3.000003 s, 1 interval and 3 µs after the tick. A skipped tick n
/// waited for the same answer, for 180 − n intervals and 3 µs. So of 600 ticks, 540 took 5 ms. The others, in order,
/// took 1 to 58 intervals and 3 µs, then 0.978 and 0.995 s. Rank 570 of 600 is the 30th of them, rank 594 the 54th.
#[test]
fn a_second_of_ten_at_a_standstill_shows_in_the_corrected_percentiles() {
    let conditions = Conditions {
        delay_us: 0,
        least_detection_us: 5_000,
        detection_us: 0,
        fps: Rate::Hz(60.0),
        window: 2,
        deadline_us: 10_000_000,
        ..LOSSLESS
    };
    let mut world = World::new(1, conditions, Some(543));
    world.frozen = FIRST_TICK + 1_990_000..FIRST_TICK + 2_990_000;
    world.run(60_000_000);
    assert_eq!(world.server_end, Some(End::Finished));
    let counts = world.check();
    assert_eq!((counts.answered, counts.skipped), (543, 57));

    let latency = world.server.tally().figures().latency_us;
    let after = |ticks: u64| ticks * 1_000_000 / 60 + 3;
    about(latency.corrected.p50, WAY_US);
    about(latency.corrected.p95, after(30));
    about(latency.corrected.p99, after(54));
    assert_eq!(latency.corrected.max, Some(995_001), "the frame that waited from 2.000 s on, exactly");
    assert_eq!(latency.standstill, Some(950_000), "from the tick at 2.033 s to that at 2.983 s, whose frame was sent");
    // The percentiles of the frames do not show the standstill: it affects 3 of 543 frames, less than a hundredth.
    about(latency.total.p99, WAY_US);
    assert_eq!(latency.total.max, Some(995_001));
}

#[test]
fn without_a_standstill_the_corrected_percentiles_are_those_of_the_frames() {
    let mut world = World::new(1, LOSSLESS, Some(100));
    world.run(60_000_000);
    let latency = world.server.tally().figures().latency_us;
    assert_eq!((latency.corrected, latency.standstill), (latency.total, Some(0)));
}

#[test]
fn a_stream_without_ticks_has_no_corrected_percentiles() {
    let mut world = World::new(1, Conditions { fps: Rate::Max, ..LOSSLESS }, Some(100));
    world.run(60_000_000);
    let latency = world.server.tally().figures().latency_us;
    assert!(latency.total.p99.is_some());
    assert_eq!((latency.corrected.p99, latency.corrected.max, latency.standstill), (None, None, None));
}

#[test]
fn a_client_that_is_stopped_for_a_second_shows_in_summary_and_report() {
    let report = ReportFile::new();
    let server = Server::start(&["--once", "--frames", "300", "--deadline", "30s", "--json", report.name()]);
    let mut client = server.client(&[]);
    server.program.stdout.wait_for_count(10);
    client.signal("STOP");
    // This is what the test measures: no frame is answered for a second.
    std::thread::sleep(Duration::from_secs(1));
    client.signal("CONT");
    client.end().expect(0);
    let summary = server.end().expect(0).stdout;
    for words in ["ticks skipped", "longest standstill", "with skipped ticks"] {
        assert!(summary.iter().any(|line| line.contains(words)), "{words}: {summary:#?}");
    }

    let report = report.read();
    let session = only_session(&report);
    let us = |pointer: &str| session.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer}"));
    let at = |figure: &str| us(&format!("/latency_us/{figure}"));
    // The first eight ticks of the second, an eighth of it, were sent. Each tick after them counts for 1/60 s.
    assert!(us("/frames/skipped") >= 45, "{session:#}");
    assert!(at("standstill") >= 750_000, "{session:#}");
    assert!(at("corrected/max") >= at("standstill") && at("corrected/max") >= at("max"), "{session:#}");
    assert!(at("corrected/p50") >= at("p50"), "{session:#}");
    // 45 of 345 samples rise to 0.75 s in steps of 1/60 s, so the 18th from the top is 0.46 s.
    assert!(at("corrected/p95") >= 450_000, "{session:#}");
    assert!(at("corrected/p95") <= at("corrected/p99") && at("corrected/p99") <= at("corrected/max"), "{session:#}");
}
