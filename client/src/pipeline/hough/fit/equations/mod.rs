//! Eq.

pub(crate) mod cholesky;
pub(crate) mod columns;
pub(crate) mod model;
pub(crate) mod normal;
pub(crate) mod pass;
pub(crate) mod products;
pub(crate) mod profile;
pub(crate) mod sums;
pub(crate) mod waves;
