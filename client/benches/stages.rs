//! Times the stages of the detector `hough`, the whole detector, and the search for all discs; and what a pipeline
//! costs as a program of its own.
//!
//! Run with `cargo bench -p client --bench stages [FILTER]`. Each stage is timed on the same frame repeatedly. The
//! whole is also timed with cold input: different frames of 64 MiB in total, more than any cache holds.

use std::fmt;
use std::path::Path;
use std::process::Command;

use client::pipeline::{
    Circle, Detector, DetectorOfAll, Frame, PipelineChoice, PipelineOptions, RadiusLimits, hough::Hough,
    hough::stages::Stages,
};
use divan::{Bencher, black_box};
use ndarray::{Array2, ArrayView2};
use shared::image::ImageView;
use shared::protocol::message::CIRCLE_TASK;
use testkit::picture::{Canvas, Random, Scatter};

fn main() {
    divan::main();
}

/// Content of a frame.
#[derive(Clone, Copy)]
enum Scene {
    Clean,
    Noise10,
    Blur2,
    Motion10,
    Clutter,
    FullHd,
}

use Scene::{Blur2, Clean, Clutter, FullHd, Motion10, Noise10};

const ALL: [Scene; 6] = [Clean, Noise10, Blur2, Motion10, Clutter, FullHd];

/// Total bytes of the frames for cold input.
const COLD_BYTES: usize = 64 << 20;

/// Different pictures among the frames for cold input. The other frames are copies elsewhere in memory.
const COLD_PICTURES: u64 = 12;

#[divan::bench(args = [4, 8])]
fn reduce_640x480(bencher: Bencher, factor: usize) {
    stage(bencher, Noise10, |stages| stages.reduce(factor));
}

#[divan::bench(args = [4, 8])]
fn reduce_1920x1080(bencher: Bencher, factor: usize) {
    stage(bencher, FullHd, |stages| stages.reduce(factor));
}

#[divan::bench(args = [Noise10, Clutter, FullHd])]
fn gradients(bencher: Bencher, scene: Scene) {
    stage(bencher, scene, Stages::gradients);
}

#[divan::bench(args = [Noise10, Clutter, FullHd])]
fn votes(bencher: Bencher, scene: Scene) {
    stage(bencher, scene, Stages::votes);
}

#[divan::bench(args = [Noise10, Clutter, FullHd])]
fn rays(bencher: Bencher, scene: Scene) {
    stage(bencher, scene, Stages::rays);
}

#[divan::bench(args = [Clean, Noise10, Blur2, Motion10, Clutter, FullHd])]
fn fit(bencher: Bencher, scene: Scene) {
    stage(bencher, scene, Stages::fit);
}

#[divan::bench(args = ALL)]
fn whole(bencher: Bencher, scene: Scene) {
    let frame = scene.frame(1);
    let mut detector = Hough::new(RadiusLimits::default());
    bencher.bench_local(|| detector.detect(black_box(frame.view())));
}

/// Finds all discs of a scene, to compare with `whole`, which finds one.
#[divan::bench(args = [0, 1, 2, 4, 6])]
fn all(bencher: Bencher, discs: usize) {
    let mut random = Random::new(1);
    let scatter = Scatter { size: (640, 480), radii: 20.0..=20.0, overlap: 0.1, margin: 1.0 };
    let ground = Canvas::new(640, 480, 40.0);
    let canvas = scatter.draw(discs, &mut random).into_iter().fold(ground, |canvas, disc| canvas.disc(disc, 180.0));
    let frame = canvas.shot(10.0, &mut random);
    let (mut detector, mut found) = (Hough::new(RadiusLimits::default()), Vec::new());
    bencher.bench_local(|| detector.detect_all(black_box(frame.view()), &mut found));
}

/// Finds all discs of the scene.
#[divan::bench(args = ALL)]
fn all_of_scene(bencher: Bencher, scene: Scene) {
    let frame = scene.frame(1);
    let (mut detector, mut found) = (Hough::new(RadiusLimits::default()), Vec::new());
    bencher.bench_local(|| detector.detect_all(black_box(frame.view()), &mut found));
}

