//! The pipelines there are: the one place where all of them are listed.

use super::ack;
use super::circle::CircleKind;
use super::seam::PipelineKind;
use super::{classic, hough};

/// Those that find a circle; the first is the default.
pub(super) static DETECTORS: [CircleKind; 2] = [hough::KIND, classic::KIND];

/// Those that do something else.
static OTHERS: [&dyn PipelineKind; 1] = [&ack::KIND];

/// All kinds of pipelines. Of those that can do a task, the first is the one that `auto` takes.
pub fn kinds() -> impl Iterator<Item = &'static dyn PipelineKind> {
    DETECTORS.iter().map(|kind| -> &dyn PipelineKind { kind }).chain(OTHERS)
}
