//! `server sweep` with the real program: plans, pipelines, resumed and killed sweeps, shards and merges.
#![cfg(feature = "parquet")]

mod pipelines;
mod plans;
mod room;
mod running;
mod shards;
mod table;
