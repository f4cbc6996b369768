//! Tests of the counters and of the text.

use super::*;
use crate::gate::Verdict;
use crate::output::report::tests::record;

fn metrics() -> Metrics {
    Metrics::new(TaskName::default())
}

fn gate(condition: &str, verdict: Verdict) -> GateVerdict {
    GateVerdict {
        condition: condition.into(),
        session: None,
        verdict,
        value: None,
        limit: 0.0,
        low: None,
        high: None,
        samples: None,
        frames_needed: None,
        message: String::new(),
    }
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|known| known == line), "{line} is in\n{text}");
}

#[test]
fn every_series_but_the_gates_is_there_from_the_start() {
    let text = metrics().text();
    for line in [
        "plumb_sessions_total 0",
        "plumb_active_sessions 0",
        "plumb_sent_frames_total 0",
        "plumb_frames_total{outcome=\"unresolved\"} 0",
        "plumb_lost_frames_total{cause=\"not_ready\"} 0",
        "plumb_frames_bytes_total{form=\"wire\"} 0",
        "plumb_latency_seconds_count{stage=\"back\"} 0",
        "plumb_error_pixels_count 0",
    ] {
        has(&text, line);
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn frames_are_counted_by_outcome_cause_stage_and_error() {
    let metrics = metrics();
    metrics.began();
    metrics.sent(100, 110);
    let mut answered = record(0);
    answered.residual = [Cell::Real(0.25), Cell::Real(0.25), Cell::Real(0.5)].into_iter().collect();
    metrics.finished(&answered);
    let lost =
        FrameRecord { outcome: Outcome::Lost(LossCause::Unsent), latency: None, answer: None, ..answered.clone() };
    metrics.finished(&lost);
    metrics.ended(&End::Finished, true);
    metrics.ended(&End::Rejected { reason: "x".into() }, false);
    let text = metrics.text();
    for line in [
        "plumb_sessions_total 1",
        "plumb_active_sessions 0",
        "plumb_ended_sessions_total{end=\"finished\"} 1",
        "plumb_frames_total{outcome=\"answered\"} 1",
        "plumb_frames_total{outcome=\"lost\"} 1",
        "plumb_lost_frames_total{cause=\"unsent\"} 1",
        "plumb_frames_bytes_total{form=\"raw\"} 100",
        "plumb_latency_seconds_bucket{le=\"0.0001\",stage=\"total\"} 1",
        "plumb_latency_seconds_count{stage=\"queue\"} 0",
        "plumb_error_pixels_count 1",
        "plumb_error_pixels_sum 0.5",
    ] {
        has(&text, line);
    }
}

#[test]
fn a_gate_has_one_verdict_at_a_time_and_its_condition_is_escaped() {
    let metrics = metrics();
    metrics.judged(&[gate("a \"b\\\n <= 1", Verdict::Fail)]);
    metrics.judged(&[gate("a \"b\\\n <= 1", Verdict::Pass)]);
    let text = metrics.text();
    has(&text, r#"plumb_gate{condition="a \"b\\\n <= 1",verdict="pass"} 1"#);
    has(&text, r#"plumb_gate{condition="a \"b\\\n <= 1",verdict="fail"} 0"#);
}

#[test]
fn the_text_does_not_grow_with_the_run() {
    let (metrics, length) = (metrics(), metrics().text().len());
    for id in 0..10_000 {
        metrics.began();
        metrics.finished(&record(id));
        metrics.ended(&End::Finished, true);
    }
    // Longer numbers, and one reason for which sessions end.
    assert!(metrics.text().len() < length + 500);
}

#[test]
fn a_task_without_errors_in_px_has_none() {
    assert!(!Metrics::new(TaskName::ack()).text().contains("plumb_error"));
}
