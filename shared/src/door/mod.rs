//! Ways in at the server's port.
//!
//! A Plumb client speaks [`lines`] of JSON, whose messages are [`signal`]s. [`stranger`] tells who is there by what comes
//! first. [`discovery`] is what a client needs to find a server that nobody named.

pub mod address;
pub mod discovery;
pub mod lines;
pub mod signal;
pub mod stranger;
