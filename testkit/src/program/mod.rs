//! The real programs in tests: every wait has a limit, every child is killed when dropped.

mod command;
mod ended;
mod limit;
mod lines;
#[cfg(unix)]
mod pty;
mod running;

pub use command::command;
pub(crate) use command::unset_options;
pub use ended::Ended;
pub use limit::{LIMIT, poll};
pub use lines::Lines;
#[cfg(unix)]
pub use pty::AtTerminal;
pub use running::Program;
