//! What the options of both programs share.
//!
//! An option is one field. Its doc comment is the help, its type parses the value, and its attributes give default,
//! range and unit. `complete` adds everything else to each option: its environment variable, `=false` after a switch,
//! and values that begin with a hyphen. The environment supplies defaults (`environment`). An error has the same form on
//! the command line and in the environment (`refusal`). Unknown variables get a warning (`unknown`).

mod complete;
mod environment;
mod names;
mod refusal;
mod unknown;

pub use complete::{completed, variable, variables};
pub use environment::{CommandLine, Environment};
pub use names::{CLIENT, SERVER};
pub use refusal::{Refusal, check, near_option};
pub use unknown::unknown_variables;
