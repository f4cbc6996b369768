//! Vignetting: the light that a lens loses towards the corners, by the cos⁴ law.
//!
//! At an angle θ off the axis, the brightness of an image is cos⁴ θ = 1 / (1 + tan² θ)² times that on the axis. tan θ
//! grows with the distance from the image's centre. The focal length follows from the share lost in the corners.

use shared::geometry::Size;

/// The share of light that reaches each pixel, row by row; empty for a lens that loses none.
#[derive(Clone, Debug, Default)]
pub(super) struct Vignette {
    gains: Vec<f32>,
    width: usize,
}

impl Vignette {
    /// A lens that loses this share, in `[0, 1)`, in the outermost corners of an image.
    pub(super) fn new(lost: f64, size: Size) -> Self {
        let width = size.width as usize;
        if lost <= 0.0 {
            return Self { gains: Vec::new(), width };
        }
        let [half_width, half_height] = [size.width, size.height].map(|side| f64::from(side) / 2.0);
        let corner = half_width * half_width + half_height * half_height;
        let tangent_squared = 1.0 / (1.0 - lost).sqrt() - 1.0;
        let gain = |x: u32, y: u32| {
            let (dx, dy) = (f64::from(x) + 0.5 - half_width, f64::from(y) + 0.5 - half_height);
            let secant_squared = 1.0 + tangent_squared * (dx * dx + dy * dy) / corner;
            (1.0 / (secant_squared * secant_squared)) as f32
        };
        let gains = (0..size.height).flat_map(|y| (0..size.width).map(move |x| gain(x, y))).collect();
        Self { gains, width }
    }

    /// A row's gains; `None` where all are 1.
    pub(super) fn row(&self, y: usize) -> Option<&[f32]> {
        (!self.gains.is_empty()).then(|| &self.gains[y * self.width..(y + 1) * self.width])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_falls_as_the_fourth_power_of_the_cosine() {
        let size = Size { width: 640, height: 480 };
        let vignette = Vignette::new(0.4, size);
        let gain = |x: usize, y: usize| f64::from(vignette.row(y).expect("a lossy lens")[x]);
        // The corner of the image is half a px beyond the last pixel's centre, and 400 px from the image's middle.
        let focal = 400.0 / (0.6_f64.powf(-0.5) - 1.0).sqrt();
        for (x, y) in [(0, 0), (320, 240), (600, 100), (639, 479)] {
            let distance = (x as f64 - 319.5).hypot(y as f64 - 239.5);
            let expected = (distance / focal).atan().cos().powi(4);
            assert!((gain(x, y) - expected).abs() < 1e-6, "({x}, {y})");
        }
        assert!(gain(0, 0) < 0.602 && gain(320, 240) > 0.999_99);
        assert!(Vignette::new(0.0, size).row(0).is_none());
    }
}
