//! Connections to the port of the end that listens, and signaling over them.
//!
//! [`mod@listen`] opens the port. A Plumb peer sends [`lines`] of JSON, each a [`signal`]. [`stranger`] identifies a
//! visitor by its first bytes, and [`strangers`] limits the number of silent visitors. [`discovery`] has the names by
//! which a client finds a server without an address. [`http`] reads a request and answers it; [`websocket`] carries what
//! pages send and get. [`access`] says which visitors see a page at all, and [`page`] has what all pages share. [`admission`] admits peers that hold a token. [`dial`] connects to a peer by its name, at all its
//! addresses in parallel.

pub mod access;
pub mod address;
pub mod admission;
pub mod dial;
pub mod discovery;
pub mod fuzz;
pub mod http;
pub mod lines;
pub mod listen;
pub mod page;
mod race;
pub mod signal;
pub mod stranger;
pub mod strangers;
pub mod upgrade;
pub mod websocket;
