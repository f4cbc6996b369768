//! The receiver's half of live delivery.

pub mod arrivals;
pub mod replies;
