//! The doctor: warnings with advice, for what is likely wrong with a run.
//!
//! [`Warning`] is one of them. What was measured is stated: `measured` looks at the figures of a session. What may be
//! chance is tested, and named only if it also matters: `examined` gathers truth and answers of the task `circle`, frame by
//! frame, in constant memory, and `circle` finds swapped axes, answers one frame late, a scale, a bias and dishonest
//! covariances in it. `drift` compares the two clocks.

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
