//! Faults of processes, networks and machines: every frame is accounted for, and each end says what happened.

#![cfg(unix)]

mod held_up;
mod killed;
#[cfg(target_os = "linux")]
mod partitions;
#[cfg(target_os = "linux")]
mod six;
