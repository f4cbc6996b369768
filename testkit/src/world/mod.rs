//! Both session cores in virtual time, over a network that loses, delays, reorders and duplicates messages. A seed
//! decides everything random. An oracle notes what was delivered and when; the outcomes must agree with it exactly.

mod book;
mod client_side;
mod conditions;
mod dice;
mod network;
mod run;
mod schedule;
mod server_side;
mod stream;

pub use book::Book;
pub use conditions::{Conditions, LOSSLESS, bad_conditions};
pub use dice::Dice;
pub use network::Network;
pub use run::World;
pub use schedule::Event;
pub use stream::{DEADLINE_US, truth};

/// Runs per kind of network. A run takes about 100 µs.
pub const RUNS: u64 = 1000;
