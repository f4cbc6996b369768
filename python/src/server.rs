//! A real server inside this process.

use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use server::app::{Hosted, HostedError, HostedOptions};
use server::output::Outputs;
use server::output::report::Run;
use shared::shell::exit::Exit;

use crate::collected::Collected;
use crate::leaving;
use crate::options::{self, in_python};
use crate::waiting::{self, STEP};

/// Machine options that have no effect here.
const OF_THE_WINDOW: [&str; 4] = ["no_graphics", "rows", "colormap", "range"];

/// A server. It stops when nobody holds it any more.
#[pyclass(frozen, module = "plumb")]
pub(crate) struct Server {
    run: Run,
    address: Option<String>,
    collected: Collected,
    /// Absent after the server's end was awaited.
    hosted: Mutex<Option<Hosted>>,
    outputs: Outputs,
    /// The process that runs the server's thread. A fork has a copy of this object, but not the thread.
    process: u32,
}

#[pymethods]
impl Server {
    #[new]
    fn new(py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        options::refuse(
            options,
            &OF_THE_WINDOW,
            "is about the window and the terminal of the server program; plumb.Server has neither",
        )?;
        options::refuse(options, &["strict"], "is about the exit code of the server program; report.gate takes it")?;
        let (options, origins) = options::read::<HostedOptions>(options, &[])?;
        let started = leaving::detached(py, || {
            let mut collected = None;
            let hosted = Hosted::start(options, &origins, |spec| {
                let results = Collected::new(spec.sent.task.unwrap_or_default());
                Box::new(collected.insert(results).clone())
            });
            hosted.map(|hosted| (hosted, collected))
        })?;
        let (hosted, collected) = started.map_err(|wrong| refused(&wrong))?;
        let Some(collected) = collected else { return Err(PyRuntimeError::new_err("the server has no output")) };
        let (run, address) = (hosted.run().clone(), hosted.address().map(|address| address.to_string()));
        let outputs = hosted.outputs().clone();
        Ok(Self { run, address, collected, hosted: Mutex::new(Some(hosted)), outputs, process: process::id() })
    }

    /// Where it listens.
    #[getter]
    fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// Seed of everything random.
    #[getter]
    fn seed(&self) -> u64 {
        self.run.seed
    }

    /// Waits until the server has ended. Returns whether it has.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let until = deadline(timeout)?;
        waiting::until(py, || {
            let has_ended = self.hosted().as_ref().is_none_or(Hosted::has_ended);
            let is_over = has_ended || until.is_some_and(|until| Instant::now() >= until);
            if !is_over {
                std::thread::sleep(STEP);
            }
            is_over.then_some(has_ended)
        })
    }

    /// Stops the server, within a second.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let exit = leaving::detached(py, || {
            let hosted = self.hosted().take().filter(|_| self.process == process::id());
            hosted.map_or(Exit::Fine, |hosted| {
                hosted.stop();
                hosted.join()
            })
        })?;
        match exit {
            // The report says how the sessions ended, and has the verdicts.
            Exit::Fine | Exit::NoPeer | Exit::GateFailed => Ok(()),
            _ => Err(PyRuntimeError::new_err("the server failed; the log (logging.getLogger(\"plumb\")) says why")),
        }
    }

    /// The report and the columns of the table of frames. Waits at most this long for sessions in progress to end.
    #[pyo3(signature = (timeout))]
    fn results<'py>(&self, py: Python<'py>, timeout: f64) -> PyResult<(String, Bound<'py, PyList>)> {
        let until = deadline(Some(timeout))?;
        waiting::until(py, || {
            let left = until.map_or(STEP, |until| until.saturating_duration_since(Instant::now()));
            // All events of a session that a client has just ended may still be in the outputs' queue.
            let is_complete = self.outputs.wait(left.min(STEP)) && self.collected.wait(left.min(STEP));
            (is_complete || left.is_zero()).then_some(())
        })?;
        // Copied without the GIL. A thread that holds the GIL and waits for the results could wait for ever, because
        // making Python objects may run any finaliser, which may release the GIL.
        let (report, table) = leaving::detached(py, || {
            let results = self.collected.results();
            (results.report(self.run.clone()).to_json(), results.table.clone())
        })?;
        let report = report.map_err(|wrong| PyRuntimeError::new_err(wrong.to_string()))?;
        Ok((report, table.to_python(py)?))
    }
}

impl Server {
    fn hosted(&self) -> MutexGuard<'_, Option<Hosted>> {
        self.hosted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process == process::id()
            && let Some(hosted) = &*self.hosted()
        {
            hosted.stop();
        }
    }
}

/// When a wait is over; `None` if it has no limit, or one beyond the range of the clock.
fn deadline(timeout: Option<f64>) -> PyResult<Option<Instant>> {
    match timeout.map(|timeout| (timeout, Duration::try_from_secs_f64(timeout))) {
        Some((_, Ok(length))) => Ok(Instant::now().checked_add(length)),
        Some((timeout, Err(_))) if timeout > 0.0 => Ok(None),
        Some((timeout, Err(_))) => Err(PyValueError::new_err(format!("timeout is {timeout}: give seconds, 0 or more"))),
        None => Ok(None),
    }
}

fn refused(wrong: &HostedError) -> PyErr {
    let text = in_python(&wrong.to_string());
    match wrong {
        HostedError::Usage(_) => PyValueError::new_err(text),
        HostedError::Start(_) => PyOSError::new_err(text),
    }
}
