//! Ways in at the server's port.
//!
//! A Plumb client sends [`lines`] of JSON, each a [`signal`]. [`stranger`] tells who is at the door by what arrives
//! first. [`discovery`] has what a client needs to find a server without an address. [`dial`] connects to a server by
//! its name: the addresses of the name race.

pub mod address;
pub mod dial;
pub mod discovery;
pub mod lines;
mod race;
pub mod signal;
pub mod stranger;
