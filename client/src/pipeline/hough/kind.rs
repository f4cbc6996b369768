//! The detector as a kind of pipeline.

use super::detector::{Hough, NAME};
use crate::pipeline::circle::CircleKind;
use crate::pipeline::count::CountKind;

/// The pipeline `hough`. It does the tasks `circle` and `count`.
pub const KIND: CircleKind =
    CircleKind { name: NAME, detector: |limits| Box::new(Hough::new(limits)), counting: Some(&COUNTING) };

/// What `hough` does for the task `count`.
static COUNTING: CountKind = CountKind { name: NAME, detector: |limits| Box::new(Hough::new(limits)) };
