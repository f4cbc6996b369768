//! The background behind the ball: even light, a plane of light, or clutter, drawn for each frame.
//!
//! A background is a picture of texels: squares of even light, one pixel large. Under the ball's rim the background's
//! light is the texel's. With blur the background extends beyond the image, as far as the point spread reaches.

use super::config::{Background, CameraConfig, WHITE};
use super::plane::{Plane, Region};
use super::polygon::Polygon;
use crate::scene::{Random, Sequence, Stream};
use shared::geometry::Size;

/// Slope of the steepest ramp, in gray levels per px.
const STEEPEST: f64 = 0.1;

/// Shapes per frame of clutter.
const SHAPES: u32 = 30;

/// Number of pixels of the image in which shapes have their stated sizes: 640x480. In other images the sizes scale with
/// the square root of the number of pixels.
const PIXELS: f64 = 307_200.0;

/// Smallest distance of a shape's gray from the ball's gray, as a share of the contrast: 60 gray levels of 140.
pub(super) const APART: f64 = 60.0 / 140.0;

/// Sides of the polygon that approximates an ellipse. The polygon is at most 0.05 px off for a half axis of 80 px.
const ELLIPSE_SIDES: u32 = 90;

/// The background of one frame.
#[derive(Clone, Debug)]
pub(super) enum Backdrop {
    /// The same light everywhere.
    Even(f32),
    /// A plane of light.
    Ramp(Ramp),
    /// A picture of texels.
    Texels(Plane),
}

/// A plane of light: the level at the middle of the image, and the slope in gray levels per px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ramp {
    pub(super) level: f64,
    pub(super) middle: (f64, f64),
    pub(super) slope: (f64, f64),
}

impl Backdrop {
    /// The background of a frame, over the image and a margin in px around it.
    pub(super) fn new(
        config: &CameraConfig,
        level: f64,
        size: Size,
        margin: usize,
        random: &Random,
        index: u64,
    ) -> Self {
        match config.background {
            Background::Plain => Self::Even(level as f32),
            Background::Ramp => Self::Ramp(ramp(level, size, random, index)),
            Background::Clutter => {
                let region = Region::of_image(size).grown(margin);
                let mut texels = Plane::filled(region, level as f32);
                clutter(&mut texels, config, size, &mut random.sequence(Stream::Clutter, index));
                Self::Texels(texels)
            }
        }
    }

    /// The light of a texel.
    pub(super) fn at(&self, x: i64, y: i64) -> f32 {
        match self {
            Self::Even(level) => *level,
            Self::Ramp(ramp) => {
                let (dx, dy) = (x as f64 - ramp.middle.0, y as f64 - ramp.middle.1);
                (ramp.level + ramp.slope.0 * dx + ramp.slope.1 * dy) as f32
            }
            Self::Texels(texels) => texels.at(x, y),
        }
    }
}

/// A ramp in a random direction. Its slope is 0.2 to 1 times the steepest slope, which is [`STEEPEST`], or less if the
/// image would leave 0 to 255.
fn ramp(level: f64, size: Size, random: &Random, index: u64) -> Ramp {
    let mut draws = random.sequence(Stream::Ramp, index);
    let (right, down) = draws.direction();
    let [width, height] = [size.width, size.height].map(|side| f64::from(side) / 2.0);
    let room = level.min(WHITE - level);
    let steepest = STEEPEST.min(room / (right.abs() * width + down.abs() * height));
    let slope = steepest * draws.between(0.2, 1.0);
    Ramp { level, middle: (width - 0.5, height - 0.5), slope: (slope * right, slope * down) }
}

/// A random gray on the background's side of the ball's gray, at least [`APART`] from it.
pub(super) fn gray_apart(config: &CameraConfig, draws: &mut Sequence) -> f32 {
    let ball = super::config::BACKGROUND + config.contrast;
    let nearest = (ball - APART * config.contrast).clamp(0.0, WHITE);
    let gray = if config.contrast > 0.0 { draws.between(0.0, nearest) } else { draws.between(nearest, WHITE) };
    config.polarity(gray) as f32
}

fn clutter(texels: &mut Plane, config: &CameraConfig, size: Size, draws: &mut Sequence) {
    let scale = (size.pixels() as f64 / PIXELS).sqrt();
    for _ in 0..SHAPES {
        let middle = (draws.uniform() * f64::from(size.width), draws.uniform() * f64::from(size.height));
        let shape = shape(middle, scale, draws);
        let gray = gray_apart(config, draws);
        paint(texels, &shape, gray);
    }
}

