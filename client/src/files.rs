//! Circle detection in image files.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use ndarray::ArrayView2;
use serde::Serialize;
use shared::geometry::{Circle, Size};
use shared::image::file::{self, ImageFileError, Picture};
use shared::shell::exit::Exit;
use shared::shell::standard::reader_left;
use shared::text::Escaped;
use tracing::{debug, error};

use crate::cli::DetectArgs;
use crate::pipeline::{Detector, DetectorOfAll, Estimate, PipelineError, RadiusLimits};

/// The name that means the standard input.
const STDIN: &str = "-";

/// Result for one file.
#[derive(Debug, Serialize)]
struct Found {
    file: String,
    #[serde(flatten)]
    seen: Seen,
    detect_us: Option<u64>,
    /// Smallest and largest radius that were looked for, in px. `None` if no radius fits, or without a picture.
    radii: Option<[f64; 2]>,
    error: Option<String>,
}

/// The circle that was found, or all circles. `None` if none was found, or the file could not be read.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Seen {
    One { circle: Option<FoundCircle> },
    All { circles: Option<Vec<FoundCircle>> },
}

#[derive(Debug, Serialize)]
struct FoundCircle {
    x: f64,
    y: f64,
    radius: f64,
    /// Half-axes in px and the direction of the longer one in radians, if the outline is an ellipse.
    #[serde(skip_serializing_if = "Option::is_none")]
    axes: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    angle: Option<f64>,
}

/// The detector that looks at the files.
enum Looker {
    One(Box<dyn Detector>),
    All(Box<dyn DetectorOfAll>, Vec<Estimate>),
}

/// Processes the files one after the other. A file that cannot be read is reported, and the rest are still processed.
pub fn run(args: &DetectArgs) -> Exit {
    let mut looker = match Looker::new(args) {
        Ok(looker) => looker,
        Err(wrong) => {
            error!("{wrong}");
            return Exit::Usage;
        }
    };
    let limits = args.detector.radii.limits();
    let results = args.files.iter().map(|file| look(file, &mut looker, limits));
    match if args.json { print_json(results) } else { print_lines(results) } {
        Ok(true) => Exit::Fine,
        Ok(false) => Exit::Other,
        Err(wrong) if reader_left(&wrong) => Exit::Fine,
        Err(wrong) => {
            error!("cannot write the results: {wrong}");
            Exit::Other
        }
    }
}

impl Looker {
    fn new(args: &DetectArgs) -> Result<Self, PipelineError> {
        let choice = args.detector.choice()?;
        if args.all { Ok(Self::All(choice.build_all()?, Vec::new())) } else { Ok(Self::One(choice.build())) }
    }

    fn look(&mut self, gray: ArrayView2<'_, u8>) -> Seen {
        match self {
            Self::One(detector) => Seen::One { circle: detector.detect(gray).map(FoundCircle::of) },
            Self::All(detector, found) => {
                detector.detect_all(gray, found);
                Seen::All { circles: Some(found.iter().copied().map(FoundCircle::of).collect()) }
            }
        }
    }

    fn nothing(&self) -> Seen {
        match self {
            Self::One(_) => Seen::One { circle: None },
            Self::All(..) => Seen::All { circles: None },
        }
    }
}

impl FoundCircle {
    fn of(Estimate { circle: Circle { x, y, radius }, ellipse, .. }: Estimate) -> Self {
        Self { x, y, radius, axes: ellipse.map(|ellipse| ellipse.axes), angle: ellipse.map(|ellipse| ellipse.angle) }
    }
}

fn look(path: &Path, looker: &mut Looker, limits: RadiusLimits) -> Found {
    let found =
        |seen, detect_us, radii, error| Found { file: path.display().to_string(), seen, detect_us, radii, error };
    match read(path) {
        Ok(Picture { image, changes }) => {
            changes.iter().for_each(|change| debug!("{}: {change}", path.display()));
            let gray = image.into_gray_levels();
            let start = Instant::now();
            let seen = looker.look(gray.view());
            let detect_us = u64::try_from(start.elapsed().as_micros()).ok();
            let size = Size { width: gray.ncols() as u32, height: gray.nrows() as u32 };
            found(seen, detect_us, limits.range(size).map(|range| [range.min(), range.max()]), None)
        }
        Err(error) => found(looker.nothing(), None, None, Some(error.to_string())),
    }
}

/// Reads a file, or the standard input.
fn read(path: &Path) -> Result<Picture, ImageFileError> {
    if path == Path::new(STDIN) { file::read_stream(io::stdin().lock()) } else { file::read_picture(path) }
}

/// Prints one line per file, and a line per circle if all are asked for. Returns whether all files could be read.
fn print_lines(results: impl Iterator<Item = Found>) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    let mut all_good = true;
    for Found { file, seen, detect_us, radii, error } in results {
        if let Some(error) = error {
            all_good = false;
            error!("{file}: {error}");
            continue;
        }
        let (file, detect_us) = (Escaped(file), detect_us.unwrap_or_default());
        match seen {
            Seen::One { circle: Some(circle) } => writeln!(stdout, "{file}: {circle}, in {detect_us} µs")?,
            Seen::One { circle: None } => {
                writeln!(stdout, "{file}: no circle{}, in {detect_us} µs", of_radii(radii))?;
            }
            Seen::All { circles } => {
                let circles = circles.unwrap_or_default();
                let looked_for = if circles.is_empty() { of_radii(radii) } else { String::new() };
                writeln!(stdout, "{file}: {}{looked_for}, in {detect_us} µs", in_words(circles.len()))?;
                circles.iter().try_for_each(|circle| writeln!(stdout, "{file}: {circle}"))?;
            }
        }
    }
    Ok(all_good)
}

/// The radii that were looked for.
fn of_radii(radii: Option<[f64; 2]>) -> String {
    radii.map_or_else(String::new, |[min, max]| format!(" of radius {min:.1} to {max:.1} px"))
}

fn in_words(circles: usize) -> String {
    match circles {
        0 => "no circle".into(),
        1 => "1 circle".into(),
        n => format!("{n} circles"),
    }
}

impl fmt::Display for FoundCircle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { x, y, radius, axes, angle } = self;
        write!(f, "centre ({x:.3}, {y:.3}), radius {radius:.3} px")?;
        let (Some([a, b]), Some(angle)) = (axes, angle) else { return Ok(()) };
        write!(f, ", half-axes {a:.3} and {b:.3} px at {:.1}°", angle.to_degrees())
    }
}

fn print_json(results: impl Iterator<Item = Found>) -> io::Result<bool> {
    let results: Vec<_> = results.collect();
    let mut stdout = io::stdout().lock();
    serde_json::to_writer_pretty(&mut stdout, &results)?;
    writeln!(stdout)?;
    Ok(results.iter().all(|found| found.error.is_none()))
}
