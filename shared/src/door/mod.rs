//! Ways in at the server's port.
//!
//! A Plumb client speaks [`lines`] of JSON, whose messages are [`signal`]s. [`stranger`] tells who is there by what comes
//! first. [`discovery`] is what a client needs to find a server that nobody named, [`dial`] connects to one by its name: its
//! addresses race.

pub mod address;
pub mod dial;
pub mod discovery;
pub mod lines;
mod race;
pub mod signal;
pub mod stranger;
