//! The placement of an image on a canvas, at a whole-number scale, and the canvas position of its points.

use embedded_graphics::prelude::{Point, Size as Extent};
use embedded_graphics::primitives::Rectangle;

use crate::geometry::{Circle, Size};

/// Scale of an image: the number of canvas pixels per image pixel, or its inverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Each image pixel becomes a square with this side; 1 is the original size.
    Up(u32),
    /// Each square with this side, at least 2, becomes one canvas pixel.
    Down(u32),
}

impl Scale {
    /// The largest scale that keeps a small image within `comfortable`, and any image within `limit`.
    ///
    /// An image between the two limits keeps its size, as does an empty image.
    pub fn to_fit(image: Size, comfortable: Size, limit: Size) -> Self {
        let Size { width, height } = image;
        if width > limit.width || height > limit.height {
            let by = width.div_ceil(limit.width.max(1)).max(height.div_ceil(limit.height.max(1)));
            return Self::Down(by.max(2));
        }
        Self::Up((comfortable.width / width.max(1)).min(comfortable.height / height.max(1)).max(1))
    }

    /// Canvas pixels per image pixel.
    pub fn factor(self) -> f64 {
        match self {
            Self::Up(by) => f64::from(by),
            Self::Down(by) => 1.0 / f64::from(by),
        }
    }

    /// The size of an image at this scale. A partial square counts as a whole one.
    pub fn applied_to(self, image: Size) -> Size {
        let side = |side: u32| match self {
            Self::Up(by) => side.saturating_mul(by),
            Self::Down(by) => side.div_ceil(by.max(1)),
        };
        Size { width: side(image.width), height: side(image.height) }
    }
}

/// The placement of an image on a canvas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Canvas pixel at the image's top-left corner.
    pub at: Point,
    /// Its scale.
    pub scale: Scale,
}

impl Placement {
    /// An image in the middle of an area of the canvas.
    pub fn centred(image: Size, scale: Scale, area: Rectangle) -> Self {
        let shown = scale.applied_to(image);
        let room = area.size.saturating_sub(Extent::new(shown.width, shown.height)) / 2;
        Self { at: area.top_left + room, scale }
    }

    /// The part of the canvas that an image covers.
    pub fn area(self, image: Size) -> Rectangle {
        let shown = self.scale.applied_to(image);
        Rectangle::new(self.at, Extent::new(shown.width, shown.height))
    }

    /// Canvas position of a point of the image, to a fraction of a pixel. Both have pixel centres at integers.
    ///
    /// Image pixel 0 spans `[−½, ½]`, so x becomes `at + (x + ½) · factor − ½`.
    pub fn point(self, x: f64, y: f64) -> (f64, f64) {
        let along = |at: i32, v: f64| f64::from(at) + (v + 0.5) * self.scale.factor() - 0.5;
        (along(self.at.x, x), along(self.at.y, y))
    }

    /// Canvas position and radius of a circle in the image.
    pub fn circle(self, circle: Circle) -> Circle {
        let (x, y) = self.point(circle.x, circle.y);
        Circle { x, y, radius: circle.radius * self.scale.factor() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMFORTABLE: Size = Size { width: 640, height: 480 };
    const LIMIT: Size = Size { width: 900, height: 800 };

    fn scale(width: u32, height: u32) -> Scale {
        Scale::to_fit(Size { width, height }, COMFORTABLE, LIMIT)
    }

    #[test]
    fn small_images_grow_and_large_ones_shrink_by_whole_numbers() {
        assert_eq!(scale(16, 16), Scale::Up(30));
        assert_eq!(scale(64, 64), Scale::Up(7));
        assert_eq!(scale(640, 480), Scale::Up(1));
        assert_eq!(scale(900, 800), Scale::Up(1));
        assert_eq!(scale(901, 10), Scale::Down(2));
        assert_eq!(scale(1920, 1080), Scale::Down(3));
        assert_eq!(scale(8192, 8192), Scale::Down(11));
        assert_eq!(scale(0, 0), Scale::Up(480));
    }

    #[test]
    fn pixel_centres_stay_centres() {
        let at = Point::new(10, 20);
        // Image pixel 2 becomes canvas pixels 6, 7 and 8 past the corner: their middle is 7.
        assert_eq!(Placement { at, scale: Scale::Up(3) }.point(2.0, 0.0), (17.0, 21.0));
        // Image pixels 4 to 7 become canvas pixel 1: their middle, 5.5, is its centre.
        assert_eq!(Placement { at, scale: Scale::Down(4) }.point(5.5, 1.5), (11.0, 20.0));
        let circle = Circle { x: 1.5, y: 5.5, radius: 2.0 };
        let mapped = Placement { at, scale: Scale::Down(4) }.circle(circle);
        assert_eq!(mapped, Circle { x: 10.0, y: 21.0, radius: 0.5 });
    }
}
