//! The camera as a whole, against slow independent references.

use super::*;
use crate::scene::Path;

const SIZE: Size = Size { width: 96, height: 80 };

fn camera(size: Size, format: PixelFormat, config: &CameraConfig) -> Camera {
    Camera::new(size, format, config, true, 5).expect("a possible camera")
}

fn at(x: f64, y: f64, radius: f64) -> Shot {
    Shot { radius, path: Path::resting((x, y)) }
}

#[test]
fn without_effects_both_cameras_take_the_same_picture() {
    for format in [PixelFormat::Gray8, PixelFormat::Bgr8] {
        let mut effects = camera(SIZE, format, &CameraConfig::default());
        let mut plain = PlainCamera::new(SIZE, format);
        let mut apart = 0;
        for index in 0..200_u32 {
            let shot = at(20.0 + f64::from(index) * 0.271, 60.0 - f64::from(index) * 0.133, 15.3);
            let pairs = effects.render(&shot, 0).image.bytes().iter().zip(plain.render(shot.circle()).bytes());
            apart += pairs.inspect(|(a, b)| assert!(a.abs_diff(**b) <= 1)).filter(|(a, b)| a != b).count();
        }
        // Of some 25,000 rim pixels and channels: levels are rounded from 24 bits here and from 53 there.
        assert!(apart < 5, "{apart}");
    }
}
