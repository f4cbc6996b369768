//! Live delivery: a frame is worth sending for its lifetime, and no longer.

pub mod receiver;
pub mod rto;
pub mod sender;

mod lifetime;

pub use lifetime::{LEAST_LIFETIME, LONGEST_LIFETIME, bounded, lifetime};
