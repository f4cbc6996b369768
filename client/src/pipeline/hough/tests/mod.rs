//! Tests of the detector on frames of known truth.

mod accuracy;
mod all;
mod empty;
mod fixtures;
mod hidden;
mod light;
mod machines;
mod repeatable;
mod sizes;
