//! The pipeline `exec:COMMAND`: another program, in any language, without a library.
//!
//! Each worker starts the program once and speaks with it over the program's stdin and stdout, as `docs/exec.md` says:
//!
//! - [`Program`] is the command: split into words, its program found before anything connects.
//! - `kind` builds a pipeline per worker; `pipeline` answers frames with the program and replaces it when it fails.
//! - `request` writes a frame's line. `reply` and `answer` read what the program writes. `fault` names what went wrong.
//! - `process` is the running program: pipes, deadline, end. `stderr` makes log lines of its stderr.
//! - `programs` knows all programs of a session, so that none outlives it. `restart` spaces their starts.

pub use program::{CommandError, Program};

pub(super) use kind::{ExecKind, TASKS};

mod answer;
mod fault;
mod kind;
mod pipeline;
mod process;
mod program;
mod programs;
mod reply;
mod request;
mod restart;
mod stderr;

/// What the pipeline's name begins with on the command line. The command follows.
pub(super) const PREFIX: &str = "exec:";
