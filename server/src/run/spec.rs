//! The whole specification: its parts, one after the other.

use std::hash::{BuildHasher, RandomState};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::delivered::Delivered;
use super::sent::Sent;
use crate::camera::CameraConfig;
use crate::options;

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
    pub fn settled(mut self) -> Self {
        self.sent.seed.get_or_insert_with(drawn_seed);
        self
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
