//! The folder that `--out` names: the files of a result, and whose files they would replace.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use shared::text::Escaped;

use super::error::CalibrateError;

/// The correction that `client --correct` reads.
pub(super) const CORRECTION: &str = "correction.toml";

/// The result as JSON.
pub(super) const RESULT: &str = "calibration.json";

/// The result for people.
pub(super) const PAGE: &str = "calibration.html";

/// The camera, as OpenCV and ROS read it.
pub(super) const CAMERA: &str = "camera.yaml";

/// The files, each with words that every one has that `calibrate` wrote.
const FILES: [(&str, &str); 4] = [
    (CORRECTION, "# A correction of Plumb"),
    (RESULT, "\"sigma_from\":"),
    (PAGE, "<title>Calibration: "),
    (CAMERA, "plumb_model:"),
];

/// How much of a file is searched for these words: more than comes before them in any of these files.
const SEARCHED_BYTES: u64 = 4 << 20;

/// The paths of the files.
pub(super) fn files(folder: &Path) -> [PathBuf; 4] {
    FILES.map(|(name, _)| folder.join(name))
}

/// Checks that every file of these names was written by `calibrate`: `camera.yaml`, for example, is the usual name of a
/// camera that somebody calibrated with ROS. An empty file may be replaced too.
///
/// # Errors
/// The first file that somebody else wrote.
pub(super) fn check(folder: &Path) -> Result<(), CalibrateError> {
    for (name, words) in FILES {
        let path = folder.join(name);
        if fs::symlink_metadata(&path).is_ok() && !is_ours(&path, words).unwrap_or(false) {
            let path = Escaped(path.display());
            let wrong = format!("--out: {path} was not written by calibrate: name another folder, or move this file");
            return Err(CalibrateError::Usage(wrong));
        }
    }
    Ok(())
}

fn is_ours(path: &Path, words: &str) -> io::Result<bool> {
    if !path.metadata()?.is_file() {
        return Ok(false);
    }
    let mut start = Vec::new();
    File::open(path)?.take(SEARCHED_BYTES).read_to_end(&mut start)?;
    Ok(start.is_empty() || start.windows(words.len()).any(|window| window == words.as_bytes()))
}
