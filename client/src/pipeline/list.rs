//! Lists all pipelines. This is the only list of them.

use super::circle::CircleKind;
use super::seam::PipelineKind;
use super::{ack, annotate, classic, edges, hough};

/// Pipelines that find a circle. The first is the default.
pub(super) static DETECTORS: [CircleKind; 2] = [hough::KIND, classic::KIND];

/// Pipelines that do other tasks.
static OTHERS: [&dyn PipelineKind; 3] = [&ack::KIND, &annotate::KIND, &edges::KIND];

/// All kinds of pipelines. For a task, `auto` takes the first kind that can do it.
pub fn kinds() -> impl Iterator<Item = &'static dyn PipelineKind> {
    DETECTORS.iter().map(|kind| -> &dyn PipelineKind { kind }).chain(OTHERS)
}
