//! Latency that can be trusted, and frames that are accounted for: the real programs, with a relay between them that
//! delays, drops, reorders and duplicates their datagrams.
//!
//! How exactly delays can be measured: the client's clock offset is estimated by ping and pong, which cannot tell the
//! way there from the way back. If the two ways differ from the start, half of the difference is attributed to the
//! wrong direction, and the stated uncertainty must cover it. A difference that begins later is measured in full,
//! because the samples from before are trusted. The round trip and the times inside the client need only one clock, and
//! are measured exactly.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use testkit::ends::{Server, client};
use testkit::program::LIMIT;
use testkit::relay::{Both, Counts, Impairments, Relay};
use testkit::report::{ReportFile, only_session, rows};
use testkit::slow_client::SlowClient;

const SEED: u64 = 11;

/// Delay from server to client: more than any noise of this machine, and different from the way back.
const THERE: Duration = Duration::from_millis(80);
/// Delay from client to server.
const BACK: Duration = Duration::from_millis(20);

/// How much later a busy machine may run a thread in one run than in the other, in µs: a quarter of the smallest delay
/// above.
const SCHEDULING_US: f64 = 5_000.0;

/// How far two clocks drift apart in a session of 5 s, in µs, if they differ by 1,500 ppm, the most that the estimate
/// allows.
const DRIFT_US: f64 = 7_500.0;

const SLOW: Both = Both {
    to_client: Impairments { delay: THERE, ..UNIMPAIRED },
    to_server: Impairments { delay: BACK, ..UNIMPAIRED },
};
const UNIMPAIRED: Impairments = Impairments {
    delay: Duration::ZERO,
    jitter: Duration::ZERO,
    loss: 0.0,
    duplication: 0.0,
    reordering: 0.0,
    hold: Duration::ZERO,
    rate: None,
};
/// All impairments at once.
const BAD: Impairments = Impairments {
    delay: Duration::from_millis(5),
    jitter: Duration::from_millis(10),
    loss: 0.02,
    duplication: 0.05,
    reordering: 0.05,
    hold: Duration::from_millis(20),
    rate: None,
};

/// Small frames, which are sent in one flight, so that a delay applies once per frame. They take less than the 8 s for
/// which clock samples are kept.
const FRAMES: &[&str] = &["--once", "--size", "160x120", "--fps", "30", "--frames", "150", "--seed", "3"];

/// A session as seen from outside: its report, its rows and the counts of its datagrams.
struct Seen {
    session: Value,
    rows: BTreeMap<u64, String>,
    counts: (Counts, Counts),
}

/// Runs both programs with a relay between them. After the first frames, the relay's impairments change to `later`.
fn run(impairments: Both, later: Option<Both>) -> Seen {
    let report = ReportFile::new();
    let server = Server::start(&[FRAMES, &["--json", report.name()]].concat());
    let relay = Relay::start(&server.address, SEED, impairments);
    let client = client(&relay.address.to_string(), &[]);
    if let Some(later) = later {
        server.program.stdout.wait_for_count(10);
        relay.change(later);
    }
    client.end().expect(0);
    let ended = server.end().expect(0);
    let row = |row: &str| Some((row.split_whitespace().next()?.parse().ok()?, row.to_owned()));
    Seen {
        session: only_session(&report.read()).clone(),
        rows: rows(&ended.stdout).into_iter().filter_map(row).collect(),
        counts: relay.counts(),
    }
}

impl Seen {
    /// A percentile of a stage, in µs.
    fn stage_us(&self, stage: &str, percentile: &str) -> f64 {
        let latency = &self.session["latency_us"];
        let figures = if stage == "total" { latency } else { &latency["stages"][stage] };
        figures[percentile].as_f64().unwrap_or_else(|| panic!("no {percentile} of {stage} in {latency:#}"))
    }

    fn uncertainty_us(&self) -> f64 {
        self.session["clock"]["uncertainty_us"].as_f64().expect("pings were answered")
    }

