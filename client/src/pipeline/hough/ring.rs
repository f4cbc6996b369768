//! A circle and a point near it, in single precision: precise enough for everything before the fit.

/// An edge point, in pixels.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// 1 where the disc is brighter than its ground, -1 where it is darker.
    pub(crate) sign: f32,
}

/// A circle in pixels, single precision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) radius: f32,
}

impl Ring {
    /// Distance of a point from the circle in pixels, positive outside.
    pub(crate) fn distance(self, point: Point) -> f32 {
        let (dx, dy) = (point.x - self.x, point.y - self.y);
        (dx * dx + dy * dy).sqrt() - self.radius
    }
}
