//! Faults of processes, networks and machines: every frame is accounted for, and each end says what happened.

#![cfg(unix)]

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod clocks;
mod held_up;
mod killed;
#[cfg(target_os = "linux")]
mod partitions;
#[cfg(target_os = "linux")]
mod six;

/// The links between two programs.
const LINKS: [&str; 3] = ["webrtc", "tcp", "grpc"];

/// Runs a test over every link at the same time.
fn over_every_link(of: impl Fn(&str) + Sync) {
    std::thread::scope(|scope| {
        for link in LINKS {
            let of = &of;
            scope.spawn(move || of(link));
        }
    });
}