    /// Asserts that a stage's median grew by `injected` over that of `unimpaired`, within the uncertainty and the
    /// scheduling noise.
    #[track_caller]
    fn grew(&self, unimpaired: &Self, stage: &str, injected: Duration, uncertainty_us: f64) {
        let grown_us = self.stage_us(stage, "p50") - unimpaired.stage_us(stage, "p50");
        let injected_us = injected.as_secs_f64() * 1e6;
        let tolerance_us = uncertainty_us + SCHEDULING_US;
        assert!(
            (grown_us - injected_us).abs() <= tolerance_us,
            "{stage} grew by {grown_us} µs, not by {injected_us} ± {tolerance_us}; unimpaired: {:#}, now: {:#}",
            unimpaired.session["latency_us"],
            self.session["latency_us"],
        );
    }

    /// Asserts that both directions grew within the clocks' uncertainty, at most `most_us`, and everything else
    /// exactly.
    fn grew_by_what_was_injected(&self, unimpaired: &Self, most_us: f64) {
        for seen in [unimpaired, self] {
            let uncertainty_us = seen.uncertainty_us();
            assert!(
                uncertainty_us <= most_us + DRIFT_US + SCHEDULING_US,
                "the clocks are off by up to {uncertainty_us} µs"
            );
        }
        // Clocks on one machine do not drift, so the estimate's allowance for drift is not granted here.
        self.grew(unimpaired, "to_client", THERE, most_us);
        self.grew(unimpaired, "back", BACK, most_us);
        for stage in ["encode", "queue", "detect"] {
            self.grew(unimpaired, stage, Duration::ZERO, 0.0);
        }
        self.grew(unimpaired, "total", THERE + BACK, 0.0);
    }
}

#[test]
fn delays_that_begin_later_are_read_back_by_stage_and_direction() {
    let unimpaired = run(Both::default(), None);
    let slow = run(Both::default(), Some(SLOW));
    slow.grew_by_what_was_injected(&unimpaired, 0.0);
}

#[test]
fn delays_from_the_start_are_read_back_within_the_uncertainty_and_their_sum_exactly() {
    let unimpaired = run(Both::default(), None);
    let slow = run(SLOW, None);
    let half_the_asymmetry_us = (THERE - BACK).as_secs_f64() * 1e6 / 2.0;
    assert!(slow.uncertainty_us() >= half_the_asymmetry_us, "{}", slow.uncertainty_us());
    // At most half of the round trip can be wrong.
    slow.grew_by_what_was_injected(&unimpaired, (THERE + BACK).as_secs_f64() * 1e6 / 2.0);
}

#[test]
fn delays_inside_the_client_are_read_back_exactly_on_any_clock_and_network() {
    let report = ReportFile::new();
    let server = Server::start(&[FRAMES, &["--json", report.name()]].concat());
    let relay = Relay::start(&server.address, SEED, SLOW);
    let client = SlowClient { queue: Duration::from_millis(15), detect: Duration::from_millis(30), ahead_us: 1 << 42 };
    let spent = client.run(relay.address);
    server.end().expect(0);
    let seen = Seen { session: only_session(&report.read()).clone(), rows: BTreeMap::new(), counts: relay.counts() };
    assert_eq!(seen.session["frames"]["no_circle"], 150, "{:#}", seen.session["frames"]);
    for (stage, mut spent_us) in [("queue", spent.queue_us), ("detect", spent.detect_us)] {
        spent_us.sort_unstable();
        for (percentile, rank) in [("p50", 75), ("p99", 149), ("max", 150)] {
            let (read_us, spent_us) = (seen.stage_us(stage, percentile), spent_us[rank - 1] as f64);
            // The report keeps three digits.
            assert!((read_us - spent_us).abs() <= spent_us * 1e-3 + 1.0, "{stage}: {read_us} of {spent_us} µs");
        }
    }
    let offset_us = seen.session["clock"]["offset_us"].as_f64().expect("pings were answered");
    // Both programs started within the test's limit, and the client's clock is ahead by this much.
    let limit_us = LIMIT.as_secs_f64() * 1e6;
    assert!((offset_us - client.ahead_us as f64).abs() <= limit_us + seen.uncertainty_us(), "{offset_us}");
}

