//! The end of the interpreter. At that time, none of our threads, and no Python thread in our code, may be inside
//! Python.
//!
//! If a thread asks for the GIL after the interpreter's end, CPython ends the thread by `pthread_exit`. If Rust is on
//! the thread's stack, this aborts the process. So Python calls [`leave`] before the end: it refuses further entries,
//! and waits until all threads are out.

#![allow(unsafe_code, reason = "calls of CPython that have no safe form")]

use std::ffi::{c_long, c_ulong};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PySystemExit;
use pyo3::prelude::*;
use pyo3::{PyTypeInfo, ffi};

/// Maximum time that the interpreter's end waits for the threads inside. Clients say bye faster than that, and most
/// pipelines return faster.
const GRACE: Duration = Duration::from_secs(1);

/// Maximum further wait after it raised `SystemExit` in pipelines that did not return. Python code ends immediately.
const LAST_GRACE: Duration = Duration::from_millis(500);

static INSIDE: Mutex<State> = Mutex::new(State { last: None, threads: Vec::new() });
static LEFT: Condvar = Condvar::new();

struct State {
    /// The thread that ends the interpreter, once it has begun. Only this thread may still enter.
    last: Option<c_ulong>,
    /// The threads inside, one entry for each time that they entered.
    threads: Vec<c_ulong>,
}

/// A thread is in our code and may ask for the GIL, until this is dropped.
#[derive(Debug)]
pub(crate) struct Inside(c_ulong);

/// Enters; `None` at the interpreter's end.
pub(crate) fn enter() -> Option<Inside> {
    let thread = this_thread();
    let mut state = state();
    if state.is_closed_to(thread) {
        return None;
    }
    state.threads.push(thread);
    Some(Inside(thread))
}

/// Enters from Python.
///
/// # Errors
/// `SystemExit` at the interpreter's end, which ends a thread silently.
pub(crate) fn enter_from_python() -> PyResult<Inside> {
    enter().ok_or_else(exit)
}

/// Runs `work` without the GIL.
///
/// # Errors
/// `SystemExit` at the interpreter's end.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    let _inside = enter_from_python()?;
    Ok(py.detach(work))
}

/// Raises `SystemExit` at the interpreter's end. Long-running work calls this now and then.
pub(crate) fn check() -> PyResult<()> {
    if state().is_closed_to(this_thread()) { Err(exit()) } else { Ok(()) }
}

/// Refuses further entries, and waits until all threads are out. Python calls it before the interpreter ends.
#[pyfunction]
pub(crate) fn leave(py: Python<'_>) {
    state().last = Some(this_thread());
    if py.detach(|| all_left(GRACE)) {
        return;
    }
    for &thread in &state().threads {
        if let Ok(thread) = c_long::try_from(thread) {
            // SAFETY: this thread holds the GIL, and the exception is a class. An unknown thread has no effect.
            unsafe { ffi::PyThreadState_SetAsyncExc(thread, PySystemExit::type_object_raw(py).cast()) };
        }
    }
    // A pipeline that hangs outside of Python, in a sleep for example, is left alone.
    py.detach(|| all_left(LAST_GRACE));
}

/// Registers [`leave`] to be called before the interpreter ends. In a fork, forgets the threads that the fork does not
/// have.
pub(crate) fn start(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    py.import("atexit")?.call_method1("register", (wrap_pyfunction!(leave, module)?,))?;
    // Windows has no fork.
    if let Ok(register) = py.import("os")?.getattr("register_at_fork") {
        let forked = [("after_in_child", wrap_pyfunction!(forked, module)?)];
        register.call((), Some(&pyo3::types::IntoPyDict::into_py_dict(forked, py)?))?;
    }
    Ok(())
}

#[pyfunction]
fn forked() {
    let thread = this_thread();
    state().threads.retain(|&inside| inside == thread);
}

impl State {
    fn is_closed_to(&self, thread: c_ulong) -> bool {
        self.last.is_some_and(|last| last != thread)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut state = state();
        if let Some(place) = state.threads.iter().rposition(|&thread| thread == self.0) {
            state.threads.swap_remove(place);
        }
        drop(state);
        LEFT.notify_all();
    }
}

/// Waits at most this long until no other thread is inside.
fn all_left(limit: Duration) -> bool {
    let me = this_thread();
    let others = |state: &mut State| state.threads.iter().any(|&thread| thread != me);
    let (_guard, timeout) = LEFT.wait_timeout_while(state(), limit, others).unwrap_or_else(PoisonError::into_inner);
    !timeout.timed_out()
}

fn state() -> MutexGuard<'static, State> {
    // Each change is one step.
    INSIDE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn this_thread() -> c_ulong {
    // SAFETY: it needs neither the GIL nor a thread that Python knows.
    unsafe { ffi::PyThread_get_thread_ident() }
}

fn exit() -> PyErr {
    PySystemExit::new_err("the interpreter ends")
}
