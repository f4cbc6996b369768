//! Flow: when a frame may be sent, and when a peer counts as gone.
//!
//! [`pacer`] says when the next frame is due, [`window`] whether one more may be unanswered. [`live`] repairs the losses of
//! live delivery. [`clock`] says how the peer's clock relates to ours from the pings of [`heartbeat`], [`liveness`] whether
//! the peer is still there; a [`verdict`] waits until what has arrived was read. All are plain state driven by `now`.

pub mod clock;
pub mod heartbeat;
pub mod live;
pub mod liveness;
pub mod pacer;
pub mod verdict;
pub mod window;
