//! A session's figures in the shape of the report: schema 1, finite numbers only, `null` where there is none.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::score::counts::FrameCounts;
use crate::score::latency::LatencyFigures;
use crate::task::{CircleCounts, ErrorFigures, TaskFigures, TaskName};

/// A session's scores.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Figures {
    /// Counts.
    pub frames: Frames,
    /// Errors in px; `null` in every task but `circle`, and where no truth was known.
    pub error_px: Option<ErrorFigures>,
    /// Latency in µs.
    pub latency_us: LatencyFigures,
    /// Rates.
    pub fps: Fps,
    /// Bytes.
    pub bytes: Bytes,
    /// What was asked of the pipeline.
    #[schemars(with = "String")]
    pub task: TaskName,
    /// The task's own part.
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

/// The schema of what each task adds: the object of the task's own name, which other tasks' sessions do not have.
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
    /// How many.
    #[serde(flatten)]
    pub counts: FrameCounts,
    /// Answered with a circle; `null` in every task but `circle`, as the next four are.
    pub circle: Option<u64>,
    /// Answered: no circle.
    pub no_circle: Option<u64>,
    /// Of those, frames that show a ball.
    pub missed: Option<u64>,
    /// Finished frames that show no ball.
    pub empty: Option<u64>,
    /// Of those, answered with a circle.
    pub false_positive: Option<u64>,
    /// lost / sent.
    pub lost_rate: f64,
}

impl Frames {
    /// The frame counts, with the counts of circles if the task has them.
    pub fn new(counts: FrameCounts, circles: Option<CircleCounts>) -> Self {
        Self {
            counts,
            circle: circles.map(|circles| circles.circle),
            no_circle: circles.map(|circles| circles.no_circle),
            missed: circles.map(|circles| circles.missed),
            empty: circles.map(|circles| circles.empty),
            false_positive: circles.map(|circles| circles.false_positive),
            lost_rate: counts.lost_rate(),
        }
    }
}

/// `fps` of the report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Fps {
    /// Frames captured a second.
    pub sent: Option<f64>,
    /// Answers a second.
    pub answered: Option<f64>,
}

/// `bytes` of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Bytes {
    /// Pixels of all frames sent.
    pub frames_raw: u64,
    /// The same with encoding, message and fragment headers: what the `frames` lane was given.
    pub frames_wire: u64,
}
