//! Tries the detector with changed constants, on the same frames. For a copy that `bench/constants/vary.py` prepared.
//!
//! Reads settings from the file named by `VARY`: a constant's number and the factor to change it by, one pair a line.
//! Prints a row of CSV for each, the first one without a change.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use client::pipeline::hough::{self, vary};
use client::pipeline::{DetectorChoice, RadiusLimits};
use ndarray::Array2;
use shared::geometry::Size;
use shared::image::file;

use crate::accuracy::ours;
use crate::batch::{Batch, Purpose};
use crate::conditions;
use crate::failure::Failure;
use crate::marks::{Figures, Marks};

/// Frames of each condition with a disc if `VARY_FRAMES` does not say; of empty ones, twice as many.
const FRAMES: u64 = 60;

/// Real pictures in the folder `VARY_PICTURES`: with discs, and without.
const WITH: [&str; 2] = ["coins.png", "smarties.png"];
const WITHOUT: [&str; 3] = ["brick.png", "grass.png", "gravel.png"];

struct Sample {
    conditions: Vec<(String, Batch)>,
    with: Vec<Array2<u8>>,
    without: Vec<Array2<u8>>,
}

struct Outcome {
    figures: Vec<Figures>,
    finds: usize,
    others: usize,
}

/// Runs the settings. Returns whether there were any.
pub(crate) fn run() -> Result<bool, Failure> {
    let Some(settings) = env::var_os("VARY") else { return Ok(false) };
    let began = Instant::now();
    let number = |name: &str, none: u64| env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(none);
    let sample = sample(number("VARY_FRAMES", FRAMES))?;
    let until = Duration::from_secs(number("VARY_SECONDS", u64::MAX / 4));
    eprintln!("{} conditions after {:.0} s", sample.conditions.len(), began.elapsed().as_secs_f64());
    let basis = try_all(&sample).ok_or("the detector panicked")?;
    let mut out = io::stdout().lock();
    writeln!(out, "number,constant,factor,missed,false,coins,others,worse,details")?;
    writeln!(out, ",,1,{}", row(&basis, &basis, &sample))?;
    for line in fs::read_to_string(settings)?.lines() {
        let mut cells = line.split_whitespace();
        let (Some(Ok(at)), Some(Ok(factor))) =
            (cells.next().map(str::parse::<usize>), cells.next().map(str::parse::<f64>))
        else {
            continue;
        };
        if began.elapsed() > until {
            eprintln!("out of time before {line}");
            break;
        }
        vary::set(at, factor);
        let found = try_all(&sample);
        vary::set(at, 1.0);
        let row = found.map_or_else(|| "panicked".into(), |found| row(&found, &basis, &sample));
        writeln!(out, "{at},{},{factor},{row}", vary::NAMES[at].replace(',', ";"))?;
        out.flush()?;
    }
    Ok(true)
}

fn sample(frames: u64) -> Result<Sample, Failure> {
    let chosen: Vec<_> = conditions::all()
        .into_iter()
        .filter(|condition| condition.size() == Size { width: 640, height: 480 })
        .filter(|condition| env::var("VARY_ONLY").map_or(true, |only| condition.name.contains(&only)))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, Batch)>, String> {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(condition) = chosen.get(at) else { return Ok(done) };
            let count = if condition.is_empty() { 2 * frames } else { frames };
            let first = env::var("VARY_FIRST").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
            let batch =
                Batch::render(condition, Purpose::Tune, first..first + count).map_err(|error| error.to_string())?;
            done.push((at, batch));
        }
    };
    let parts: Result<Vec<_>, String> = thread::scope(|scope| {
        let all = [scope.spawn(work), scope.spawn(work)];
        all.into_iter().map(|one| one.join().unwrap_or_else(|_| Err("a thread panicked".into()))).collect()
    });
    let mut all: Vec<_> = parts?.into_iter().flatten().collect();
    all.sort_by_key(|(at, _)| *at);
    let pictures = |names: &[&str]| -> Result<Vec<Array2<u8>>, Failure> {
        let Some(folder) = env::var_os("VARY_PICTURES") else { return Ok(Vec::new()) };
        names.iter().map(|name| Ok(file::read_any(&Path::new(&folder).join(name))?.into_gray_levels())).collect()
    };
    let conditions = all.into_iter().map(|(at, batch)| (chosen[at].name.clone(), batch)).collect();
    Ok(Sample { conditions, with: pictures(&WITH)?, without: pictures(&WITHOUT)? })
}

/// The outcome of the whole sample; `None` if the detector panicked.
fn try_all(sample: &Sample) -> Option<Outcome> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        let mut detector = ours().ok()?;
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((_, batch)) = sample.conditions.get(at) else { return Some(done) };
            let mut marks = Marks::default();
            for (shot, frame) in batch.frames() {
                let found = detector.detect(frame);
                marks.add(shot, found.map(|found| found.circle), found.and_then(|found| found.covariance));
            }
            done.push((at, marks.figures()));
        }
    };
    let pictures = || {
        let mut detector = DetectorChoice::new(hough::NAME, RadiusLimits::default()).ok()?.build_all().ok()?;
        let mut found = Vec::new();
        let mut count = |pictures: &[Array2<u8>]| {
            pictures
                .iter()
                .map(|gray| {
                    detector.detect_all(gray.view(), &mut found);
                    found.len()
                })
                .sum::<usize>()
        };
        Some((count(&sample.with), count(&sample.without)))
    };
    thread::scope(|scope| {
        let all = [scope.spawn(work), scope.spawn(work)];
        let real = scope.spawn(pictures);
        let mut figures = Vec::new();
        for one in all {
            figures.extend(one.join().ok()??);
        }
        figures.sort_by_key(|(at, _)| *at);
        let (finds, others) = real.join().ok()??;
        Some(Outcome { figures: figures.into_iter().map(|(_, one)| one).collect(), finds, others })
    })
}

/// Misses, false positives, finds in pictures with and without discs, and the largest ratio of a mean error to that
/// without the change; then all conditions that changed.
fn row(found: &Outcome, basis: &Outcome, sample: &Sample) -> String {
    let sum = |of: fn(&Figures) -> u64| found.figures.iter().map(of).sum::<u64>();
    let (mut worst, mut details) = (1.0_f64, String::new());
    for ((now, before), (name, _)) in found.figures.iter().zip(&basis.figures).zip(&sample.conditions) {
        let ratio = match (now.mean_px, before.mean_px) {
            (Some(now), Some(before)) => now / before,
            _ => 1.0,
        };
        worst = worst.max(ratio);
        let (missed, wrong) =
            (now.missed as i64 - before.missed as i64, now.false_positives as i64 - before.false_positives as i64);
        if missed != 0 || wrong != 0 || (ratio - 1.0).abs() > 0.01 {
            write!(details, " [{name}: {missed:+} {wrong:+} x{ratio:.3}]").ok();
        }
    }
    format!(
        "{},{},{},{},{worst:.3},{}",
        sum(|one| one.missed),
        sum(|one| one.false_positives),
        found.finds,
        found.others,
        details.trim().replace(',', ";")
    )
}