/// Runs a live session over a network with these impairments. `later` runs after the first frame's row.
fn run_live(impairments: Both, later: impl FnOnce(&Relay)) -> Value {
    let report = ReportFile::new();
    let server = Server::start(&[FRAMES, &["--delivery", "live", "--json", report.name()]].concat());
    let relay = Relay::start(&server.address, SEED, impairments);
    let client = client(&relay.address.to_string(), &[]);
    server.program.stdout.wait_for_count(2);
    later(&relay);
    client.end().expect(0);
    server.end().expect(0);
    // Conservation is checked when the report is read.
    let report = report.read();
    let frames = only_session(&report)["frames"].clone();
    assert_eq!(frames["sent"], 150, "{frames:#}");
    frames
}

#[test]
fn a_live_link_opens_over_a_long_path_and_without_loss_frames_arrive() {
    // Longer than a clock at 128 times its pace would have waited for DTLS in all: 63 ms.
    let long = Impairments { delay: Duration::from_millis(90), ..UNIMPAIRED };
    let frames = run_live(Both { to_client: long, to_server: long }, |_| ());
    // On a busy machine, some frames may be late.
    assert!(frames["circle"].as_u64() > Some(75), "{frames:#}");
}

#[test]
fn a_live_link_opens_where_every_fifth_packet_is_lost_and_every_frame_is_accounted_for() {
    let lossy = Impairments { loss: 0.2, ..UNIMPAIRED };
    // If the loss continued, SCTP would sooner or later lose all retransmissions of something, and the session would
    // end early.
    let frames = run_live(Both { to_client: lossy, to_server: lossy }, |relay| relay.change(Both::default()));
    // On a busy machine, some frames may be late.
    assert!(frames["circle"].as_u64() > Some(75), "{frames:#}");
}

#[test]
fn a_live_link_outlives_an_outage_of_a_second() {
    let none = Impairments { loss: 1.0, ..UNIMPAIRED };
    let frames = run_live(Both::default(), |relay| {
        relay.change(Both { to_client: none, to_server: none });
        std::thread::sleep(Duration::from_millis(1_200));
        relay.change(Both::default());
    });
    assert!(frames["lost"].as_u64() > Some(0), "{frames:#}");
    // 5 s of frames, minus 1.2 s and the time that SCTP then waits.
    assert!(frames["circle"].as_u64() > Some(30), "{frames:#}");
}

#[test]
fn a_bad_network_costs_frames_that_are_counted_and_changes_no_score() {
    let unimpaired = run(Both::default(), None);
    let bad = run(Both::default(), Some(Both { to_client: BAD, to_server: BAD }));
    for Counts { dropped, duplicated, held, .. } in [bad.counts.0, bad.counts.1] {
        assert!(dropped > 0 && duplicated > 0 && held > 0, "the relay did nothing: {:?}", bad.counts);
    }
    // Reading the report has checked that they add up.
    assert_eq!(bad.session["frames"]["sent"], 150);
    assert_eq!((&bad.session["frames"]["invalid"], &bad.session["ignored_messages"]), (&0.into(), &0.into()));
    assert_eq!((unimpaired.rows.len(), bad.rows.len()), (150, 150));
    let mut answered = 0;
    for (id, row) in &bad.rows {
        // Frame, actual x and y, estimate x and y, error, cumulative error, latency, session.
        let score = |row: &str| row.split_whitespace().take(6).map(str::to_owned).collect::<Vec<_>>();
        if row.split_whitespace().count() == 9 {
            answered += 1;
            assert_eq!(score(row), score(&unimpaired.rows[id]));
        }
    }
    assert_eq!(bad.session["frames"]["circle"], answered);
    assert!(answered > 10, "nothing after the impairments changed: {:#}", bad.session["frames"]);
}
