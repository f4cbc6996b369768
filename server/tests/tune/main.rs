//! `server tune` with the real programs: plans, searches that are killed, what they find, and who reads it.
#![cfg(feature = "parquet")]

mod examples;
mod plans;
mod room;
mod running;
#[path = "../sweep/table.rs"]
mod table;
mod used;
