//! Ways in at the server's port.
//!
//! A Plumb client speaks [`lines`] of JSON; [`discovery`] lets it find a server that nobody named.

pub mod discovery;
pub mod lines;
