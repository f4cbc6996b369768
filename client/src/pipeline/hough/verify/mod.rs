//! Verify.

pub(crate) mod verdict;
