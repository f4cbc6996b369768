//! The pipeline `exec:COMMAND`: a separate program, in any language, answers the frames. It needs no library.
//!
//! Each worker starts the program once. They communicate over the program's stdin and stdout, as `docs/exec.md` says:
//!
//! - [`Program`] is the command. It is split into words, and its program is found, before the client connects.
//! - `kind` builds a pipeline per worker; `pipeline` answers frames with the program and replaces it when it fails.
//! - `request` writes a frame's line. `reply` and `answer` read what the program writes. `fault` names what went wrong.
//! - `process` is the running program: its pipes, its deadline and its end. `stderr` turns its stderr into log lines.
//! - `programs` lists all programs of a session, so that none outlives the session. `restart` spaces their starts.

pub use program::{CommandError, Program};

pub(super) use kind::{ProgramMaker, TASKS};

mod answer;
mod fault;
pub mod fuzz;
mod kind;
mod pipeline;
mod process;
mod program;
mod programs;
mod reply;
mod request;
mod restart;
mod stderr;
mod wrong;

/// Start of the pipeline's name on the command line. The command follows it.
pub(crate) const PREFIX: &str = "exec:";
