//! Tests the page with artificial runs: its size stays bounded, and no value breaks it.

use proptest::prelude::*;
use shared::geometry::Circle;
use shared::image::{Image, PixelFormat};
use shared::protocol::message::FoundCircle;
use shared::time::Micros;

use super::{Gathered, page as page_in_steps};
use crate::output::Steps;
use crate::output::json::document::Document;
use crate::output::report::SessionReport;
use crate::output::report::tests::{run, session};
use crate::output::worst::Keeper;
use crate::run::RunSpec;
use crate::score::latency::FrameLatency;
use crate::score::record::{FrameRecord, LossCause, Outcome};
use crate::session::End;
use crate::task::TaskName;
use crate::truth::{Limit, Truth};

/// The largest page of 100,000 frames.
const MOST_BYTES: usize = 1_000_000;

pub(super) fn spec() -> RunSpec {
    let mut spec = crate::options::defaults::<RunSpec>();
    spec.sent.seed = Some(7);
    spec.sent.task = Some(TaskName::default());
    spec.camera.noise = 40.0;
    spec
}

/// A frame whose answer is off by `error`, after this latency.
pub(super) fn frame(id: u64, error: [f64; 2], total_us: u64) -> FrameRecord {
    let task = TaskName::default();
    let circle =
        Circle { x: 50.0 + (id * 37 % 540) as f64, y: 50.0 + (id * 53 % 380) as f64, radius: 10.0 + (id % 90) as f64 };
    let truth = Truth::Ball { circle, limit: Limit::Bound(0.01) };
    let found = Circle { x: circle.x + error[0], y: circle.y + error[1], ..circle };
    let mut scorer = task.scorer();
    let payload = FoundCircle::write(Some(FoundCircle { circle: found.into(), covariance: None }));
    let answer = scorer.read(&payload).unwrap();
    let scored = scorer.score(truth, Outcome::Answered, Some(&answer));
    let part = Some(total_us / 5);
    let latency = FrameLatency {
        total_us,
        encode_us: total_us / 5,
        to_client_us: part,
        queue_us: part,
        detect_us: part,
        back_us: part,
    };
    FrameRecord {
        id,
        source_index: id,
        captured: Micros(id * 16_667),
        truth,
        outcome: Outcome::Answered,
        warmup: false,
        latency: Some(latency),
        truth_cells: scored.truth,
        answer: Some(answer),
        residual: scored.residual,
    }
}

fn lost(id: u64) -> FrameRecord {
    FrameRecord {
        outcome: Outcome::Lost(LossCause::Unanswered),
        answer: None,
        latency: None,
        residual: Default::default(),
        ..frame(id, [0.0; 2], 5)
    }
}

fn page(report: &str, run_toml: &str, gathered: &Gathered) -> String {
    page_in_steps(report, run_toml, gathered, &Steps::default())
}

/// The report of a run with this number of sessions.
fn report(sessions: u64) -> String {
    let mut document = Document::new(&run()).unwrap();
    let greeted = |number| SessionReport { connect_us: Some(1_000), ..session(number) };
    (1..=sessions).for_each(|number| document.add(&greeted(number)).unwrap());
    document.text()
}

#[test]
fn the_page_of_100_000_frames_in_six_sessions_is_under_a_megabyte() {
    let mut gathered = Gathered::new(spec(), TaskName::default());
    for id in 0..100_000_u64 {
        // No two errors are equal, so no number is short by chance.
        let [x, y] = [id.wrapping_mul(0x9e37_79b9_7f4a_7c15), id.wrapping_mul(0xc2b2_ae3d_27d4_eb4f)]
            .map(|mixed| (mixed >> 11) as f64 / (1_u64 << 53) as f64 - 0.5);
        gathered.add(1 + id % 6, &if id % 11 == 0 { lost(id) } else { frame(id, [x, y], 1_000 + id % 9_973) });
    }
    let text = page(&report(6), "seed = 7\n", &gathered);
    assert!(text.len() < MOST_BYTES, "{}", text.len());
    assert_eq!(text.matches("data-chart=\"scatter\"").count(), 6);
    assert_eq!(text.matches("<image ").count(), 12);
}

