//! A simulated depth camera: distances in mm instead of light.
//!
//! It sees a plane and, in front of it, a disc that faces the camera: the ball. Each pixel is one ray, through the
//! pixel's centre, so a reading is the ball's depth or the plane's and never a mixture. The outline of the disc is the
//! circle of the scene, exactly; that of a sphere would be an ellipse.
//!
//! A depth is triangulated from the pattern of an infrared projector, right of the camera as the camera sees it. From
//! there follow two effects (Khoshelham and Elberink, Sensors 12(2), 2012, 1437–1454):
//! - The random error grows with the square of the depth: σ(z) = σ(1 m) · (z / 1 m)². Readings are whole mm.
//! - Parts of the plane are visible to the camera and hidden from the projector. They have no reading, which is a 0.
//!   With the focal length f in px, the baseline b and the depths of ball and plane, the hidden part of the plane is
//!   the ball's disc moved to the left by f · b · (1 / z_ball − 1 / z_plane), the difference of the two disparities.

use ndarray::ArrayViewMut1;
use shared::geometry::{Circle, Size};
use shared::image::{Image, PixelFormat};

use super::noise::Noise;
use crate::scene::Random;

/// Depth of the plane, in mm. Plane and ball are in the middle of the 0.5 to 5 m that Kinect measures.
const PLANE_MM: f64 = 2000.0;

/// Depth of the ball, in mm.
const BALL_MM: f64 = 1500.0;

/// Distance between camera and projector, in mm: that of Kinect, about 7.5 cm
/// (wiki.ros.org/kinect_calibration/technical).
const BASELINE_MM: f64 = 75.0;

/// Focal length divided by the width of the image: that of a field of view 57° wide, as Kinect has it, ½ / tan 28.5°.
const FOCAL_PER_WIDTH: f64 = 0.921;

/// Depth at which the noise has its nominal standard deviation, in mm.
const NOMINAL_MM: f64 = 1000.0;

/// The range of a reading, in mm. A 0 means no reading.
const READINGS_MM: (f64, f64) = (1.0, 65_535.0);

/// A depth camera that sees the ball in front of a plane.
#[derive(Clone, Debug)]
pub struct DepthCamera {
    random: Random,
    /// Standard deviation at 1 m, in mm.
    noise_mm: f64,
    /// Numbers with a standard deviation of 1; `None` without noise.
    noise: Option<Noise>,
    /// How far the shadow lies left of the ball, in px.
    shift_px: f64,
    image: Image,
    /// The noise of one row.
    line: Vec<f32>,
}

impl DepthCamera {
    /// A camera that has not yet taken a picture. `noise_mm` is the standard deviation of a reading at 1 m.
    pub fn new(size: Size, noise_mm: f64, seed: u64) -> Self {
        let noise = if noise_mm > 0.0 { Noise::new(1.0, 0.0) } else { None };
        let image = Image::zeros_or_end(size, PixelFormat::Gray16);
        let line = vec![0.0; size.width as usize];
        Self { random: Random::new(seed), noise_mm, noise, shift_px: shadow_shift_px(size), image, line }
    }

    /// Takes the picture of frame `index`. It does not depend on earlier pictures.
    pub fn render(&mut self, disc: Circle, index: u64) -> &Image {
        let view = View { disc, shadow: Circle { x: disc.x - self.shift_px, ..disc }, noise_mm: self.noise_mm };
        let mut noise = self.noise.as_ref().map(|noise| noise.of_frame(&self.random, index));
        // The image is gray16 by construction.
        if let Image::Gray16(pixels) = &mut self.image {
            for (y, row) in pixels.outer_iter_mut().enumerate() {
                self.line.fill(0.0);
                if let Some(noise) = &mut noise {
                    noise.add(&mut self.line);
                }
                view.fill(row, y as f64, &self.line);
            }
        }
        &self.image
    }

    /// The last picture taken.
    pub fn image(&self) -> &Image {
        &self.image
    }
}

/// How far the shadow lies left of the ball in an image of this size, in px.
fn shadow_shift_px(size: Size) -> f64 {
    let focal_px = FOCAL_PER_WIDTH * f64::from(size.width);
    focal_px * BASELINE_MM * (1.0 / BALL_MM - 1.0 / PLANE_MM)
}

/// What one frame shows.
struct View {
    disc: Circle,
    shadow: Circle,
    noise_mm: f64,
}

impl View {
    /// Fills row `y`. `noise` has a standard deviation of 1.
    fn fill(&self, row: ArrayViewMut1<'_, u16>, y: f64, noise: &[f32]) {
        for (x, (pixel, &noise)) in row.into_iter().zip(noise).enumerate() {
            let x = x as f64;
            *pixel = if contains(self.disc, x, y) {
                self.reading(BALL_MM, noise)
            } else if contains(self.shadow, x, y) {
                0
            } else {
                self.reading(PLANE_MM, noise)
            };
        }
    }

    fn reading(&self, depth_mm: f64, noise: f32) -> u16 {
        let relative = depth_mm / NOMINAL_MM;
        let read = depth_mm + self.noise_mm * relative * relative * f64::from(noise);
        // In range after the clamp.
        read.round().clamp(READINGS_MM.0, READINGS_MM.1) as u16
    }
}

