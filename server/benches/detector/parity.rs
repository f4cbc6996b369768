//! Compares `hough-classic` with OpenCV's gradient method, stage by stage: how far apart the numbers are.
//!
//! Each program computes all stages from the gray frame, so a difference in one stage would show in all later ones.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use client::pipeline::classic::{Classic, Stages};
use client::pipeline::{Detector, RadiusLimits};
use ndarray::{Array2, ArrayView3};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::geometry::Size;
use shared::image::to_gray;

use crate::batch::{Batch, Purpose, view};
use crate::conditions::Condition;
use crate::failure::Failure;
use crate::opencv::OpenCv;

/// Number of colours compared at a time, out of all 2²⁴.
const COLOURS: Size = Size { width: 65_536, height: 16 };

/// Results of OpenCV's stages that are not arrays.
#[derive(Deserialize)]
struct Theirs {
    centres: Vec<(f32, f32)>,
    circles: Vec<(f32, f32, f32, f32)>,
    best: Option<(f32, f32, f32)>,
}

/// How far apart one stage's numbers are.
#[derive(Default)]
struct Divergence {
    stage: &'static str,
    unit: &'static str,
    compared: u64,
    differing: u64,
    largest: f64,
}

/// The table, over this many frames of each condition.
pub(crate) fn table(conditions: &[Condition], count: u64, opencv: &mut OpenCv) -> Result<String, Failure> {
    let mut stages = vec![gray(opencv)?];
    for condition in conditions {
        eprintln!("  {}: {count} frames", condition.name);
        let batch = Batch::render(condition, Purpose::Parity, 0..count)?;
        opencv.load(&batch.pixels, condition.size(), false)?;
        for index in 0..batch.shots.len() {
            let found = compare(&batch, index, condition.whole_radii(), opencv)?;
            if stages.len() == 1 {
                stages.extend(found);
            } else {
                stages[1..].iter_mut().zip(found).for_each(|(all, one)| all.add(&one));
            }
        }
    }
    Ok(write(&stages, conditions.len(), count, &opencv.version()?)?)
}

fn write(stages: &[Divergence], conditions: usize, count: u64, version: &str) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "`hough-classic` against OpenCV {version}, {count} frames of each of {conditions} conditions:\n")?;
    writeln!(out, "| stage | compared | differing | share | largest difference |\n|---|---|---|---|---|")?;
    for Divergence { stage, unit, compared, differing, largest } in stages {
        let share = 100.0 * *differing as f64 / (*compared).max(1) as f64;
        writeln!(out, "| {stage} | {compared} {unit} | {differing} | {share} % | {largest} |")?;
    }
    Ok(out)
}

/// Compares the gray level of every colour.
fn gray(opencv: &mut OpenCv) -> Result<Divergence, Failure> {
    let mut divergence = Divergence { stage: "gray (BGR2GRAY)", unit: "colours", ..Divergence::default() };
    let per_frame = COLOURS.pixels() as u32;
    for first in (0..1 << 24).step_by(COLOURS.pixels()) {
        let colours = first..first + per_frame;
        // Blue, green and red of all colours, each as a separate image, one below the other.
        let planes: Vec<u8> =
            (0..3).flat_map(|byte| colours.clone().map(move |bgr| (bgr >> (8 * byte)) as u8)).collect();
        opencv.load(&planes, Size { height: 3 * COLOURS.height, ..COLOURS }, false)?;
        let file = opencv.folder.path().join("gray");
        opencv.ask::<Value>(&json!({ "op": "gray", "file": file }))?;
        let bgr: Vec<u8> = colours.flat_map(|bgr| [0, 8, 16].map(|shift| (bgr >> shift) as u8)).collect();
        let shape = (COLOURS.height as usize, COLOURS.width as usize, 3);
        let mut ours = Array2::zeros((0, 0));
        to_gray(ArrayView3::from_shape(shape, &bgr)?, &mut ours);
        divergence.compare(ours.iter().copied(), fs::read(&file)?);
    }
    Ok(divergence)
}

fn compare(
    batch: &Batch,
    index: usize,
    (min, max): (u32, u32),
    opencv: &mut OpenCv,
) -> Result<Vec<Divergence>, Failure> {
    let file = opencv.folder.path().join("stages");
    let request = json!({ "op": "stages", "frame": index, "file": file, "radii": [min, max] });
    let theirs: Theirs = opencv.ask(&request)?;
    let arrays = Arrays::read(&file, batch.size.pixels())?;
    let pixels = &batch.pixels[index * batch.size.pixels()..][..batch.size.pixels()];
    let mut ours = Classic::new(RadiusLimits { min: Some(f64::from(min)), max: Some(f64::from(max)) });
    let best = ours.detect(view(pixels, batch.size)).map(|found| found.circle);
    let mut divergences = compare_arrays(&ours.stages(), &arrays);
    divergences.push(circles(&ours.stages(), &theirs.circles));
    let mut last = Divergence { stage: "the circle", unit: "frames, x, y and radius in px", ..Divergence::default() };
    let theirs_best = theirs.best.map(|(x, y, radius)| [x, y, radius].map(f64::from));
    last.compare_one(best.map(|best| [best.x, best.y, best.radius]), theirs_best);
    divergences.push(last);
    // OpenCV returns all centres only for circles up to the frame's longer side.
    let longer = f64::from(batch.size.width.max(batch.size.height));
    let mut ours = Classic::new(RadiusLimits { min: Some(f64::from(min)), max: Some(longer) });
    ours.detect(view(pixels, batch.size));
    divergences.insert(4, centres(&ours.stages(), &theirs.centres));
    Ok(divergences)
}

