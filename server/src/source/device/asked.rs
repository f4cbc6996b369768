//! What a run asks of a camera, and what it gets.

use std::path::PathBuf;
use std::sync::Arc;

use shared::geometry::Size;
use shared::image::PixelFormat;

use super::hub::Hub;
use super::layout::FourCc;

/// What a run asks of a camera.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) path: PathBuf,
    pub(super) size: Option<Size>,
    pub(super) format: Option<FourCc>,
    pub(super) pixel: PixelFormat,
    pub(super) rate_hz: Option<f64>,
}

/// A camera that is being read.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) hub: Arc<Hub>,
    pub(super) size: Size,
    /// Its rate in frames per second, if the driver says so.
    pub(super) rate_hz: Option<f64>,
}
