//! OpenCV, in a separate Python process. Frames go through a file that both map, requests and answers through pipes.
//!
//! The virtual environment is made once, in the target folder, from `requirements.txt`. The release is pinned to the
//! faster of the current two: 5.0.0 gives the same circles as 4.14.0 and takes up to 1.5 times as long.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::geometry::Size;
use tempfile::{NamedTempFile, TempDir};
use testkit::python::{Packages, PythonError};
use thiserror::Error;

/// Size, in bytes, above which the allocator would get memory from the system and return it every time. Set high,
/// because that would make OpenCV look three times slower than it is.
const NEVER_GIVE_BACK_BYTES: &str = "4000000000";

/// Why a request to OpenCV failed.
#[derive(Debug, Error)]
pub(crate) enum OpenCvError {
    /// The virtual environment could not be created.
    #[error(transparent)]
    Environment(#[from] PythonError),
    /// A file or pipe failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The process gave an unexpected answer.
    #[error("OpenCV's process answered {line:?}: {reason}")]
    Answer {
        /// What it said.
        line: String,
        /// What is wrong with it.
        reason: serde_json::Error,
    },
}

/// OpenCV's settings for finding circles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Setting {
    /// "gradient" or "alt".
    pub(crate) method: Method,
    /// Side and sigma of the Gaussian blur before the search, in px; `None` for no blur.
    pub(crate) blur: Option<(u32, f64)>,
    /// Pixels per cell of the accumulator.
    pub(crate) dp: f64,
    /// Smallest distance between two centres, in px.
    pub(crate) min_dist: f64,
    /// Canny's upper threshold.
    pub(crate) param1: f64,
    /// Votes a centre needs, or how perfect a circle of ALT must be.
    pub(crate) param2: f64,
}

/// OpenCV's two methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Method {
    /// `HOUGH_GRADIENT`.
    Gradient,
    /// `HOUGH_GRADIENT_ALT`.
    Alt,
}

/// The circle found in each frame, as x, y and radius in px, and the time taken.
#[derive(Debug, Deserialize)]
pub(crate) struct Answers {
    pub(crate) circles: Vec<Option<[f64; 3]>>,
    pub(crate) times_us: Vec<f64>,
}

/// A running OpenCV.
pub(crate) struct OpenCv {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    frames: NamedTempFile,
    /// The file in which arrays come back.
    pub(crate) folder: TempDir,
}

impl OpenCv {
    /// Starts OpenCV, and creates its environment first if needed.
    pub(crate) fn start() -> Result<Self, OpenCvError> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = tempfile::tempdir_in(target)?;
        let mut process = Command::new(Packages::OpenCv.python(target)?)
            .arg(here("opencv.py"))
            .env("MALLOC_MMAP_THRESHOLD_", NEVER_GIVE_BACK_BYTES)
            .env("MALLOC_TRIM_THRESHOLD_", NEVER_GIVE_BACK_BYTES)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let closed = || io::Error::new(io::ErrorKind::BrokenPipe, "OpenCV's process has no pipe");
        let requests = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().ok_or_else(closed)?);
        Ok(Self { process, requests, answers, frames: NamedTempFile::new_in(&folder)?, folder })
    }

    /// Hands over frames, one after the other. For timing, OpenCV copies them into its own memory.
    pub(crate) fn load(&mut self, frames: &[u8], size: Size, to_be_timed: bool) -> Result<(), OpenCvError> {
        // Never truncated: mapped memory must stay valid.
        self.frames.as_file().write_all_at(frames, 0)?;
        let request = json!({
            "op": "load", "file": self.frames.path(), "count": frames.len() / size.pixels().max(1),
            "width": size.width, "height": size.height, "copy": to_be_timed,
        });
        self.ask::<Value>(&request).map(|_| ())
    }

    /// The circles in the loaded frames, with radii within this range in px.
    pub(crate) fn detect(&mut self, setting: &Setting, radii: (u32, u32)) -> Result<Answers, OpenCvError> {
        self.detect_within(None, setting, radii)
    }

    /// Finds circles only up to the first frame that takes longer than this, in µs.
    pub(crate) fn detect_within(
        &mut self,
        limit_us: Option<f64>,
        setting: &Setting,
        (min, max): (u32, u32),
    ) -> Result<Answers, OpenCvError> {
        let radii = [min, max];
        self.ask(&json!({ "op": "detect", "setting": setting, "radii": radii, "limit_us": limit_us }))
    }

    /// OpenCV's version.
    pub(crate) fn version(&mut self) -> Result<String, OpenCvError> {
        let answer: Value = self.ask(&json!({ "op": "version" }))?;
        Ok(answer["version"].as_str().unwrap_or("?").to_owned())
    }

    /// Sends any request.
    pub(crate) fn ask<T: DeserializeOwned>(&mut self, request: &Value) -> Result<T, OpenCvError> {
        if let Some(requests) = &mut self.requests {
            writeln!(requests, "{request}")?;
            requests.flush()?;
        }
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(|reason| OpenCvError::Answer { line, reason })
    }
}

impl Drop for OpenCv {
    fn drop(&mut self) {
        // The process ends when its input ends.
        self.requests = None;
        let _ = self.process.wait();
    }
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/detector/opencv").join(name)
}
