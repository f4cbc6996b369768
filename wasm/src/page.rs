//! The detector, and the frame that it looks at.

use ndarray::{ArrayView2, ArrayView3};

use crate::geometry::{Circle, MAX_SIDE};
use crate::image::{GrayLevels, ImageView};
use crate::pipeline::hough::Hough;
use crate::pipeline::{Detector, DetectorOfAll, Estimate, RadiusLimits};

/// A frame of no size, and a detector of the radii that are looked for by default.
pub(crate) struct Page {
    hough: Hough,
    gray: GrayLevels,
    width: usize,
    height: usize,
    pixels: Pixels,
    all: Vec<Estimate>,
    /// The last circle.
    pub(crate) found: Circle,
}

/// The pixels as the page writes them. WebAssembly has the byte order of the wire.
enum Pixels {
    Gray8(Vec<u8>),
    Bgr8(Vec<u8>),
    Gray16(Vec<u16>),
}

impl Default for Page {
    fn default() -> Self {
        Self {
            hough: Hough::new(RadiusLimits::default()),
            gray: GrayLevels::default(),
            width: 0,
            height: 0,
            pixels: Pixels::Gray8(Vec::new()),
            all: Vec::new(),
            found: Circle { x: 0.0, y: 0.0, radius: 0.0 },
        }
    }
}

impl Page {
    /// Makes room for the pixels of a frame, and returns its address. `None` if there is no such frame.
    pub(crate) fn room(&mut self, width: u32, height: u32, bytes: u32) -> Option<usize> {
        let is_side = |side| (1..=MAX_SIDE).contains(&side);
        if !is_side(width) || !is_side(height) {
            return None;
        }
        (self.width, self.height) = (width as usize, height as usize);
        let values = self.width * self.height;
        let is_same = match (&self.pixels, bytes) {
            (Pixels::Gray8(pixels), 1) => pixels.len() == values,
            (Pixels::Gray16(pixels), 2) => pixels.len() == values,
            (Pixels::Bgr8(pixels), 3) => pixels.len() == 3 * values,
            _ => false,
        };
        if !is_same {
            self.pixels = match bytes {
                1 => Pixels::Gray8(vec![0; values]),
                2 => Pixels::Gray16(vec![0; values]),
                3 => Pixels::Bgr8(vec![0; 3 * values]),
                _ => return None,
            };
        }
        Some(match &mut self.pixels {
            Pixels::Gray8(pixels) | Pixels::Bgr8(pixels) => pixels.as_mut_ptr().expose_provenance(),
            Pixels::Gray16(pixels) => pixels.as_mut_ptr().expose_provenance(),
        })
    }

    /// Finds the most prominent circle.
    pub(crate) fn circle(&mut self) -> bool {
        let Some(image) = view(&self.pixels, self.width, self.height) else { return false };
        let found = self.hough.detect(self.gray.of(image));
        if let Some(Estimate { circle, .. }) = found {
            self.found = circle;
        }
        found.is_some()
    }

    /// Counts the circles.
    pub(crate) fn count(&mut self) -> u32 {
        let Some(image) = view(&self.pixels, self.width, self.height) else { return 0 };
        self.hough.detect_all(self.gray.of(image), &mut self.all);
        self.all.len() as u32
    }
}

/// The pixels as an image; `None` if they are none of this size.
fn view(pixels: &Pixels, width: usize, height: usize) -> Option<ImageView<'_>> {
    match pixels {
        Pixels::Gray8(pixels) => ArrayView2::from_shape((height, width), pixels).map(ImageView::Gray8).ok(),
        Pixels::Gray16(pixels) => ArrayView2::from_shape((height, width), pixels).map(ImageView::Gray16).ok(),
        Pixels::Bgr8(pixels) => ArrayView3::from_shape((height, width, 3), pixels).map(ImageView::Bgr8).ok(),
    }
}
