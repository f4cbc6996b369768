//! Whatever goes wrong on a thread.

use std::error::Error;

/// Any failure on a thread.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;
