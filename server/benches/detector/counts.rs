//! Counts without OpenCV: false positives in empty frames with noise up to 40, and the number of balls in a frame.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use client::pipeline::{DetectorChoice, RadiusLimits, hough};
use server::camera::{Background, CameraConfig};
use server::scene::{BallConfig, Balls, GroupConfig, Radii};
use server::source::{BallScene, BallsScene, Motion};
use server::truth::Truth;
use shared::geometry::Size;
use shared::image::{Image, PixelFormat};
use testkit::statistics::upper_bound;

use crate::failure::Failure;

const SIZE: Size = Size { width: 640, height: 480 };

/// Largest noise of an empty frame, in gray levels, and the number of steps up to it.
const MOST_NOISE: f64 = 40.0;
const NOISE_STEPS: u64 = 16;

/// Largest ratio of half-axes at which a find counts as an ellipse of the clutter. Those are drawn with a ratio of at
/// most 0.8, which is measured to 0.03 if something covers a part of the ellipse.
const DRAWN_RATIO: f64 = 0.83;

/// Balls of the count: their radii in px, and the noise.
const RADII: Radii = Radii { min: 10.0, max: 40.0 };
const NOISE: f64 = 10.0;

const SEED: u64 = 20_261_128;

/// The table of false positives in this many empty frames, half of them plain and half with clutter.
pub(crate) fn empty(frames: u64, threads: usize) -> Result<String, Failure> {
    let mut out = String::from(
        "| empty frames, noise 0 to 40 | frames | circles | ellipses | 95 % bound of circles |\n|---|---|---|---|---|\n",
    );
    for background in [Background::Plain, Background::Clutter] {
        let (round, oval) = (AtomicU64::new(0), AtomicU64::new(0));
        let count = frames / 2;
        in_turns(count, threads, |mut indices| {
            let mut detector = DetectorChoice::new(hough::NAME, RadiusLimits::default())?.build();
            indices.try_for_each(|index| {
                let noise = MOST_NOISE * (index % NOISE_STEPS) as f64 / (NOISE_STEPS - 1) as f64;
                let camera = CameraConfig { noise, background, empty_rate: 1.0, ..CameraConfig::default() };
                let ball = ball();
                let scene =
                    BallScene { ball, motion: Motion::Scattered, camera, pixel: PixelFormat::Gray8, seed: SEED };
                let mut source = scene.source()?;
                let Image::Gray8(gray) = source.frame(index).image else { return Err("not gray".into()) };
                if let Some(found) = detector.detect(gray.view()) {
                    let is_oval = found.ellipse.is_some_and(|ellipse| ellipse.axes[1] < DRAWN_RATIO * ellipse.axes[0]);
                    let is_drawn = is_oval && background == Background::Clutter;
                    let count = if is_drawn { &oval } else { &round };
                    count.fetch_add(1, Ordering::Relaxed);
                    eprintln!(
                        "  {background:?}, frame {index}, noise {noise:.1}: {:?} {:?}",
                        found.circle, found.ellipse
                    );
                }
                Ok(())
            })
        })?;
        let (round, oval) = (round.into_inner(), oval.into_inner());
        let bound = 100.0 * upper_bound(round, count);
        writeln!(out, "| {background:?} | {count} | {round} | {oval} | {bound:.3} % |")?;
    }
    Ok(out)
}

/// The table of correct counts, in frames with 0 to 6 balls.
pub(crate) fn balls(frames: u64, threads: usize) -> Result<String, Failure> {
    let (right, more, fewer) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    in_turns(frames, threads, |mut indices| {
        let mut detector = DetectorChoice::new(hough::NAME, RadiusLimits::default())?.build_all()?;
        let group = GroupConfig { ball: ball(), balls: Balls { min: 0, max: 6 }, overlap: 0.1 };
        let camera = CameraConfig { noise: NOISE, ..CameraConfig::default() };
        let mut source = BallsScene { group, camera, pixel: PixelFormat::Gray8, seed: SEED }.source()?;
        let mut found = Vec::new();
        indices.try_for_each(|index| {
            let frame = source.frame(index);
            let (Truth::Balls(truth), Image::Gray8(gray)) = (frame.truth, frame.image) else {
                return Err("not a gray frame of balls".into());
            };
            detector.detect_all(gray.view(), &mut found);
            let count = match (found.len() as u32).cmp(&truth) {
                std::cmp::Ordering::Equal => &right,
                std::cmp::Ordering::Greater => &more,
                std::cmp::Ordering::Less => &fewer,
            };
            count.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    })?;
    let (right, more, fewer) = (right.into_inner(), more.into_inner(), fewer.into_inner());
    let share = 100.0 * right as f64 / frames.max(1) as f64;
    Ok(format!(
        "| 0 to 6 balls, r 10 to 40, noise 10 | frames | right | too many | too few |\n|---|---|---|---|---|\n\
         | | {frames} | {right} ({share:.2} %) | {more} | {fewer} |\n"
    ))
}

fn ball() -> BallConfig {
    BallConfig { size: SIZE, radius: RADII, speed_px_s: 0.0, step_s: 1.0 / 60.0, border: false }
}

/// Runs `work` on each thread with a part of the indices.
fn in_turns(
    count: u64,
    threads: usize,
    work: impl Fn(std::iter::StepBy<std::ops::Range<u64>>) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let threads = threads.max(1);
    thread::scope(|scope| {
        let work = &work;
        let all: Vec<_> =
            (0..threads as u64).map(|first| scope.spawn(move || work((first..count).step_by(threads)))).collect();
        all.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| Err("a thread panicked".into())))
    })
}
