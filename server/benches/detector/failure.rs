//! The error type of the benchmark's threads.

use std::error::Error;

/// Any failure on a thread.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;
