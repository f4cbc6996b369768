//! The list of all sources.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::text::Brief;

use super::ball::{self, BallKind};
use super::depth::{self, DepthKind};
use super::device::{self, DeviceKind};
use super::error::SourceError;
use super::images::ImagesKind;
use super::seam::{SourceKind, StreamFormat, Supply};
use super::truthed;
use super::video::VideoKind;
use crate::run::{FrameRate, RunSpec};

/// How much of the written text to show: enough to recognise it.
const SHOWN_CHARACTERS: usize = 60;

/// All kinds of sources. The first that accepts the written text is used.
static SOURCES: &[&dyn SourceKind] = &[
    &BallKind,
    &DepthKind,
    &DeviceKind,
    &ImagesKind,
    #[cfg(feature = "mcap")]
    &super::mcap::McapKind,
    &VideoKind,
];

/// The supply of frames for the run.
///
/// # Errors
/// [`SourceError`] if no source matches `--source`, or if the source cannot supply what the run asks for.
pub fn supply(run: &RunSpec) -> Result<Box<dyn Supply>, SourceError> {
    let kind = SOURCES.iter().find(|kind| kind.is_meant(&run.sent.source));
    let is_there = Path::new(&run.sent.source).exists();
    let why = if is_there { "is neither a file nor a folder" } else { "is not a source, a file or a folder" };
    let unknown =
        || SourceError::Unknown { got: Brief(&run.sent.source, SHOWN_CHARACTERS).to_string(), why, right: usages() };
    if run.sent.depth_noise != 0.0 && run.sent.source != depth::NAME {
        return Err(SourceError::OnlyDepth);
    }
    if run.sent.device_format.is_some() && !device::is_meant(&run.sent.source) {
        return Err(SourceError::OnlyDevice);
    }
    if run.sent.topic.is_some() && !is_mcap(&run.sent.source) {
        return Err(SourceError::OnlyMcap);
    }
    let supply = truthed::with_truth(kind.ok_or_else(unknown)?.supply(run)?, run)?;
    if run.sent.fps == Some(FrameRate::OfSource) && supply.rate_hz().is_none() {
        return Err(SourceError::NoRate { source_name: run.sent.source.clone() });
    }
    Ok(supply)
}

/// Completes a run with its seed and its metadata, and with the size, pixel format, task and rate that its source gives.
/// Returns the source's supply of frames too.
///
/// # Errors
/// As [`supply`]; [`SourceError::Meta`] and [`SourceError::Lens`] if the metadata or the file of the lens is refused.
pub fn settled(spec: RunSpec) -> Result<(RunSpec, Arc<dyn Supply>), SourceError> {
    let spec = spec.with_seed().with_meta()?;
    // Other sources refuse a lens, so its file is not read for them.
    let spec = if spec.sent.source == ball::NAME { spec.with_lens()? } else { spec };
    let supply = supply(&spec)?;
    let StreamFormat { size, pixel } = supply.format();
    let mut unused = supply.unused_options();
    if spec.sent.source != depth::NAME {
        unused.push("depth_noise".into());
    }
    if !device::is_meant(&spec.sent.source) {
        unused.push("device_format".into());
    }
    if !is_mcap(&spec.sent.source) {
        unused.push("topic".into());
    }
    let spec = spec.of_source(size, pixel, supply.default_task(), supply.rate_hz()).without(unused);
    Ok((spec, supply.into()))
}

/// Whether the text after `--source` means a source that computes its frames. Opens nothing.
pub(crate) fn is_computed(text: &str) -> bool {
    SOURCES.iter().find(|kind| kind.is_meant(text)).is_some_and(|kind| kind.is_computed())
}

/// The files that the text after `--source` means: none of a source that computes its frames, each image of a folder or
/// a pattern. Opens nothing.
pub(crate) fn files(text: &str) -> Vec<PathBuf> {
    SOURCES.iter().find(|kind| kind.is_meant(text)).map(|kind| kind.files(text)).unwrap_or_default()
}

/// Whether the text after `--source` means a source that is no file, even if a file has this name.
pub(crate) fn is_no_file(text: &str) -> bool {
    is_computed(text) || device::is_meant(text)
}

/// Whether the text names an MCAP file.
fn is_mcap(text: &str) -> bool {
    #[cfg(feature = "mcap")]
    {
        super::mcap::is_meant(text)
    }
    #[cfg(not(feature = "mcap"))]
    {
        let _ = text;
        false
    }
}

fn usages() -> String {
    let usages: Vec<_> = SOURCES.iter().map(|kind| kind.usage()).collect();
    usages.join(", or ")
}
