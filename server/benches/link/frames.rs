//! The frames that all contenders carry: those that the server sends with the same seed.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use server::camera::CameraConfig;
use server::scene::{BallConfig, Radii};
use server::source::{BallScene, Motion, UNPACED_STEP_S};
use shared::geometry::Size;
use shared::image::PixelFormat;

/// The seed of every run.
pub(crate) const SEED: u64 = 5;

/// Total bytes of the frames, which are sent in a loop. That is more than the caches hold, but quick to render.
const BYTES: usize = 64 << 20;

/// A file of frames.
pub(crate) struct Frames {
    /// The file, with the frames one after another.
    pub(crate) file: PathBuf,
    /// Size of each frame.
    pub(crate) size: Size,
}

impl Frames {
    /// The frames of this size. They are rendered unless the file exists.
    pub(crate) fn of(size: Size, folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let file = folder.join(format!("{size}.gray8"));
        if !file.exists() {
            let ball = BallConfig {
                size,
                radius: Radii { min: 20.0, max: 20.0 },
                speed_px_s: 200.0,
                step_s: UNPACED_STEP_S,
                border: false,
            };
            let (camera, pixel) = (CameraConfig::default(), PixelFormat::Gray8);
            let mut source = BallScene { ball, motion: Motion::Bouncing, camera, pixel, seed: SEED }.source()?;
            let mut out = BufWriter::new(File::create(&file)?);
            for index in 0..(BYTES / size.pixels()).max(1) {
                out.write_all(source.frame(index as u64).image.bytes())?;
            }
            out.flush()?;
        }
        Ok(Self { file, size })
    }

    /// Bytes per frame.
    pub(crate) fn frame_bytes(&self) -> usize {
        self.size.pixels()
    }
}

/// Reads a file of frames.
pub(crate) fn read(file: &Path, frame_bytes: usize) -> std::io::Result<Vec<Vec<u8>>> {
    Ok(fs::read(file)?.chunks_exact(frame_bytes).map(<[u8]>::to_vec).collect())
}
