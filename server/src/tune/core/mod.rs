//! The core of a search: given the results so far, what to run next. No clock, no file and no thread.
//!
//! A `space` of parameters, a `goal` and the `results` go into `search`. It spreads settings by Sobol points or a grid
//! (`draw`), lets the best go on (`halving`, with the tests of `paired`), and follows the figure down (`cma`, `surface`).
//! `verdict` compares the best with the default on new frames. `effects` finds
//! dead parameters; `importance` and `front` describe what was seen.

pub(crate) mod cma;
pub(crate) mod draw;
pub(crate) mod effects;
pub(crate) mod front;
pub(crate) mod goal;
pub(crate) mod halving;
pub(crate) mod importance;
pub(crate) mod paired;
pub(crate) mod results;
pub(crate) mod search;
#[cfg(test)]
mod simulation;
pub(crate) mod space;
pub(crate) mod surface;
pub(crate) mod verdict;
