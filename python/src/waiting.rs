//! Waits without blocking other Python threads, and notices Ctrl-C.

use std::time::Duration;

use pyo3::prelude::*;

use crate::leaving;

/// Longest single wait before signals are checked, so Ctrl-C is noticed within a twentieth of a second.
pub(crate) const STEP: Duration = Duration::from_millis(50);

/// Waits until `ready` returns a value. `ready` is called repeatedly without the GIL, and may wait for [`STEP`].
///
/// # Errors
/// Any exception of a signal handler, such as `KeyboardInterrupt` for Ctrl-C. `SystemExit` at the interpreter's end.
pub(crate) fn until<T: Send>(py: Python<'_>, mut ready: impl FnMut() -> Option<T> + Send) -> PyResult<T> {
    let _inside = leaving::enter_from_python()?;
    loop {
        if let Some(found) = py.detach(&mut ready) {
            return Ok(found);
        }
        py.check_signals()?;
        leaving::check()?;
    }
}
