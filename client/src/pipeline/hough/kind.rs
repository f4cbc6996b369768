//! The detector as a kind of pipeline.

use super::detector::{Hough, NAME};
use crate::pipeline::circle::CircleKind;

/// The pipeline `hough`.
pub const KIND: CircleKind = CircleKind { name: NAME, detector: |limits| Box::new(Hough::new(limits)) };
