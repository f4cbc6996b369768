//! The camera for several balls.

use shared::geometry::Size;
use shared::image::{Image, PixelFormat};

use super::config::CameraConfig;
use super::error::CameraError;
use super::pipeline::Pipeline;
use crate::scene::{Group, Random};

/// A camera that shows several balls, with every effect but the occluder.
///
/// The balls cover the union of their discs: where discs overlap, a point counts once. The covered area of a pixel is
/// exact if at most one outline crosses the pixel. It is off by less than 2 · 10⁻⁴ of a pixel if outlines meet in the
/// pixel.
#[derive(Clone, Debug)]
pub struct GroupCamera(Box<Pipeline>);

impl GroupCamera {
    /// A camera that has not yet taken a picture. `occlude`, `empty_rate` and the settings of
    /// one ball's form have no effect.
    ///
    /// # Errors
    /// [`CameraError`] names the first setting that is out of range.
    pub fn new(size: Size, format: PixelFormat, config: &CameraConfig, seed: u64) -> Result<Self, CameraError> {
        config.check(format)?;
        Ok(Self(Box::new(Pipeline::new(size, format, config, Random::new(seed)))))
    }

    /// Takes the picture of frame `index`. It does not depend on earlier pictures.
    pub fn render(&mut self, group: &Group<'_>, index: u64) -> &Image {
        self.0.render_group(group, index)
    }

    /// The last picture taken.
    pub fn image(&self) -> &Image {
        self.0.image()
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Circle;

    use super::*;
    use crate::camera::{Background, Camera};
    use crate::scene::{Path, Shot};

    const SIZE: Size = Size { width: 120, height: 90 };

    const ONE: Circle = Circle { x: 40.3, y: 41.2, radius: 17.0 };
    const OTHER: Circle = Circle { x: 66.1, y: 50.7, radius: 12.0 };

    fn taken(config: &CameraConfig, format: PixelFormat, discs: &[Circle], velocity: (f64, f64)) -> Image {
        let mut camera = GroupCamera::new(SIZE, format, config, 3).expect("a possible camera");
        let path = Path::straight((0.0, 0.0), velocity, config.exposure / 60.0);
        camera.render(&Group { discs, path }, 5).clone()
    }

    /// The picture that the camera for one ball takes of the disc.
    fn one_taken(config: &CameraConfig, format: PixelFormat, disc: Circle, velocity: (f64, f64)) -> Image {
        let mut camera = Camera::new(SIZE, format, config, true, 3).expect("a possible camera");
        let path = Path::straight((disc.x, disc.y), velocity, config.exposure / 60.0);
        camera.render(&Shot { radius: disc.radius, path }, 5).image.clone()
    }

    fn cameras() -> [CameraConfig; 5] {
        let plain = CameraConfig::default();
        [
            plain,
            CameraConfig { noise: 5.0, shot_noise: 0.1, gamma: 2.2, ..plain },
            CameraConfig { blur: 1.3, vignette: 0.4, exposure: 1.0, ..plain },
            CameraConfig { background: Background::Clutter, invert: true, ..plain },
            CameraConfig { background: Background::Ramp, jpeg: Some(80), ..plain },
        ]
    }

    #[test]
    fn a_group_of_one_looks_like_the_single_ball_whatever_the_camera_does() {
        for config in cameras() {
            for format in [PixelFormat::Gray8, PixelFormat::Bgr8] {
                let group = taken(&config, format, &[ONE], (200.0, -100.0));
                let alone = one_taken(&config, format, ONE, (200.0, -100.0));
                let worst = group.bytes().iter().zip(alone.bytes()).map(|(a, b)| a.abs_diff(*b)).max();
                // The two cameras round the places of a moving disc differently, which may change a level by one. JPEG
                // spreads that change to its neighbours.
                let tolerance = if config.jpeg.is_some() { 3 } else { u8::from(config.exposure > 0.0) };
                assert!(worst <= Some(tolerance), "{config:?}: {worst:?}");
            }
        }
    }

    #[test]
    fn separate_discs_add_their_light_and_without_discs_there_is_only_background() {
        let far = Circle { x: 100.0, ..OTHER };
        let plain = CameraConfig::default();
        let gray = |discs: &[Circle]| taken(&plain, PixelFormat::Gray8, discs, (0.0, 0.0));
        let [both, one, other, none] = [gray(&[ONE, far]), gray(&[ONE]), gray(&[far]), gray(&[])];
        assert!(none.bytes().iter().all(|level| *level == 40));
        for place in 0..both.bytes().len() {
            let [both, one, other] = [&both, &one, &other].map(|image| i32::from(image.bytes()[place]) - 40);
            assert_eq!(both, one + other);
        }
    }

    #[test]
    fn where_discs_overlap_a_point_counts_once() {
        let plain = CameraConfig::default();
        let image = taken(&plain, PixelFormat::Gray8, &[ONE, OTHER], (0.0, 0.0));
        for (index, &level) in image.bytes().iter().enumerate() {
            let (x, y) = ((index % 120) as f64, (index / 120) as f64);
            const N: i32 = 40;
            let point = |i: i32| (f64::from(i) + 0.5) / f64::from(N) - 0.5;
            let inside =
                |disc: &Circle, i: i32| (x + point(i % N) - disc.x).hypot(y + point(i / N) - disc.y) <= disc.radius;
            let covered = (0..N * N).filter(|i| inside(&ONE, *i) || inside(&OTHER, *i)).count() as f64;
            let expected = 40.0 + 140.0 * covered / f64::from(N * N);
            // Half a level of rounding, and the error of counting points: fewer than 2N cells lie on a rim, half of
            // them are miscounted, and the errors mostly cancel.
            assert!((f64::from(level) - expected).abs() < 0.5 + 1.5, "({x}, {y}): {level}, {expected}");
        }
        assert!(image.bytes().iter().all(|level| *level <= 180), "no sum of the two");
    }

    #[test]
    fn pictures_do_not_depend_on_earlier_ones() {
        for config in cameras() {
            let mut camera = GroupCamera::new(SIZE, PixelFormat::Gray8, &config, 3).expect("a possible camera");
            let group = |discs: &'static [Circle]| Group { discs, path: Path::resting((0.0, 0.0)) };
            let first = camera.render(&group(&[ONE, OTHER]), 1).clone();
            camera.render(&group(&[]), 2);
            camera.render(&group(&[OTHER]), 3);
            assert_eq!(camera.render(&group(&[ONE, OTHER]), 1), &first, "{config:?}");
        }
    }
}
