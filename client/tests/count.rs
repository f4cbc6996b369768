//! Discs at random places are counted correctly, whatever their radii, levels and noise.

use client::pipeline::{DetectorChoice, Estimate, RadiusLimits};
use shared::geometry::Circle;
use testkit::picture::{Canvas, Random, Scatter};

/// Maximum number of discs in a frame.
const MOST: usize = 6;

/// Frames of each kind, and how many of them must be right: 98 %.
const FRAMES: u64 = 100;
const RIGHT: usize = 98;

/// Levels of disc and ground, in gray levels.
const BRIGHT: (f64, f64) = (180.0, 40.0);
const DARK: (f64, f64) = (75.0, 215.0);

/// Frames of one kind.
struct Frames {
    radii: std::ops::RangeInclusive<f64>,
    levels: (f64, f64),
    blur_px: f64,
    noise: f64,
    /// Distance that discs keep from the border, in px.
    margin: f64,
}

const PLAIN: Frames = Frames { radii: 20.0..=20.0, levels: BRIGHT, blur_px: 0.0, noise: 5.0, margin: 1.0 };

impl Frames {
    fn frame(&self, seed: u64) -> (Vec<Circle>, ndarray::Array2<u8>) {
        let scatter = Scatter { size: (640, 480), radii: self.radii.clone(), overlap: 0.1, margin: self.margin };
        let mut random = Random::new(seed);
        let count = random.uniform(0.0, MOST as f64 + 1.0) as usize;
        let discs = scatter.draw(count, &mut random);
        let ground = Canvas::new(640, 480, self.levels.1);
        let mut canvas = discs.iter().fold(ground, |canvas, disc| canvas.disc(*disc, self.levels.0));
        if self.blur_px > 0.0 {
            canvas = canvas.blurred(self.blur_px);
        }
        (discs, canvas.shot(self.noise, &mut random))
    }

    /// Asserts that in nearly all frames each disc is found once, where it is, and nothing else.
    #[track_caller]
    fn are_counted(&self, first_seed: u64) {
        let limits = RadiusLimits::default();
        let mut hough = DetectorChoice::new("hough", limits).expect("listed").build_all().expect("it finds all");
        let mut found = Vec::new();
        let mut is_right = |seed: &u64| {
            let (discs, frame) = self.frame(*seed);
            hough.detect_all(frame.view(), &mut found);
            let seen = |disc: &Circle| found.iter().any(|found| is_at(found, disc));
            found.len() == discs.len() && discs.iter().all(seen)
        };
        let wrong: Vec<_> = (first_seed..first_seed + FRAMES).filter(|seed| !is_right(seed)).collect();
        assert!(wrong.len() <= FRAMES as usize - RIGHT, "wrong: seeds {wrong:?}");
    }
}

/// Whether the estimate is of this disc. The tolerance of a pixel is far larger than the error that noise causes, and
/// far smaller than the distance to another disc.
fn is_at(found: &Estimate, disc: &Circle) -> bool {
    (found.circle.x - disc.x).hypot(found.circle.y - disc.y) < 1.0 && (found.circle.radius - disc.radius).abs() < 1.0
}

#[test]
fn discs_of_one_radius_are_counted() {
    PLAIN.are_counted(1_000);
    PLAIN.are_counted(7_000_000);
}

#[test]
fn discs_of_many_radii_are_counted() {
    let frames = Frames { radii: 15.0..=40.0, ..PLAIN };
    frames.are_counted(2_000);
    frames.are_counted(8_000_000);
}

#[test]
fn discs_in_strong_noise_are_counted() {
    Frames { radii: 15.0..=40.0, noise: 10.0, ..PLAIN }.are_counted(3_000);
}

#[test]
fn blurred_discs_are_counted() {
    Frames { radii: 15.0..=40.0, blur_px: 2.0, ..PLAIN }.are_counted(4_000);
}

#[test]
fn dark_discs_on_bright_ground_are_counted() {
    Frames { radii: 15.0..=40.0, levels: DARK, ..PLAIN }.are_counted(5_000);
}

#[test]
fn discs_at_the_smallest_radius_looked_for_are_counted() {
    Frames { radii: 8.0..=8.0, ..PLAIN }.are_counted(6_000);
}

#[test]
fn large_discs_and_small_ones_are_counted_together() {
    Frames { radii: 8.0..=60.0, ..PLAIN }.are_counted(7_000);
}

#[test]
fn discs_that_the_border_cuts_are_counted() {
    // The border cuts up to almost half of a disc: its centre lies in the frame.
    Frames { margin: -19.0, ..PLAIN }.are_counted(8_000);
}

#[test]
fn frames_without_discs_are_counted_as_empty() {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    let choice = DetectorChoice::new("hough", RadiusLimits::default()).expect("listed");
    let mut hough = choice.build_all().expect("it finds all");
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let ground = Canvas::new(640, 480, if seed % 2 == 0 { BRIGHT.1 } else { DARK.1 });
        let noise = [0.0, 5.0, 10.0, 20.0][seed as usize % 4];
        let ramp = ground.ramp(random.uniform(-0.05, 0.05), random.uniform(-0.05, 0.05));
        hough.detect_all(ramp.shot(noise, &mut random).view(), &mut found);
        if !found.is_empty() {
            wrong.push(seed);
        }
    }
    // Half a percent of the frames may be wrong.
    assert!(wrong.len() <= 1, "wrong: seeds {wrong:?}");
}
