//! Passes our log on to Python's: `logging.getLogger("plumb")`.

use std::fmt::{Debug, Write};

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::leaving;

/// The crates whose events are passed on. Libraries report about packets, not about what to do.
const OURS: [&str; 3] = ["shared", "client", "server"];

/// Starts to pass events on, down to level info.
///
/// # Errors
/// If the import of Python's `logging` fails.
pub(crate) fn start(py: Python<'_>) -> PyResult<()> {
    // Imported now, not by the first thread that logs: after a fork in the middle of an import, the child has a lock on
    // the module that is never released.
    for module in ["logging", "traceback"] {
        py.import(module)?;
    }
    let ours = OURS.into_iter().fold(Targets::new(), |targets, name| targets.with_target(name, LevelFilter::INFO));
    // If the program that loaded the module has a subscriber of its own, that one stays.
    let _ = tracing_subscriber::registry().with(ToPython.with_filter(ours)).try_init();
    Ok(())
}

/// Hands events to Python's logging.
struct ToPython;

impl<S: Subscriber> Layer<S> for ToPython {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let method = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            _ => "info",
        };
        let mut message = Message(String::new());
        event.record(&mut message);
        let Some(_inside) = leaving::enter() else { return };
        // At the end of the interpreter, or if logging fails, the event is lost.
        let _ = Python::try_attach(|py| -> PyResult<()> {
            let logger = py.import("logging")?.call_method1("getLogger", ("plumb",))?;
            logger.call_method1(method, ("%s", message.0))?;
            Ok(())
        });
    }
}

/// The text of an event.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // Writing to a string does not fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}
