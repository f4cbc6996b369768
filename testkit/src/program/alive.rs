//! Whether a process that a program has started still runs.

use std::fs;

/// Whether a process runs. One that has ended stays until its parent, or init if the parent is gone, reaps it.
pub fn is_alive(id: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    state.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}
