//! What can go wrong with a pipeline's answer.

use pyo3::exceptions::{PyException, PyTypeError, PyValueError};
use pyo3::prelude::*;
use shared::protocol::message::PayloadError;

/// Why a frame has no answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The pipeline raised an exception. Its frame counts as dropped.
    Raised(PyErr),
    /// The answer has a value that the task does not take. Its frame counts as dropped.
    Value(String),
    /// The answer is of a type that the task does not take. The run ends, because the pipeline does not do the task.
    Type(String),
    /// An exception that has nothing to do with the frame, such as `KeyboardInterrupt`. The run ends.
    Ends(PyErr),
}

impl Fault {
    /// Classifies an exception that the pipeline raised.
    pub(crate) fn raised(py: Python<'_>, error: PyErr) -> Self {
        if error.is_instance_of::<PyException>(py) { Self::Raised(error) } else { Self::Ends(error) }
    }

    /// Whether the run goes on after this fault.
    pub(crate) fn is_of_the_frame(&self) -> bool {
        matches!(self, Self::Raised(_) | Self::Value(_))
    }

    /// The exception that ends a run.
    pub(crate) fn into_error(self) -> PyErr {
        match self {
            Self::Raised(error) | Self::Ends(error) => error,
            Self::Value(text) => PyValueError::new_err(text),
            Self::Type(text) => PyTypeError::new_err(text),
        }
    }

    /// Shows the fault on `sys.stderr`, with its traceback.
    pub(crate) fn show(self, py: Python<'_>, frame: u64) {
        let error = self.into_error();
        let head = format!(
            "plumb: the pipeline failed on frame {frame}, which counts as dropped (further failures are counted, not \
             shown):\n"
        );
        let shown = (|| -> PyResult<()> {
            py.import("sys")?.getattr("stderr")?.call_method1("write", (head,))?;
            py.import("traceback")?.call_method1("print_exception", (error.into_value(py),))?;
            Ok(())
        })();
        // Without `sys.stderr` it cannot be shown.
        drop(shown);
    }
}

impl From<PayloadError> for Fault {
    fn from(wrong: PayloadError) -> Self {
        Self::Value(format!("the pipeline's answer: {wrong}"))
    }
}
