//! What the options of both programs have in common, whatever they are for.
//!
//! An option is one field: its doc comment is the help, its type parses, its attributes say default, range and unit. What
//! follows from that is added here and restated nowhere: its environment variable, `=false` after a switch, values that
//! begin with a hyphen (`complete`). The environment is laid under the command line (`environment`), what is wrong in
//! either is said in one form (`refusal`), and a variable that belongs to nothing is warned of (`unknown`).

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
