//! Worker threads: frames in through a bounded queue, detections out.
//!
//! A [`Pool`] hands frames to threads through a `queue`; each is a `worker` with a pipeline of its own. [`affordable`] says
//! how many memory has room for.

pub use budget::affordable;
pub use pool::{Pool, PoolError};
pub use queue::{Policy, Submitted};

mod budget;
mod pool;
mod queue;
mod worker;
