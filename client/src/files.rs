//! Circle detection in image files.

use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use shared::image::{Image, file};
use shared::shell::exit::Exit;
use shared::shell::standard::reader_left;
use shared::text::Escaped;
use tracing::error;

use crate::cli::DetectArgs;
use crate::pipeline::Detector;

/// Result for one file.
#[derive(Debug, Serialize)]
struct Found {
    file: String,
    circle: Option<FoundCircle>,
    detect_us: Option<u64>,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct FoundCircle {
    x: f64,
    y: f64,
    radius: f64,
}

/// Processes the files one after the other. A file that cannot be read is reported, and the rest are still processed.
pub fn run(args: &DetectArgs) -> Exit {
    let mut detector = match args.detector.choice() {
        Ok(choice) => choice.build(),
        Err(wrong) => {
            error!("{wrong}");
            return Exit::Usage;
        }
    };
    let results = args.files.iter().map(|file| look(file, detector.as_mut()));
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

fn look(path: &Path, detector: &mut dyn Detector) -> Found {
    let found = |circle, detect_us, error| Found { file: path.display().to_string(), circle, detect_us, error };
    match file::read(path).map(Image::into_gray_levels) {
        Ok(gray) => {
            let start = Instant::now();
            let estimate = detector.detect(gray.view());
            let detect_us = u64::try_from(start.elapsed().as_micros()).ok();
            let circle = estimate.map(|estimate| estimate.circle);
            found(circle.map(|circle| FoundCircle { x: circle.x, y: circle.y, radius: circle.radius }), detect_us, None)
        }
        Err(error) => found(None, None, Some(error.to_string())),
    }
}

/// Prints one line per file. Returns whether all files could be read.
fn print_lines(results: impl Iterator<Item = Found>) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    let mut all_good = true;
    for Found { file, circle, detect_us, error } in results {
        if let Some(error) = error {
            all_good = false;
            error!("{file}: {error}");
            continue;
        }
        let (file, detect_us) = (Escaped(file), detect_us.unwrap_or_default());
        match circle {
            Some(FoundCircle { x, y, radius }) => {
                writeln!(stdout, "{file}: centre ({x:.3}, {y:.3}), radius {radius:.3} px, in {detect_us} µs")?;
            }
            None => writeln!(stdout, "{file}: no circle, in {detect_us} µs")?,
        }
    }
    Ok(all_good)
}

fn print_json(results: impl Iterator<Item = Found>) -> io::Result<bool> {
    let results: Vec<_> = results.collect();
    let mut stdout = io::stdout().lock();
    serde_json::to_writer_pretty(&mut stdout, &results)?;
    writeln!(stdout)?;
    Ok(results.iter().all(|found| found.error.is_none()))
}
