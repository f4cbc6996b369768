//! Metrics of a running server, for Prometheus and others that read OpenMetrics.
//!
//! Sessions update the metrics while they run. That takes a few atomic additions and a histogram's lock, which is never
//! held for long, and no allocation. [`Metrics::text`] writes all metrics. The text does not grow with the run or the
//! number of sessions, because no label names a client or a session. `series` has the labels and the limits of the
//! histograms.
//!
//! The metrics do not contain the seed, the truth or the scene, because anyone who can reach the port may read them.

mod series;

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::gate::GateVerdict;
use crate::score::cells::Cell;
use crate::score::latency::FrameLatency;
use crate::score::record::{FrameRecord, LossCause, Outcome};
use crate::session::End;
use crate::task::TaskName;

use series::{ENDS, ERROR_LIMITS, LATENCY_LIMITS, Label, OfGate, VERDICTS, end_name};

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The residual column whose values are the errors of a frame, in px.
const ERROR_COLUMN: &str = "l1";

/// The metrics of a server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    sessions: Counter,
    active: Gauge,
    ended: Family<Label, Counter>,
    sent: Counter,
    outcomes: [Counter; 4],
    lost: [Counter; 4],
    raw_bytes: Counter,
    wire_bytes: Counter,
    latency: Stages,
    error: Histogram,
    /// Index of [`ERROR_COLUMN`] in the task's residual columns.
    error_column: Option<usize>,
    gates: Family<OfGate, Gauge>,
}

/// The latency of each stage.
#[derive(Debug)]
struct Stages {
    total: Histogram,
    encode: Histogram,
    to_client: Histogram,
    queue: Histogram,
    detect: Histogram,
    back: Histogram,
}

impl Metrics {
    /// Makes the metrics of a server with this task, all 0.
    pub fn new(task: TaskName) -> Self {
        let mut registry = Registry::with_prefix("plumb");
        let described = [("version", env!("CARGO_PKG_VERSION").to_owned()), ("task", task.to_string())];
        registry.register("run", "The version of the server and its task", Info::new(described.to_vec()));
        let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let unit = Unit::Seconds;
        registry.register_with_unit(
            "start_time",
            "When the server started, since 1970",
            unit,
            ConstGauge::new(started),
        );

        let (sessions, active) = (Counter::default(), Gauge::default());
        registry.register("sessions", "Sessions whose client said hello", sessions.clone());
        registry.register("active_sessions", "Sessions that go on", active.clone());
        let ended: Family<Label, Counter> = Family::default();
        let _: [Counter; ENDS.len()] = of_each(&ended, "end", &ENDS);
        registry.register("ended_sessions", "Sessions that ended, by reason", ended.clone());

        let sent = Counter::default();
        registry.register("sent_frames", "Frames sent, warm-up included", sent.clone());
        let by_outcome: Family<Label, Counter> = Family::default();
        let outcomes = of_each(&by_outcome, "outcome", Outcome::NAMES);
        registry.register("frames", "Frames whose outcome is final, by outcome", by_outcome);
        let by_cause: Family<Label, Counter> = Family::default();
        let lost = of_each(&by_cause, "cause", LossCause::NAMES);
        registry.register("lost_frames", "Frames lost, by cause", by_cause);

        let by_form: Family<Label, Counter> = Family::default();
        let [raw_bytes, wire_bytes] = of_each(&by_form, "form", &["raw", "wire"]);
        let help = "Bytes of the frames sent: raw pixels, and what was handed to the link";
        registry.register_with_unit("frames", help, Unit::Bytes, by_form);

        let by_stage = Family::<Label, Histogram>::new_with_constructor(|| Histogram::new(LATENCY_LIMITS));
        let latency = Stages::of(&by_stage);
        registry.register_with_unit("latency", "Latency of answered frames, by stage", Unit::Seconds, by_stage);
        let error = Histogram::new(ERROR_LIMITS);
        let error_column = task.columns().residual.iter().position(|column| column.name == ERROR_COLUMN);
        if error_column.is_some() {
            let help = "Error of the answers to frames of known truth: |dx| + |dy|";
            registry.register_with_unit("error", help, Unit::Other("pixels".into()), error.clone());
        }

        let gates: Family<OfGate, Gauge> = Family::default();
        registry.register("gate", "The verdict on each gate as it stands: 1 for the one that holds", gates.clone());
        Self {
            registry,
            sessions,
            active,
            ended,
            sent,
            outcomes,
            lost,
            raw_bytes,
            wire_bytes,
            latency,
            error,
            error_column,
            gates,
        }
    }

