//! How the run is judged.

use clap::{ArgAction, Args};
use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::{Condition, GivenGates};

/// How the run is judged.
#[derive(Args, Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[command(next_help_heading = "Gates")]
pub struct Judged {
    /// Condition on a figure of the report, such as 'error_px.l1.mean <= 0.05' or 'latency_us.p99 <= 20ms'; repeatable,
    /// or several with ; between them. If one fails or has no data, exit with code 1
    #[arg(long, value_name = "CONDITION", action = ArgAction::Append)]
    #[serde(serialize_with = "GivenGates::serialize_all")]
    #[schemars(with = "Vec<String>")]
    pub gate: Vec<GivenGates>,

    /// Number of frames at the start of each session to leave out of all figures; the CSV file has them, with a mark
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[schemars(range(min = 0), extend("takes" = "a whole number of frames from {}"))]
    pub warmup: u64,
}

impl Judged {
    /// All conditions, in order.
    pub fn conditions(&self) -> Vec<Condition> {
        GivenGates::all(&self.gate)
    }
}
