//! Worker threads: frames go in through a bounded queue, detections come out.
//!
//! A [`Pool`] hands frames to threads through a `queue`. Each thread runs a `worker` with its own pipeline.
//! [`affordable`] limits the workers to what memory has room for.

pub use budget::affordable;
pub use pool::{Pool, PoolError};
pub use queue::{Policy, Submitted};

mod budget;
mod pool;
mod queue;
mod worker;
