//! The band around a circle that an annulus covers: how far it extends, and which pixels of a frame lie in it.

use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::ring::Ring;

/// Width in pixels of a band's rims, which show only disc or only ground. The annulus has at least as many plain pixels
/// on each side of the edge.
const RIM_PX: usize = 2;

/// How far an annulus extends to both sides of its circle, in pixels: an even part, plus half of the motion along the
/// motion's direction.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
    pub(crate) even: f32,
    pub(crate) way: (f32, f32),
}

impl Reach {
    /// The reach in the direction where it is longest.
    pub(crate) fn most(self) -> f32 {
        self.even + 0.5 * self.way.0.hypot(self.way.1)
    }

    /// The reach in a direction, given as a unit vector.
    pub(crate) fn in_direction(self, (x, y): (f64, f64)) -> f32 {
        self.even + 0.5 * (self.way.0 * x as f32 + self.way.1 * y as f32).abs()
    }
}

/// A ring of pixels around the pixel that the centre is on.
pub(crate) struct Band {
    x: i32,
    y: i32,
    /// Offset from the circle's centre to the middle of the pixel it is on.
    pub(crate) off_x: f32,
    pub(crate) off_y: f32,
    /// The distances at which the band begins, its inner rim ends, its outer rim begins, and the band ends.
    pub(crate) rings: [usize; 4],
}

impl Band {
    /// The band around a circle, to both sides of it.
    pub(crate) fn new(ring: Ring, half_width: f32) -> Self {
        // Distances are measured from the pixel that the centre is on.
        let (x, y) = (ring.x.round(), ring.y.round());
        let inner = (ring.radius - half_width).round().max(0.0) as usize;
        let outer = ((ring.radius + half_width).round().max(0.0) as usize).max(inner);
        let rims = (inner + RIM_PX).min(outer)..outer.saturating_sub(RIM_PX).max(inner);
        Self {
            x: x as i32,
            y: y as i32,
            off_x: x - ring.x,
            off_y: y - ring.y,
            rings: [inner, rims.start, rims.end.max(rims.start), outer],
        }
    }

    /// The pixel at an offset from the middle pixel. `None` outside the frame, unless the frame is known to hold the
    /// `WHOLE` band.
    #[inline(always)]
    pub(crate) fn pixel<const WHOLE: bool>(&self, frame: Frame<'_>, x: i32, y: i32) -> Option<u8> {
        let (x, y) = (self.x + x, self.y + y);
        let (column, row) = (x as usize, y as usize);
        // As unsigned numbers, negative numbers become huge.
        (WHOLE || column < frame.width && row < frame.height).then(|| frame.pixels[row * frame.width + column])
    }
}

/// Whether a frame holds all pixels up to a distance from a circle's centre.
pub(crate) fn holds(frame: Frame<'_>, ring: Ring, reach: usize) -> bool {
    let (x, y, reach) = (ring.x.round() as i32, ring.y.round() as i32, reach as i32);
    let fits = |at: i32, length: usize| at >= reach && at + reach < length as i32;
    fits(x, frame.width) && fits(y, frame.height)
}
