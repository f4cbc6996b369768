//! A session's figures in the shape of the report: schema 1, finite numbers only, `null` where there is none.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::score::bounds::Bounds;
use crate::score::counts::FrameCounts;
use crate::score::latency::LatencyFigures;
use crate::task::{CircleCounts, ErrorFigures, TaskFigures, TaskName};

/// All figures of a session.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Figures {
    /// Frames and answers, counted by outcome.
    pub frames: Frames,
    /// Errors in px; `null` in tasks other than `circle`, and if no truth was known.
    pub error_px: Option<ErrorFigures>,
    /// Latency in µs.
    pub latency_us: LatencyFigures,
    /// Frame rates in Hz.
    pub fps: Fps,
    /// Bytes sent.
    pub bytes: Bytes,
    /// The 95 % bounds of the figures that have them, by path, such as `error_px.l1.mean`.
    pub bounds: Bounds,
    /// Name of the task.
    #[schemars(with = "String")]
    pub task: TaskName,
    /// The object of the task's own figures.
    #[serde(flatten, serialize_with = "named_object")]
    #[schemars(with = "OwnObjects")]
    pub own: TaskFigures,
}

/// Serializes the task's object under the task's name.
fn named_object<S: Serializer>(own: &TaskFigures, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(own.name, &own.object)?;
    map.end()
}

/// Schema of what each task adds: an object named after the task, absent in sessions of other tasks.
struct OwnObjects;

impl JsonSchema for OwnObjects {
    fn schema_name() -> Cow<'static, str> {
        "OwnObjects".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let objects = TaskName::all().map(|task| (task.name().to_owned(), task.schema(generator).to_value()));
        let objects: serde_json::Map<_, _> = objects.collect();
        json_schema!({ "type": "object", "properties": objects })
    }
}

/// `frames` of the report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Frames {
    /// Counts that every task has.
    #[serde(flatten)]
    pub counts: FrameCounts,
    /// Frames answered with a circle; `null` in tasks other than `circle`.
    pub circle: Option<u64>,
    /// Frames answered with no circle; `null` in tasks other than `circle`.
    pub no_circle: Option<u64>,
    /// Frames that show a ball and were answered with no circle; `null` in tasks other than `circle`.
    pub missed: Option<u64>,
    /// Finished frames that show no ball; `null` in tasks other than `circle`.
    pub empty: Option<u64>,
    /// Frames that show no ball and were answered with a circle; `null` in tasks other than `circle`.
    pub false_positive: Option<u64>,
    /// `lost` / `sent`; 0 if nothing was sent.
    pub lost_rate: f64,
    /// Frames captured before those that count: they are in no other figure.
    pub warmup: u64,
}

impl Frames {
    /// The frame counts after `warmup` other frames, with the counts of circles if the task has them.
    pub fn new(counts: FrameCounts, warmup: u64, circles: Option<CircleCounts>) -> Self {
        Self {
            counts,
            circle: circles.map(|circles| circles.circle),
            no_circle: circles.map(|circles| circles.no_circle),
            missed: circles.map(|circles| circles.missed),
            empty: circles.map(|circles| circles.empty),
            false_positive: circles.map(|circles| circles.false_positive),
            lost_rate: counts.lost_rate(),
            warmup,
        }
    }
}

/// `fps` of the report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Fps {
    /// Frames captured per second.
    pub sent: Option<f64>,
    /// Answers in time per second.
    pub answered: Option<f64>,
}

/// `bytes` of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bytes {
    /// Bytes of the pixels of all frames sent, before encoding.
    pub frames_raw: u64,
    /// Bytes handed to the `frames` lane: encoded pixels, messages and fragment headers.
    pub frames_wire: u64,
}
