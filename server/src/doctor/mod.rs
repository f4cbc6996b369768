//! The doctor: [`Warning`]s with advice about likely faults of a run.
//!
//! `measured` compares the figures of a session with fixed limits. All other faults are tested, and named only if they
//! are unlikely to be chance and large enough to matter. `examined` gathers truth and answers of the task `circle`,
//! frame by frame, in constant memory. From them `circle` finds swapped axes, answers one frame late, a scale, a bias
//! and wrong covariances. `drift` compares the two clocks.

mod circle;
mod drift;
mod examined;
mod measured;
#[cfg(test)]
mod simulation;
mod warning;

pub(crate) use drift::Drift;
pub(crate) use examined::{Examined, Found};
pub use measured::{capped, few, measured};
pub use warning::{Warning, WarningKind};