fn compare_arrays(ours: &Stages<'_>, theirs: &Arrays) -> Vec<Divergence> {
    let mut edges = vec![0; theirs.edges.len()];
    ours.edges.iter().for_each(|&(x, y)| edges[y * ours.width + x] = 255);
    let mut stages = ["blur (GaussianBlur 9x9, sigma 2)", "Sobel dx", "Sobel dy", "edges (Canny 25, 50)"]
        .map(|stage| Divergence { stage, unit: "pixels", ..Divergence::default() });
    stages[0].compare(ours.blurred.iter().copied(), theirs.blurred.iter().copied());
    stages[1].compare(ours.dx.iter().copied(), theirs.dx.iter().copied());
    stages[2].compare(ours.dy.iter().copied(), theirs.dy.iter().copied());
    stages[3].compare(edges, theirs.edges.iter().copied());
    stages.into()
}

fn centres(ours: &Stages<'_>, theirs: &[(f32, f32)]) -> Divergence {
    let stage = "centres by votes, radii to the longer side";
    let mut divergence = Divergence { stage, unit: "centres, x and y in px", ..Divergence::default() };
    for index in 0..ours.centres.len().max(theirs.len()) {
        let plain = |centres: &[(f32, f32)]| centres.get(index).map(|&(x, y)| [x, y].map(f64::from));
        divergence.compare_one(plain(&ours.centres), plain(theirs));
    }
    divergence
}

fn circles(ours: &Stages<'_>, theirs: &[(f32, f32, f32, f32)]) -> Divergence {
    let stage = "circles by edge pixels";
    let mut divergence = Divergence { stage, unit: "circles, x, y, radius in px and pixels", ..Divergence::default() };
    for index in 0..ours.circles.len().max(theirs.len()) {
        let own = ours.circles.get(index).map(|(at, pixels)| [at.x, at.y, at.radius, f64::from(*pixels)]);
        divergence.compare_one(own, theirs.get(index).map(|&(x, y, r, pixels)| [x, y, r, pixels].map(f64::from)));
    }
    divergence
}

impl Divergence {
    fn compare<T: Into<f64>>(&mut self, ours: impl IntoIterator<Item = T>, theirs: impl IntoIterator<Item = T>) {
        let one = |value: T| Some([value.into()]);
        ours.into_iter().zip(theirs).for_each(|(ours, theirs)| self.compare_one(one(ours), one(theirs)));
    }

    /// An item that only one of the programs has counts as infinitely far off.
    fn compare_one<const N: usize>(&mut self, ours: Option<[f64; N]>, theirs: Option<[f64; N]>) {
        let far = match (ours, theirs) {
            (Some(ours), Some(theirs)) => (0..N).map(|i| (ours[i] - theirs[i]).abs()).fold(0.0, f64::max),
            (None, None) => 0.0,
            _ => f64::INFINITY,
        };
        self.compared += 1;
        self.differing += u64::from(far > 0.0);
        self.largest = self.largest.max(far);
    }

    fn add(&mut self, more: &Self) {
        self.compared += more.compared;
        self.differing += more.differing;
        self.largest = self.largest.max(more.largest);
    }
}

/// OpenCV's arrays, as read from the file.
struct Arrays {
    blurred: Vec<u8>,
    dx: Vec<i16>,
    dy: Vec<i16>,
    edges: Vec<u8>,
}

impl Arrays {
    fn read(file: &Path, pixels: usize) -> Result<Self, Failure> {
        let bytes = fs::read(file)?;
        let (blurred, rest) = bytes.split_at_checked(pixels).ok_or("stages cut short")?;
        let (dx, rest) = rest.split_at_checked(2 * pixels).ok_or("stages cut short")?;
        let (dy, edges) = rest.split_at_checked(2 * pixels).ok_or("stages cut short")?;
        let words = |bytes: &[u8]| bytes.chunks_exact(2).map(|pair| i16::from_ne_bytes([pair[0], pair[1]])).collect();
        Ok(Self { blurred: blurred.into(), dx: words(dx), dy: words(dy), edges: edges.into() })
    }
}