#[test]
fn more_sessions_than_have_charts_are_listed_and_the_page_stays_small() {
    let mut gathered = Gathered::new(spec(), TaskName::default());
    (1..=3_000).for_each(|number| gathered.add(number, &frame(number, [0.1, 0.1], 900)));
    let text = page(&report(3_000), "", &gathered);
    assert!(text.len() < MOST_BYTES, "{}", text.len());
    assert!(
        text.contains("The first 6 sessions that sent a frame have charts")
            && text.contains("earlier sessions are not listed")
    );
}

#[test]
fn frames_that_cannot_be_rendered_again_have_the_pictures_that_were_kept() {
    let (mut camera, task) = (spec(), TaskName::default());
    camera.sent.source = "camera:0".into();
    let image = Image::zeros(camera.size(), PixelFormat::Bgr8);
    let text = |keeps: bool| {
        let (mut gathered, mut keeper) = (Gathered::new(camera.clone(), task), Keeper::new(1, task, 0));
        for id in 0..100 {
            let record = frame(id, [0.01 * (id * 37 % 100) as f64, 0.1], 900);
            let crop = keeper.scored(&record, &image).filter(|_| keeps);
            crop.into_iter().for_each(|crop| gathered.keep(crop));
            gathered.add(1, &record);
        }
        page(&report(1), "", &gathered)
    };
    let kept = text(true);
    assert_eq!(kept.matches("<image ").count(), 12);
    assert!(kept.contains("The pictures were kept during the run.") && !kept.contains("no picture"));
    let none = text(false);
    assert_eq!((none.matches("<image ").count(), none.matches("no picture").count()), (0, 12));
    assert!(none.contains("No picture of these frames was kept."));
}

#[test]
fn a_frame_that_takes_too_long_to_play_to_has_no_picture_and_the_page_says_why() {
    let mut gathered = Gathered::new(spec(), TaskName::default());
    for id in 0..100 {
        let record = frame(id, [0.01 * (id * 37 % 100) as f64, 0.1], 900);
        gathered.add(1, &FrameRecord { source_index: 1_000_000_000_000 + id, ..record });
    }
    let text = page(&report(1), "", &gathered);
    let said = text.matches("only the first 100\u{202f}000\u{202f}000 frames of a source are rendered again");
    assert_eq!((text.matches("<image ").count(), said.count()), (0, 12));
}

#[test]
fn a_text_that_is_not_a_report_gives_a_page_too() {
    let gathered = Gathered::new(spec(), TaskName::default());
    for text in ["", "{}", "{\"run\": 3, \"sessions\": []}"] {
        assert!(page(text, "", &gathered).starts_with("<!DOCTYPE html>"), "{text}");
    }
}

#[test]
fn a_clients_reason_for_its_end_is_escaped() {
    let mut document = Document::new(&run()).unwrap();
    let mut odd = session(1);
    odd.end = End::ClientLeft { reason: "<script>alert(1)</script>".into() };
    document.add(&odd).unwrap();
    let text = page(&document.text(), "", &Gathered::new(spec(), TaskName::default()));
    assert!(text.contains("&lt;script&gt;") && !text.contains("<script"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_error_and_no_latency_breaks_the_page(
        frames in proptest::collection::vec((any::<u64>(), -9e5..9e5, -1e-9..9e5, 0..u64::MAX / 1000), 1..12),
    ) {
        let mut small = spec();
        // An answer's centre is at most 10⁶ px from the origin. The source does not exist, so no frame is rendered
        // again: this test checks the charts.
        small.sent.source = "gone".into();
        let mut gathered = Gathered::new(small, TaskName::default());
        for (id, x, y, us) in frames {
            gathered.add(1, &frame(id % 1_000_000_000, [x, y], us));
        }
        let text = page(&report(1), "", &gathered);
        for word in ["NaN", "inf"] {
            prop_assert!(!text.contains(&format!("\"{word}")) && !text.contains(&format!(" {word} ")), "{}", text);
        }
    }
}
