//! Live delivery: a frame is worth sending for its lifetime, and no longer.
//!
//! The link sends each packet once; what repairs a loss is here, between the two ends of a session.
//!
//! - A frame has a [`lifetime`](lifetime()) from its capture on. What is not delivered within it is given up.
//! - The [`Receiver`] sees that pieces are missing, by what comes after them, and sends a *retransmission request*.
//! - The [`Sender`] keeps the pieces of frames that are alive and *retransmits* those requested, within a budget.
//! - An answer *acknowledges* its frame. The receiver repeats each acknowledgement in its next messages, as it may be lost.
//! - A lost last piece, request or acknowledgement shows by nothing. So where the acknowledgement stays out for the
//!   *retransmission timeout* (RTO), the sender sends a *probe*: one piece once more. The receiver then
//!   requests what it lacks, or repeats its acknowledgement.
//!
//! Both halves are plain state driven by `now`; the sessions carry their messages.

mod lifetime;
mod receiver;
mod rto;
mod sender;

pub use lifetime::{LEAST_LIFETIME, LONGEST_LIFETIME, bounded, lifetime};
pub use receiver::Receiver;
pub use sender::{KeptPiece, Sender};
