//! Waits without holding up other Python threads, and hears Ctrl-C.

use std::time::Duration;

use pyo3::prelude::*;

use crate::leaving;

/// How long one wait takes at most before signals are looked at: Ctrl-C is heard within a twentieth of a second.
pub(crate) const STEP: Duration = Duration::from_millis(50);

/// Waits until `ready` gives something. It is called without the GIL, again and again, and may wait for [`STEP`].
///
/// # Errors
/// What a signal handler raises: `KeyboardInterrupt` for Ctrl-C. `SystemExit` at the interpreter's end.
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
