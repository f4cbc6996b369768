//! What the options of both programs share.
//!
//! An option is one field. Its doc comment is the help, its type parses the value, and its attributes give default,
//! range and unit. What follows from these is added here and repeated nowhere: its environment variable, `=false` after
//! a switch, values that begin with a hyphen (`complete`). The environment supplies defaults (`environment`), errors in
//! either place have one form (`refusal`), and unknown variables get a warning (`unknown`).

mod complete;
mod environment;
mod names;
mod refusal;
mod unknown;

pub use complete::{completed, variable, variables};
pub use environment::{CommandLine, Environment};
pub use names::{CLIENT, SERVER};
pub use refusal::{Refusal, check};
pub use unknown::unknown_variables;
