//! Real pictures: what the detector finds in them at its default options, against a list that people reviewed.
//!
//! `reviewed.csv` lists what the pictures show: all coins of `coins`, all whole sweets of `smarties`, and in the other
//! pictures each find that a person has confirmed in the drawing of `client detect --all --draw`. A find that is not on
//! the list needs a person to look at it. `fetch.py` gets the pictures; they are not part of the repository.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use client::pipeline::{DetectorChoice, DetectorOfAll, Estimate, RadiusLimits, hough};
use ndarray::{Array2, s};
use shared::image::file;

use crate::failure::Failure;

/// Largest distance of a find from its place on the list, in px. The sweets are up to 3.1 px from their places.
const SAME_PX: f64 = 4.0;

/// The pictures by file, and whether tiles of them are tried too.
const PICTURES: [(&str, bool); 11] = [
    ("coins.png", false),
    ("smarties.png", false),
    ("astronaut.png", false),
    ("camera.png", false),
    ("chelsea.png", false),
    ("page.png", false),
    ("text.png", false),
    ("rocket.jpg", false),
    ("brick.png", true),
    ("grass.png", true),
    ("gravel.png", true),
];

/// Side of a tile, and the distance between tiles, in px: 81 tiles of 512x512.
const TILE: usize = 200;
const STRIDE: usize = 39;

/// The table of all pictures.
pub(crate) fn table() -> Result<String, Failure> {
    let folder = fetched()?;
    let mut detector = DetectorChoice::new(hough::NAME, RadiusLimits::default())?.build_all()?;
    let mut out = String::from("| picture | on the list | found of it | others | ms |\n|---|---|---|---|---|\n");
    let mut unknown = String::new();
    for (name, has_tiles) in PICTURES {
        let gray = file::read_any(&folder.join(name))?.into_gray_levels();
        let stem = name.split('.').next().unwrap_or(name);
        let list = reviewed(stem);
        let start = Instant::now();
        let found = finds(detector.as_mut(), &gray);
        let ms = start.elapsed().as_secs_f64() * 1e3;
        let is_at = |one: &Estimate, at: &(f64, f64)| (one.circle.x - at.0).hypot(one.circle.y - at.1) <= SAME_PX;
        let known = list.iter().filter(|at| found.iter().any(|one| is_at(one, at))).count();
        let others: Vec<_> = found.iter().filter(|one| !list.iter().any(|at| is_at(one, at))).collect();
        writeln!(out, "| {stem} | {} | {known} | {} | {ms:.0} |", list.len(), others.len())?;
        others.iter().try_for_each(|one| writeln!(unknown, "- {stem}: {:?} {:?}", one.circle, one.ellipse))?;
        if has_tiles {
            let (tiles, with) = tiles(detector.as_mut(), &gray);
            writeln!(out, "| {stem}, {tiles} tiles of {TILE}x{TILE} | 0 | 0 | {with} | |")?;
        }
    }
    if !unknown.is_empty() {
        write!(out, "\nNot on the list:\n\n{unknown}")?;
    }
    Ok(out)
}

/// The folder with the pictures, which are fetched once.
fn fetched() -> Result<PathBuf, Failure> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    if PICTURES.iter().any(|(name, _)| !folder.join(name).exists()) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/detector/pictures/fetch.py");
        let ended = Command::new("python3").arg(script).arg(&folder).status()?;
        if !ended.success() {
            return Err(
                "the pictures could not be fetched: pip, apt-get and dpkg-deb are needed, and their indexes".into()
            );
        }
    }
    Ok(folder)
}

/// What is on the list of a picture.
fn reviewed(picture: &str) -> Vec<(f64, f64)> {
    let place = |line: &str| {
        let mut cells = line.split(',');
        (cells.next()? == picture).then_some(())?;
        Some((cells.next()?.parse().ok()?, cells.next()?.parse().ok()?))
    };
    include_str!("reviewed.csv").lines().filter_map(place).collect()
}

fn finds(detector: &mut dyn DetectorOfAll, gray: &Array2<u8>) -> Vec<Estimate> {
    let mut found = Vec::new();
    detector.detect_all(gray.view(), &mut found);
    found
}

/// The number of tiles of a picture, and of those in which something is found.
fn tiles(detector: &mut dyn DetectorOfAll, gray: &Array2<u8>) -> (usize, usize) {
    let (height, width) = gray.dim();
    let starts = |side: usize| (0..=side.saturating_sub(TILE)).step_by(STRIDE);
    let all: Vec<_> = starts(height).flat_map(|y| starts(width).map(move |x| (x, y))).collect();
    let mut found = Vec::new();
    let with = all.iter().filter(|(x, y)| {
        detector.detect_all(gray.slice(s![*y..y + TILE, *x..x + TILE]), &mut found);
        !found.is_empty()
    });
    let with = with.count();
    (all.len(), with)
}
