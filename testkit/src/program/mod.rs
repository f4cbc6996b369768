//! Runs the real programs in tests. Every wait has a limit; every child process is killed when dropped.

mod alive;
mod command;
mod ended;
mod limit;
mod lines;
#[cfg(unix)]
mod pty;
mod running;

pub use alive::is_alive;
pub(crate) use command::unset_options;
pub use command::{command, command_after, command_at};
pub use ended::Ended;
pub use limit::{LIMIT, poll};
pub use lines::Lines;
#[cfg(unix)]
pub use pty::AtTerminal;
pub use running::Program;
