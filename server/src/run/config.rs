//! `run.config` of the report: every option by its name, and further figures of schema 1.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::Value;
use shared::flow::live;
use shared::protocol::message::Delivery;

use super::print::values;
use super::spec::RunSpec;
use crate::camera::CameraConfig;
use crate::gate::Condition;

/// `run.config` of the report.
#[derive(Clone, Debug)]
pub struct RunConfig(RunSpec);

/// Options as numbers, in the unit that the field name says. If an option has the same name, the value here replaces
/// the option's.
#[derive(Serialize, JsonSchema)]
struct Measures {
    /// Columns of the frames, in px
    width: u32,
    /// Rows of the frames, in px
    height: u32,
    /// Frames per second; null with max, when only the window limits the rate
    fps: Option<f64>,
    /// Deadline in us: a frame without an answer after this time is lost
    deadline_us: u64,
    /// How long to send to each client, in us; null without a limit
    duration_us: Option<u64>,
    /// Radius of the ball, or the smallest of a range, in px
    radius_px: f64,
    /// Radius of the ball, or the largest of a range, in px
    radius_max_px: f64,
    /// Mean speed of the ball along each axis, in px/s
    speed_px_s: f64,
    /// What the camera does to the light
    camera: CameraConfig,
    /// Lifetime of a frame in live delivery, counted from its capture, in us; null in reliable delivery
    lifetime_us: Option<u64>,
    /// Names of options that the source does not use, such as those of the ball if the source is a folder. Their values
    /// mean nothing
    unused_options: Vec<String>,
}

impl RunConfig {
    /// `run.config` of this run.
    pub fn new(spec: &RunSpec) -> Self {
        Self(spec.clone())
    }

    /// The run.
    pub(crate) fn spec(&self) -> &RunSpec {
        &self.0
    }

    /// The conditions of the run's gates.
    pub fn conditions(&self) -> Vec<Condition> {
        self.0.judged.conditions()
    }

    /// The options as a file for `--run`, whose paths hold in every working folder.
    ///
    /// # Errors
    /// If a path cannot be written as text, because the name of the working folder is not UTF-8.
    pub fn to_toml(&self) -> io::Result<String> {
        match self.0.anywhere() {
            Ok(spec) => Ok(spec.to_toml()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(error),
            // Without a working folder, relative paths lead nowhere anyway.
            Err(_) => Ok(self.0.to_toml()),
        }
    }
}

impl Measures {
    fn of(spec: &RunSpec) -> Self {
        let RunSpec { sent, delivered, camera, unused, .. } = spec;
        let lifetime = (delivered.delivery == Delivery::Live).then(|| live::lifetime(spec.rate()));
        Self {
            width: spec.size().width,
            height: spec.size().height,
            fps: spec.rate().hz(),
            deadline_us: micros(delivered.deadline),
            duration_us: sent.duration.map(micros),
            radius_px: spec.radius().min,
            radius_max_px: spec.radius().max,
            speed_px_s: sent.speed,
            camera: *camera,
            lifetime_us: lifetime.map(micros),
            unused_options: unused.clone(),
        }
    }
}

impl Serialize for RunConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = values(&self.0);
        all.extend(values(&Measures::of(&self.0)));
        all.serialize(serializer)
    }
}

impl JsonSchema for RunConfig {
    fn schema_name() -> Cow<'static, str> {
        "RunConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = RunSpec::json_schema(generator);
        let mut measures = Measures::json_schema(generator);
        let (all, more) = (schema.ensure_object(), measures.ensure_object());
        if let (Some(Value::Object(all)), Some(Value::Object(more))) =
            (all.get_mut("properties"), more.remove("properties"))
        {
            all.extend(more);
        }
        // Every name is always present; its value may be null.
        let names = all.get("properties").and_then(Value::as_object);
        let names: Vec<Value> = names.into_iter().flat_map(|names| names.keys().cloned().map(Value::String)).collect();
        all.insert("required".into(), names.into());
        all.insert(
            "description".into(),
            "Every option by its name, and figures in the units that their names say.".into(),
        );
        schema
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