fn contains(disc: Circle, x: f64, y: f64) -> bool {
    let (dx, dy) = (x - disc.x, y - disc.y);
    dx * dx + dy * dy <= disc.radius * disc.radius
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    const SIZE: Size = Size { width: 512, height: 424 };
    const DISC: Circle = Circle { x: 250.25, y: 200.75, radius: 40.5 };

    fn picture(noise_mm: f64, disc: Circle, index: u64) -> Array2<u16> {
        let mut camera = DepthCamera::new(SIZE, noise_mm, 1);
        let Image::Gray16(pixels) = camera.render(disc, index).clone() else { panic!("gray16") };
        pixels
    }

    /// Mean and standard deviation of the readings of a scene's part, by pixel.
    fn statistics(pixels: &Array2<u16>, is_part: impl Fn(f64, f64) -> bool) -> (f64, f64, f64) {
        let part = pixels.indexed_iter().filter(|((y, x), _)| is_part(*x as f64, *y as f64));
        let values: Vec<f64> = part.map(|(_, &value)| f64::from(value)).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        (count, mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt())
    }

    #[test]
    fn without_noise_every_reading_is_exact() {
        let pixels = picture(0.0, DISC, 7);
        let shadow = Circle { x: DISC.x - shadow_shift_px(SIZE), ..DISC };
        for ((y, x), &value) in pixels.indexed_iter() {
            let (x, y) = (x as f64, y as f64);
            let is_in = |disc: Circle| (x - disc.x).hypot(y - disc.y) <= disc.radius;
            let expected = match (is_in(DISC), is_in(shadow)) {
                (true, _) => 1500,
                (false, true) => 0,
                (false, false) => 2000,
            };
            assert_eq!(value, expected, "({x}, {y})");
        }
    }

    #[test]
    fn the_shadow_is_on_the_left_and_as_wide_as_the_difference_of_the_disparities() {
        let shift = shadow_shift_px(SIZE);
        // 0.921 · 512 px · 75 mm · (1 / 1500 mm − 1 / 2000 mm).
        assert!((shift - 5.8944).abs() < 1e-12, "{shift}");
        let pixels = picture(0.0, DISC, 0);
        // In every row that the disc crosses, the shadow ends at the disc, and the rest of it is hidden by the disc.
        for y in 175..=225 {
            let row = pixels.row(y);
            let missing: Vec<usize> = (0..512).filter(|&x| row[x] == 0).collect();
            assert!((5..=6).contains(&missing.len()), "row {y}: {missing:?}");
            assert_eq!((row[missing[0] - 1], row[missing[missing.len() - 1] + 1]), (2000, 1500), "row {y}");
        }
        let missing = pixels.iter().filter(|&&value| value == 0).count() as f64;
        // A disc less its overlap with the same disc, moved by s: 2rs up to terms of s³ / 12r, in px counted one by
        // one.
        assert!((missing - 2.0 * DISC.radius * shift).abs() < 10.0, "{missing}");
    }

    #[test]
    fn the_standard_deviation_grows_with_the_square_of_the_depth() {
        let far = picture(3.0, Circle { x: 60.0, y: 60.0, radius: 20.0 }, 4);
        let near = picture(3.0, Circle { x: 255.0, y: 211.0, radius: 200.0 }, 4);
        for (pixels, depth_mm, (low, high)) in [(far, 2000.0_f64, (100.0, 500.0)), (near, 1500.0, (130.0, 380.0))] {
            let is_part = |x: f64, y: f64| (low..high).contains(&x) && (100.0..320.0).contains(&y);
            let (count, mean, deviation) = statistics(&pixels, is_part);
            // Rounding to whole mm adds 1/12 mm².
            let expected = ((3.0 * (depth_mm / 1000.0).powi(2)).powi(2) + 1.0 / 12.0).sqrt();
            // Standard errors: σ / √n of the mean, σ / √2n of the deviation; four of each.
            let error = 4.0 * expected / count.sqrt();
            assert!((mean - depth_mm).abs() < error, "{depth_mm} mm: mean {mean}");
            assert!((deviation - expected).abs() < error / 2.0_f64.sqrt(), "{depth_mm} mm: σ {deviation}");
        }
    }

    #[test]
    fn noise_turns_no_shadow_into_a_reading_and_no_reading_into_a_shadow() {
        let missing = |noise_mm| picture(noise_mm, DISC, 2).mapv(|value| value == 0);
        assert_eq!(missing(0.0), missing(1000.0));
    }

    #[test]
    fn readings_are_clipped_to_1_and_65535() {
        let pixels = picture(1e6, DISC, 2);
        let readings = || pixels.iter().filter(|&&value| value > 0);
        assert_eq!((readings().min(), readings().max()), (Some(&1), Some(&65_535)));
    }

    #[test]
    fn a_picture_does_not_depend_on_the_pictures_before() {
        let mut camera = DepthCamera::new(SIZE, 2.0, 1);
        camera.render(Circle { x: 30.0, y: 40.0, radius: 9.0 }, 8);
        let Image::Gray16(pixels) = camera.render(DISC, 3) else { panic!("gray16") };
        assert_eq!(*pixels, picture(2.0, DISC, 3));
        assert_ne!(*pixels, picture(2.0, DISC, 4));
    }
}
