//! Frames with their truth: as the camera renders them, or drawn in whole pixels.

use server::camera::{BACKGROUND, CONTRAST};
use server::source::BallSource;
use server::truth::Truth;
use shared::geometry::Circle;

/// What a frame shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shot {
    /// The disc; `None` when there is none.
    pub(crate) truth: Option<Circle>,
    /// The best expected L1 error, in px, if it is known.
    pub(crate) limit_px: Option<f64>,
}

/// Renders frames.
pub(crate) trait Frames {
    /// Appends the pixels of the frame with this index and returns what it shows.
    fn frame(&mut self, index: u64, pixels: &mut Vec<u8>) -> Shot;
}

/// Frames as the server's camera makes them.
pub(crate) struct Rendered(pub(crate) BallSource);

impl Frames for Rendered {
    fn frame(&mut self, index: u64, pixels: &mut Vec<u8>) -> Shot {
        let frame = self.0.frame(index);
        pixels.extend_from_slice(frame.image.bytes());
        match frame.truth {
            Truth::Ball { circle, limit } | Truth::Projected { circle, limit, .. } => {
                Shot { truth: Some(circle), limit_px: limit.px() }
            }
            Truth::Centre { .. } | Truth::Balls(_) | Truth::Empty | Truth::Unknown => {
                Shot { truth: None, limit_px: None }
            }
        }
    }
}

/// The same discs, each moved to the nearest whole centre and radius and drawn without grays in between, as
/// `cv2.circle` fills them.
pub(crate) struct Drawn(pub(crate) BallSource);

impl Frames for Drawn {
    fn frame(&mut self, index: u64, pixels: &mut Vec<u8>) -> Shot {
        let frame = self.0.frame(index);
        let size = frame.image.size();
        let Truth::Ball { circle, .. } = frame.truth else {
            pixels.extend_from_slice(frame.image.bytes());
            return Shot { truth: None, limit_px: None };
        };
        let disc = Circle { x: circle.x.round(), y: circle.y.round(), radius: circle.radius.round() };
        let level = |column: u32, row: u32| {
            let (dx, dy) = (f64::from(column) - disc.x, f64::from(row) - disc.y);
            let is_inside = dx * dx + dy * dy <= disc.radius * disc.radius;
            if is_inside { BACKGROUND + CONTRAST } else { BACKGROUND }
        };
        let places = (0..size.height).flat_map(|row| (0..size.width).map(move |column| (column, row)));
        pixels.extend(places.map(|(column, row)| level(column, row) as u8));
        Shot { truth: Some(disc), limit_px: None }
    }
}
