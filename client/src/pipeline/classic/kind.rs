//! Makes a kind of pipeline from the detector `hough-classic`.

use super::detector::{Classic, NAME};
use crate::pipeline::circle::CircleKind;

/// The pipeline `hough-classic`.
pub const KIND: CircleKind =
    CircleKind { name: NAME, detector: |limits| Box::new(Classic::new(limits)), counting: None };
