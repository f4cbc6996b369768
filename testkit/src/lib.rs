//! What tests and benchmarks of several crates share.
//!
//! | module | holds |
//! |---|---|
//! | [`program`], [`ends`], [`report`] | the real programs in tests: start them, read their lines and reports |
//! | [`processes`] | the real programs in benchmarks: what they use of the machine |
//! | [`wrong_values`] | what is said to them, for every option |
//! | [`help`] | what `--help` and `--version` must say |
//! | [`relay`] | a network between two real programs that delays, drops, reorders and duplicates |
//! | `world` | two sessions over such a network in virtual time (feature `world`) |
//! | `slow_client` | a real client that takes as long as told (feature `world`) |
//! | [`allocator`] | an allocator that counts |
//! | [`picture`] | pictures of known truth for the detectors |
//! | [`python`] | Python environments |
//! | [`statistics`] | figures of a sample |
//!
//! Everything here serves tests: what goes wrong in a test panics and says why, what goes wrong in a benchmark is an
//! error. The library tests of a crate must not use types of that same crate from here: they would be another
//! compilation's.

pub mod allocator;
pub mod ends;
pub mod help;
pub mod picture;
pub mod processes;
pub mod program;
pub mod python;
pub mod relay;
pub mod report;
#[cfg(feature = "world")]
pub mod slow_client;
pub mod statistics;
#[cfg(feature = "world")]
pub mod world;
pub mod wrong_values;
