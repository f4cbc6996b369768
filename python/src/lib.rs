//! The compiled part of Plumb's Python package.
//!
//! `evaluate` calls a Python function with rendered frames and scores its answers. `frames` gives frames with their
//! truth. `detect` is our detector. `client` and `server` are the two ends of the real link. All of them take the
//! server's `options` and the task's `answer`s.
//!
//! What a Python user reads is in `plumb/`: signatures in `_plumb.pyi`, the report in `_report.py`.

mod answer;
mod calibrate;
mod circle;
mod client;
mod collected;
mod detect;
mod evaluate;
mod fault;
mod frames;
mod gate;
mod kept;
mod leaving;
mod logging;
mod options;
mod pixels;
mod server;
mod table;
mod truth;
mod waiting;

/// The module `plumb._plumb`.
#[pyo3::pymodule(gil_used = false)]
mod _plumb {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::calibrate::{Correction, calibrate};
    #[pymodule_export]
    use crate::circle::Circle;
    #[pymodule_export]
    use crate::client::{Client, Tally};
    #[pymodule_export]
    use crate::detect::detect;
    #[pymodule_export]
    use crate::evaluate::evaluate;
    #[pymodule_export]
    use crate::frames::{FrameIterator, Frames};
    #[pymodule_export]
    use crate::gate::{absence, judge};
    #[pymodule_export]
    use crate::options::{machine_options, run_options};
    #[pymodule_export]
    use crate::server::Server;
    #[pymodule_export]
    use crate::truth::Truth;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::logging::start(module.py())?;
        crate::leaving::start(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
