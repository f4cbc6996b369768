//! Decide.

pub(crate) mod ground;
pub(crate) mod judge;
pub(crate) mod misfit;
pub(crate) mod motion;
pub(crate) mod state;
