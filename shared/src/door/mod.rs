//! Ways in at the port of the end that listens.
//!
//! [`mod@listen`] opens the port. A Plumb peer sends [`lines`] of JSON, each a [`signal`]. [`stranger`] tells who is at the
//! door by what arrives first, and [`strangers`] limits those that have said nothing. [`discovery`] has what a client
//! needs to find a server without an address. [`admission`] admits peers that hold a token. [`dial`] connects to a peer by its name: the addresses of the name race.

pub mod address;
pub mod admission;
pub mod dial;
pub mod discovery;
pub mod lines;
pub mod listen;
mod race;
pub mod signal;
pub mod stranger;
pub mod strangers;
