//! Runs the real programs as processes and measures what they use. For benchmarks: failures are errors, not panics.

mod error;
mod machine;
mod process;
mod programs;
mod usage;

pub use error::ProcessError;
pub use machine::machine;
pub use process::{Output, Process, line};
pub use programs::{build, has_option, program};
pub use usage::{Holdings, cores_used};
