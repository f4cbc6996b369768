//! Detection in image files.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::time::Instant;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use ndarray::Array2;
use serde::Serialize;
use shared::geometry::MAX_SIDE;
use shared::image::gray_level;
use shared::shell::exit::Exit;
use thiserror::Error;
use tracing::error;

use crate::cli::DetectArgs;
use crate::pipeline::Detector;

/// The most memory a decoder may take, in bytes: 8192x8192 pixels of four channels, twice.
const DECODER_BYTES: u64 = 512 << 20;

/// Why a file was not looked at.
#[derive(Debug, Error)]
enum FileError {
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    #[error("it is a directory: name the files in it")]
    Directory,
    #[error("not an image this reads (PNG, JPEG, PGM)")]
    NotAnImage,
    #[error("{width}x{height} px is too large: each side may be up to {MAX_SIDE} px")]
    TooLarge { width: u32, height: u32 },
    #[error("{0} pixels are not supported: 8 bits a channel, gray or colour, without alpha")]
    Pixels(String),
    #[error("damaged or cut short: {0}")]
    Damaged(image::ImageError),
}

/// A file's result.
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

/// Looks at each file in turn; a bad one is reported, the others are done.
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
        Err(wrong) => {
            error!("cannot write the results: {wrong}");
            Exit::Other
        }
    }
}

fn look(file: &Path, detector: &mut dyn Detector) -> Found {
    let found = |circle, detect_us, error| Found { file: file.display().to_string(), circle, detect_us, error };
    match read(file) {
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

/// Prints a line a file; whether all files were good.
fn print_lines(results: impl Iterator<Item = Found>) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    let mut all_good = true;
    for Found { file, circle, detect_us, error } in results {
        if let Some(error) = error {
            all_good = false;
            error!("{file}: {error}");
            continue;
        }
        let detect_us = detect_us.unwrap_or_default();
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

fn read(path: &Path) -> Result<Array2<u8>, FileError> {
    if path.is_dir() {
        return Err(FileError::Directory);
    }
    let mut reader = ImageReader::new(BufReader::new(File::open(path)?)).with_guessed_format()?;
    let known = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Pnm];
    if !reader.format().is_some_and(|format| known.contains(&format)) {
        return Err(FileError::NotAnImage);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODER_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(FileError::Damaged)?;
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(FileError::TooLarge { width, height });
    }
    gray(DynamicImage::from_decoder(decoder).map_err(FileError::Damaged)?)
}

fn gray(image: DynamicImage) -> Result<Array2<u8>, FileError> {
    let (rows, columns) = (image.height() as usize, image.width() as usize);
    let levels = match image {
        DynamicImage::ImageLuma8(image) => image.into_raw(),
        DynamicImage::ImageRgb8(image) => image.pixels().map(|p| gray_level([p.0[2], p.0[1], p.0[0]])).collect(),
        other => return Err(FileError::Pixels(format!("{:?}", other.color()))),
    };
    let damaged = |error| FileError::Io(io::Error::new(io::ErrorKind::InvalidData, error));
    Array2::from_shape_vec((rows, columns), levels).map_err(damaged)
}