#[divan::bench(args = ALL, sample_count = 1000, sample_size = 1)]
fn whole_cold(bencher: Bencher, scene: Scene) {
    let pictures: Vec<_> = (0..COLD_PICTURES).map(|seed| scene.frame(seed)).collect();
    let frames: Vec<_> = pictures.iter().cycle().take(COLD_BYTES / pictures[0].len()).cloned().collect();
    let mut next = frames.iter().cycle();
    let mut detector = Hough::new(RadiusLimits::default());
    bencher.bench_local(|| next.next().and_then(|frame| detector.detect(black_box(frame.view()))));
}

/// The work of `examples/exec/centroid.c`, in this process.
#[divan::bench(sample_count = 1000, sample_size = 1)]
fn centroid_640x480(bencher: Bencher) {
    let frame = Noise10.frame(1);
    bencher.bench_local(|| centroid(black_box(frame.view())));
}

/// The same work in a program, as `exec:` runs it. The difference of the medians is the cost of the separate program.
#[divan::bench(sample_count = 1000, sample_size = 1)]
fn centroid_by_exec_640x480(bencher: Bencher) {
    let folder = tempfile::tempdir().expect("a folder");
    let (program, frame) = (folder.path().join("centroid"), Noise10.frame(1));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/exec/centroid.c");
    let built = Command::new("cc").arg("-O2").arg("-o").arg(&program).arg(source).arg("-lm").status();
    assert!(built.is_ok_and(|status| status.success()), "cc builds the example");
    let choice = PipelineChoice::new(&format!("exec:'{}'", program.display()), PipelineOptions::default());
    let chosen = choice.and_then(|choice| choice.for_task(CIRCLE_TASK)).expect("a program");
    let mut pipeline = chosen.build().expect("started");
    pipeline.prepare();
    let mut answer = || pipeline.answer(&Frame::from(ImageView::Gray8(black_box(frame.view()))));
    assert_eq!(answer().kind(), "circle");
    bencher.bench_local(answer);
}

fn centroid(gray: ArrayView2<'_, u8>) -> Option<Circle> {
    let (mut count, mut sum_x, mut sum_y) = (0_i64, 0, 0);
    for (y, row) in gray.rows().into_iter().enumerate() {
        for (x, level) in row.iter().enumerate() {
            if *level >= 110 {
                (count, sum_x, sum_y) = (count + 1, sum_x + x as i64, sum_y + y as i64);
            }
        }
    }
    let mean = |sum: i64| sum as f64 / count as f64;
    let radius = (count as f64 / std::f64::consts::PI).sqrt();
    (count > 0).then(|| Circle { x: mean(sum_x), y: mean(sum_y), radius })
}

fn stage<T>(bencher: Bencher, scene: Scene, mut run: impl FnMut(&mut Stages) -> T) {
    let mut stages = Stages::of(scene.frame(1), RadiusLimits::default());
    bencher.bench_local(|| run(black_box(&mut stages)));
}

impl Scene {
    /// A frame with a contrast of 140 and a radius of 20 px at 640x480, or 50 px at 1920x1080. The seed sets the place.
    fn frame(self, seed: u64) -> Array2<u8> {
        let mut random = Random::new(seed);
        let (width, height, radius) = if matches!(self, FullHd) { (1920, 1080, 50.0) } else { (640, 480, 20.0) };
        let mut place = |length: usize| random.uniform(2.0 * radius, length as f64 - 2.0 * radius);
        let disc = Circle { x: place(width), y: place(height), radius };
        let background = Canvas::new(width, height, 40.0);
        let (canvas, noise) = match self {
            Clean => (background.disc(disc, 180.0), 0.0),
            Noise10 => (background.disc(disc, 180.0), 10.0),
            Blur2 => (background.disc(disc, 180.0).blurred(2.0), 10.0),
            Motion10 => (background.moving_disc(disc, 180.0, 8.0, 6.0), 3.0),
            Clutter => (Canvas::new(width, height, 90.0).clutter(&mut random, 30).disc(disc, 180.0), 5.0),
            FullHd => (background.disc(disc, 180.0), 5.0),
        };
        canvas.shot(noise, &mut random)
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Clean => "clean",
            Noise10 => "noise 10",
            Blur2 => "blur 2, noise 10",
            Motion10 => "motion 10 px, noise 3",
            Clutter => "clutter, noise 5",
            FullHd => "1920x1080, noise 5",
        })
    }
}
