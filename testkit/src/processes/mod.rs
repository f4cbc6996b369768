//! The real programs as processes of their own, and what the system says they use. For benchmarks: what goes wrong is an
//! error, not a panic.

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
