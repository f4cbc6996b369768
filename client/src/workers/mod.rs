//! Worker threads: frames go in through a bounded queue, detections come out.
//!
//! A [`Pool`] hands frames to threads through a `queue`. Each thread runs a `worker` with its own pipeline.
//! Sessions that share the workers process frames in [`Turns`]. [`affordable`] limits the workers to as many as memory
//! has room for.

pub(crate) use budget::look_for_detector;
pub use budget::{affordable, possible};
pub use pool::{Pool, PoolError};
pub use queue::{Policy, Submitted};
pub use turns::{Line, Turns};

/// Largest number of worker threads: more than any machine has cores, but few enough to start.
pub const MAX_WORKERS: usize = 1024;

mod budget;
mod pool;
mod queue;
mod turns;
mod worker;