/// A random rectangle, triangle, ellipse or line. No ellipse is close to a circle: its short axis is at most 0.8 of the
/// long one.
fn shape((x, y): (f64, f64), scale: f64, draws: &mut Sequence) -> Polygon {
    let (right, down) = draws.direction();
    match draws.below(4) {
        0 => {
            let (length, width) = (scale * draws.between(10.0, 100.0), scale * draws.between(10.0, 60.0));
            Polygon::rectangle((x, y), (right, down), length, width)
        }
        1 => {
            let mut corner = || {
                let (right, down) = draws.direction();
                let reach = scale * draws.between(20.0, 150.0);
                (x + right * reach, y + down * reach)
            };
            Polygon::of([corner(), corner(), corner()])
        }
        2 => {
            let long = scale * draws.between(15.0, 80.0);
            ellipse((x, y), (right, down), long, long * draws.between(0.25, 0.8))
        }
        _ => {
            let (length, width) = (scale * draws.between(40.0, 300.0), scale * draws.between(0.5, 2.0));
            Polygon::rectangle((x, y), (right, down), length, width)
        }
    }
}

fn ellipse((x, y): (f64, f64), (right, down): (f64, f64), long: f64, short: f64) -> Polygon {
    let corner = |index: u32| {
        let (sin, cos) = libm::sincos(f64::from(index) * std::f64::consts::TAU / f64::from(ELLIPSE_SIDES));
        let (along, across) = (long * cos, short * sin);
        (x + along * right - across * down, y + along * down + across * right)
    };
    Polygon::of((0..ELLIPSE_SIDES).map(corner))
}

/// Paints a shape of even gray over the texels.
pub(super) fn paint(texels: &mut Plane, shape: &Polygon, gray: f32) {
    let cover = shape.coverage(texels.region);
    for y in cover.region.rows() {
        let left = (cover.region.left - texels.region.left) as usize;
        let line = &mut texels.row_mut(y)[left..left + cover.region.width];
        for (light, &share) in line.iter_mut().zip(cover.row(y)) {
            *light += share * (gray - *light);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VGA: Size = Size { width: 640, height: 480 };

    fn backdrop(background: Background, invert: bool, index: u64) -> Backdrop {
        let config = CameraConfig { background, invert, ..CameraConfig::default() };
        Backdrop::new(&config, config.polarity(40.0), VGA, 0, &Random::new(3), index)
    }

    #[test]
    fn a_ramp_rises_at_most_a_tenth_of_a_level_per_px_and_stays_in_range() {
        for (index, invert) in (0..50).flat_map(|index| [(index, false), (index, true)]) {
            let Backdrop::Ramp(ramp) = backdrop(Background::Ramp, invert, index) else { panic!("a ramp") };
            let steep = ramp.slope.0.hypot(ramp.slope.1);
            assert!((0.01..=STEEPEST + 1e-12).contains(&steep), "{steep}");
            let ramp = Backdrop::Ramp(ramp);
            for (x, y) in [(0, 0), (639, 0), (0, 479), (639, 479)] {
                assert!((0.0..=255.0).contains(&ramp.at(x, y)), "frame {index}");
            }
        }
    }

    #[test]
    fn the_grays_of_clutter_keep_their_distance_from_the_ball() {
        for (invert, range) in [(false, 0.0..=120.001), (true, 134.999..=255.0)] {
            let Backdrop::Texels(texels) = backdrop(Background::Clutter, invert, 5) else { panic!("texels") };
            assert!(texels.values.iter().all(|level| range.contains(level)));
            let mut grays: Vec<i32> = texels.values.iter().map(|&level| level as i32).collect();
            grays.sort_unstable();
            grays.dedup();
            assert!(grays.len() > 20, "{grays:?}");
        }
    }

    #[test]
    fn clutter_is_a_function_of_the_frame_index() {
        let texels = |index| match backdrop(Background::Clutter, false, index) {
            Backdrop::Texels(texels) => texels,
            _ => panic!("texels"),
        };
        assert_eq!(texels(4), texels(4));
        assert_ne!(texels(4), texels(5));
    }
}
