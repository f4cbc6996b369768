//! Answers to many frames of one condition, one batch per thread at a time, so that memory stays bounded.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use client::pipeline::{Detector, DetectorChoice, Estimate, RadiusLimits, hough};
use shared::geometry::{Circle, Size};

use crate::batch::{Batch, Purpose};
use crate::conditions::Condition;
use crate::failure::Failure;
use crate::marks::Marks;
use crate::opencv::{OpenCv, Setting};

/// Size of a batch, in bytes: each thread holds this much, and the file as much again.
const BATCH_BYTES: usize = 32 << 20;

/// Marks of our detector, OpenCV's gradient method and its ALT method, on the same frames.
pub(crate) type MarksOfAll = [Marks; 3];

/// Renders `count` frames of a condition and marks all three, on as many threads as `opencvs` has elements. Without
/// OpenCV and its settings, only our detector gets marks.
///
/// A frame depends only on its condition and index, so the marks do not depend on the threads.
pub(crate) fn measure(
    condition: &Condition,
    count: u64,
    settings: Option<&[Setting; 2]>,
    opencvs: &mut [Option<OpenCv>],
) -> Result<MarksOfAll, Failure> {
    let per_batch = frames_in(BATCH_BYTES, condition.size());
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let parts = Mutex::new(Vec::new());
    let work = |opencv: &mut Option<OpenCv>| -> Result<(), Failure> {
        let mut ours = ours()?;
        loop {
            let first = next.fetch_add(per_batch, Ordering::Relaxed);
            if first >= count {
                return Ok(());
            }
            let batch = Batch::render(condition, Purpose::Measure, first..(first + per_batch).min(count))?;
            let marks = mark(&batch, condition, ours.as_mut(), settings.zip(opencv.as_mut()))?;
            if let Ok(mut parts) = parts.lock() {
                parts.push((first, marks));
            }
            let done = done.fetch_add(batch.shots.len() as u64, Ordering::Relaxed) + batch.shots.len() as u64;
            eprint!("\r  {}: {done} of {count} frames ", condition.name);
        }
    };
    let ended: Result<(), Failure> = thread::scope(|scope| {
        let threads: Vec<_> = opencvs.iter_mut().map(|opencv| scope.spawn(|| work(opencv))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".into())))
    });
    eprintln!();
    ended?;
    let mut parts = parts.into_inner().unwrap_or_default();
    parts.sort_by_key(|(first, _)| *first);
    Ok(parts.into_iter().fold(MarksOfAll::default(), |mut all, (_, part)| {
        for (all, part) in all.iter_mut().zip(part) {
            all.append(part);
        }
        all
    }))
}

/// Our detector, with default settings.
pub(crate) fn ours() -> Result<Box<dyn Detector>, Failure> {
    Ok(DetectorChoice::new(hough::NAME, RadiusLimits::default())?.build())
}

/// How many frames of this size fit in this many bytes, at least one.
pub(crate) fn frames_in(bytes: usize, size: Size) -> u64 {
    (bytes / size.pixels().max(1)).max(1) as u64
}

/// A circle as OpenCV returns it.
pub(crate) fn circle([x, y, radius]: [f64; 3]) -> Circle {
    Circle { x, y, radius }
}

fn mark(
    batch: &Batch,
    condition: &Condition,
    ours: &mut dyn Detector,
    theirs: Option<(&[Setting; 2], &mut OpenCv)>,
) -> Result<MarksOfAll, Failure> {
    let mut marks = MarksOfAll::default();
    for (shot, frame) in batch.frames() {
        let found = ours.detect(frame);
        marks[0].add(shot, found.map(|found| found.circle), found.and_then(|found: Estimate| found.covariance));
    }
    let Some((settings, opencv)) = theirs else { return Ok(marks) };
    opencv.load(&batch.pixels, condition.size(), false)?;
    for (setting, marks) in settings.iter().zip(&mut marks[1..]) {
        let answers = opencv.detect(setting, condition.whole_radii())?;
        for (shot, found) in batch.shots.iter().zip(answers.circles) {
            marks.add(shot, found.map(circle), None);
        }
    }
    Ok(marks)
}
