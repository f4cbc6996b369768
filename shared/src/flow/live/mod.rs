//! Live delivery: a frame is worth sending for its lifetime, and no longer.
//!
//! The link sends each packet once. Losses are repaired here, between the two ends of a session.
//!
//! - A frame has a [`lifetime`](lifetime()), which starts at its capture. Pieces not delivered within it are given up.
//! - The [`Receiver`] notices missing pieces when later ones arrive, and sends a *retransmission request*.
//! - The [`Sender`] keeps the pieces of frames that are alive and *retransmits* requested pieces, within a budget.
//! - An answer *acknowledges* its frame. The receiver repeats each acknowledgement in its next messages, in case one is
//!   lost.
//! - Nothing shows the loss of a last piece, a request or an acknowledgement. So if no acknowledgement arrives within
//!   the *retransmission timeout* (RTO), the sender sends a *probe*: one piece once more. The receiver then requests
//!   the pieces it lacks, or repeats its acknowledgement.
//!
//! Both halves are plain state driven by `now`. The sessions carry their messages.

mod lifetime;
mod receiver;
mod rto;
mod sender;

pub use lifetime::{LEAST_LIFETIME, LONGEST_LIFETIME, bounded, lifetime};
pub use receiver::Receiver;
pub use sender::{KeptPiece, Sender};
