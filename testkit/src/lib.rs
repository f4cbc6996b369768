//! Helpers that tests and benchmarks of several crates share.
//!
//! | module | contents |
//! |---|---|
//! | [`program`], [`ends`], [`report`] | the real programs in tests: start them, read their lines and reports |
//! | [`folder`] | a run's folder |
//! | [`room`] | a folder of a test, with the files and runs that it needs |
//! | [`processes`] | the real programs in benchmarks: measure the processor time and memory they use |
//! | [`wrong_values`] | wrong values for every option, and what the programs must say to them |
//! | [`greeting`] | a server's hello, for tests of the client's session |
//! | [`help`] | checks of `--help` and `--version` |
//! | [`relay`] | a network between two real programs that delays, drops, reorders and duplicates datagrams |
//! | `world` | two sessions over such a network in virtual time (feature `world`) |
//! | `picture_client` | a real client whose answers are pictures (feature `world`) |
//! | `slow_client` | a real client with a given detection time (feature `world`) |
//! | [`allocator`] | an allocator that counts |
//! | `namespaces` | two network namespaces joined by a cable (Linux, root) |
//! | [`picture`] | pictures of known truth for the detectors |
//! | [`python`] | Python environments |
//! | [`repository`] | files of the repository |
//! | [`peers`] | WebRTC peers that are not Plumb's |
//! | [`browser`] | a page in headless Chromium |
//! | [`certificates`] | certificates and keys, in files |
//! | [`corpus`] | the corpora of the fuzz targets |
//! | [`statistics`] | statistics of a sample |
//!
//! Helpers for tests panic and say why; helpers for benchmarks return errors. The library tests of a crate must not use
//! types of that same crate through this one, because they would be types of another compilation.

pub mod allocator;
pub mod browser;
pub mod certificates;
pub mod corpus;
pub mod ends;
pub mod folder;
pub mod greeting;
pub mod help;
#[cfg(target_os = "linux")]
pub mod namespaces;
pub mod peers;
pub mod picture;
#[cfg(feature = "world")]
pub mod picture_client;
pub mod processes;
pub mod program;
pub mod python;
pub mod relay;
pub mod report;
pub mod repository;
pub mod room;
#[cfg(feature = "world")]
pub mod slow_client;
pub mod statistics;
#[cfg(feature = "world")]
pub mod world;
pub mod wrong_values;
