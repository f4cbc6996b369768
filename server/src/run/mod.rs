//! The run specification: everything that decides what a run does, and nothing of where it does it.
//!
//! One definition. An option is one field of [`Sent`], [`Delivered`] or [`CameraConfig`]: its doc comment is the help
//! and the schema's description, its type parses, its attributes name default, range and unit. From that follow the
//! command line and the environment ([`options`](crate::options)), `--run FILE.toml` (`file`, laid under them by
//! `layers`), `--print-run` (`print`), the report's `run.config` ([`RunConfig`]) and its JSON schema.
//!
//! What belongs to this machine (where to listen, where to write, what to show) is no part of it: that is
//! [`Local`](crate::cli::Local).

mod config;
mod delivered;
mod file;
mod layers;
mod print;
mod sent;
mod text;

use std::hash::{BuildHasher, RandomState};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use shared::geometry::Size;

use crate::camera::CameraConfig;
use crate::options;
use crate::task::TaskName;

pub use config::RunConfig;
pub use delivered::Delivered;
pub use file::{Entry, FileError, MAX_FILE_BYTES};
pub use layers::layered;
pub use sent::{DEFAULT_SIZE, Sent};

/// What a run does.
#[derive(Args, Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RunSpec {
    /// What is sent.
    #[command(flatten)]
    #[serde(flatten)]
    pub sent: Sent,

    /// How it is delivered.
    #[command(flatten)]
    #[serde(flatten)]
    pub delivered: Delivered,

    /// What the camera does to the light.
    #[command(flatten)]
    #[serde(flatten)]
    pub camera: CameraConfig,
}

impl RunSpec {
    /// The specification with nothing left to chance: its seed is drawn if nobody chose one.
    #[must_use]
    pub fn with_seed(mut self) -> Self {
        self.sent.seed.get_or_insert_with(drawn_seed);
        self
    }

    /// The specification with what its source says of size and task, where nobody chose them.
    #[must_use]
    pub fn of_source(mut self, size: Size, default_task: TaskName) -> Self {
        self.sent.size.get_or_insert(size);
        self.sent.task.get_or_insert(default_task);
        self
    }

    /// Size of the frames.
    pub fn size(&self) -> Size {
        self.sent.size.unwrap_or(DEFAULT_SIZE)
    }
}

impl Default for RunSpec {
    fn default() -> Self {
        options::defaults()
    }
}

/// A seed nobody chose, short enough to be typed again.
fn drawn_seed() -> u64 {
    RandomState::new().hash_one(std::process::id()) >> 32
}

#[cfg(test)]
mod tests;