    /// Counts a session whose client said hello.
    pub fn began(&self) {
        self.sessions.inc();
        self.active.inc();
    }

    /// Counts the end of a session; `was_begun` tells that its client had said hello.
    pub fn ended(&self, end: &End, was_begun: bool) {
        if was_begun {
            self.active.dec();
            self.ended.get_or_create(&Label::new("end", end_name(end))).inc();
        }
    }

    /// Counts a frame that was sent.
    pub fn sent(&self, raw_bytes: u64, wire_bytes: u64) {
        self.sent.inc();
        self.raw_bytes.inc_by(raw_bytes);
        self.wire_bytes.inc_by(wire_bytes);
    }

    /// Counts a frame whose outcome is final.
    pub fn finished(&self, record: &FrameRecord) {
        count(&self.outcomes, Outcome::NAMES, record.outcome.name());
        if let Outcome::Lost(cause) = record.outcome {
            count(&self.lost, LossCause::NAMES, cause.name());
        }
        if let Some(latency) = record.latency {
            self.latency.observe(latency);
        }
        let error = self.error_column.and_then(|column| record.residual.get(column));
        if let (Some(Cell::Real(error)), true) = (error, record.answer.is_some()) {
            self.error.observe(*error);
        }
    }

    /// Sets the current verdicts on the gates.
    pub fn judged(&self, gates: &[GateVerdict]) {
        for gate in gates {
            for (verdict, name) in VERDICTS {
                let label = OfGate { condition: gate.condition.clone(), verdict: name };
                self.gates.get_or_create(&label).set((gate.verdict == verdict).into());
            }
        }
    }

    /// All metrics as OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(16 << 10);
        // Writing to a string cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

impl Stages {
    fn of(family: &Family<Label, Histogram, fn() -> Histogram>) -> Self {
        let stage = |name| family.get_or_create_owned(&Label::new("stage", name));
        Self {
            total: stage("total"),
            encode: stage("encode"),
            to_client: stage("to_client"),
            queue: stage("queue"),
            detect: stage("detect"),
            back: stage("back"),
        }
    }

    fn observe(&self, latency: FrameLatency) {
        let stages = [
            (&self.total, Some(latency.total_us)),
            (&self.encode, Some(latency.encode_us)),
            (&self.to_client, latency.to_client_us),
            (&self.queue, latency.queue_us),
            (&self.detect, latency.detect_us),
            (&self.back, latency.back_us),
        ];
        for (histogram, us) in stages {
            us.into_iter().for_each(|us| histogram.observe(us as f64 / 1e6));
        }
    }
}

/// The counters of a family with one label. All of them exist from the start.
fn of_each<const N: usize>(
    family: &Family<Label, Counter>,
    label: &'static str,
    values: &[&'static str],
) -> [Counter; N] {
    std::array::from_fn(|place| {
        let value = values.get(place).copied().unwrap_or_default();
        family.get_or_create_owned(&Label::new(label, value))
    })
}

fn count(counters: &[Counter], names: &[&str], name: &str) {
    let counter = names.iter().position(|known| *known == name).and_then(|place| counters.get(place));
    counter.into_iter().for_each(|counter| {
        counter.inc();
    });
}

#[cfg(test)]
mod tests;
