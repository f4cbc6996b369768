//! Flow: when a frame may be sent, and when a peer counts as gone.
//!
//! [`pacer`] decides when the next frame is due. [`window`] limits how many frames may be unanswered. [`live`] repairs
//! the losses of live delivery. [`clock`] estimates the offset of the peer's clock from the pings of [`heartbeat`].
//! [`liveness`] decides whether the peer is still there. A [`budget`] limits how often something happens. A [`verdict`]
//! waits until everything that has arrived was read. All are plain state driven by `now`.

pub mod budget;
pub mod clock;
pub mod heartbeat;
pub mod live;
pub mod liveness;
pub mod pacer;
pub mod verdict;
pub mod window;
