//! The sources there are.

use std::path::Path;

use shared::text::Brief;

use super::ball::BallKind;
use super::error::SourceError;
use super::images::ImagesKind;
use super::seam::{SourceKind, Supply};
use crate::run::RunSpec;

/// Enough of what was written to know it again.
const SHOWN_CHARACTERS: usize = 60;

/// All kinds of sources; the first that takes what was written is meant.
static SOURCES: [&dyn SourceKind; 2] = [&BallKind, &ImagesKind];

/// The supply of frames that the run asks for.
///
/// # Errors
/// [`SourceError`] where no source is meant by `--source`, or the one that is cannot be what the run asks for.
pub fn supply(run: &RunSpec) -> Result<Box<dyn Supply>, SourceError> {
    let kind = SOURCES.iter().find(|kind| kind.is_meant(&run.sent.source));
    let why = if Path::new(&run.sent.source).is_file() { "is a single file" } else { "is no source and no folder" };
    let unknown =
        || SourceError::Unknown { got: Brief(&run.sent.source, SHOWN_CHARACTERS).to_string(), why, right: usages() };
    kind.ok_or_else(unknown)?.supply(run)
}

fn usages() -> String {
    let usages: Vec<_> = SOURCES.iter().map(|kind| kind.usage()).collect();
    usages.join(", or ")
}
