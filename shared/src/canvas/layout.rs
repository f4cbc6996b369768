//! The arrangement of a window: a header, the picture on the left, a panel of figures on the right.
//!
//! ```text
//! ┌──────────────────────────────────────┐
//! │ title                       ● status │  HEADER_PX
//! ├────────────────────────┬─────────────┤
//! │                        │  panel      │
//! │        picture         │  PANEL_PX   │
//! │                        │             │
//! │ legend                 │             │
//! └────────────────────────┴─────────────┘
//! ```
//!
//! The width of the panel is the same for every frame size. The picture is shown at an integer scale. The window is at
//! most 1280 x 900 px.

use embedded_graphics::prelude::{Point, Size as Extent};
use embedded_graphics::primitives::Rectangle;

use super::placement::{Placement, Scale};
use super::surface::Canvas;
use crate::geometry::Size;

/// Largest window: an ordinary laptop screen shows it whole, with borders and bars.
const LIMIT: Size = Size { width: 1280, height: 900 };
/// Margin between parts.
pub(super) const MARGIN_PX: u32 = 16;
/// Height of the header.
const HEADER_PX: u32 = 48;
/// Width of the panel: a label and two columns of nine characters.
const PANEL_PX: u32 = 352;
/// Least height of the panel: that of a 640x480 frame and its legend. It leaves 116 px for the chart in the window with
/// more figures.
const PANEL_HEIGHT_PX: u32 = 512;
/// Height of the legend under the picture.
const LEGEND_PX: u32 = 32;
/// Least width of the picture's area, so that header and legend fit.
const VIEW_WIDTH_PX: u32 = 448;
/// Size that small frames are enlarged to at most.
const COMFORTABLE: Size = Size { width: 640, height: 480 };

/// Places of the parts of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The whole window.
    pub size: Size,
    /// Size of the frames shown.
    pub frame: Size,
    /// Place and scale of a frame's picture.
    pub picture: Placement,
    pub(super) view: Rectangle,
    pub(super) panel: Rectangle,
}

impl Layout {
    /// The layout for frames of one size.
    pub fn new(frame: Size) -> Self {
        let beside = 3 * MARGIN_PX + PANEL_PX;
        let around = HEADER_PX + MARGIN_PX;
        let limit = Size { width: LIMIT.width - beside, height: LIMIT.height - around - LEGEND_PX };
        let scale = Scale::to_fit(frame, COMFORTABLE, limit);
        let shown = scale.applied_to(frame);
        let view_width = shown.width.clamp(VIEW_WIDTH_PX, limit.width);
        let height = (shown.height + LEGEND_PX).max(PANEL_HEIGHT_PX);
        let top = HEADER_PX as i32;
        let view = Rectangle::new(Point::new(MARGIN_PX as i32, top), Extent::new(view_width, height - LEGEND_PX));
        let panel_left = (2 * MARGIN_PX + view_width) as i32;
        Self {
            size: Size { width: view_width + beside, height: height + around },
            frame,
            picture: Placement::centred(frame, scale, view),
            view,
            panel: Rectangle::new(Point::new(panel_left, top), Extent::new(PANEL_PX, height)),
        }
    }

    /// A canvas of the window's size.
    pub fn canvas(&self) -> Canvas {
        Canvas::new(self.size.width, self.size.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layouts() -> impl Iterator<Item = Layout> {
        let sides = [1, 16, 17, 64, 100, 240, 480, 481, 640, 800, 817, 1080, 1920, 4096, 8192];
        sides.into_iter().flat_map(move |width| sides.map(|height| Layout::new(Size { width, height })))
    }

    #[test]
    fn windows_fit_a_laptop_screen_and_hold_their_text() {
        for Layout { size, frame, .. } in layouts() {
            assert!(size.width <= LIMIT.width && size.height <= LIMIT.height, "{frame}: {size}");
            assert!(size.width >= 848 && size.height >= 576, "{frame}: {size}");
        }
    }

    #[test]
    fn the_whole_picture_is_inside_its_area() {
        for layout in layouts() {
            let picture = layout.picture.area(layout.frame);
            assert_eq!(picture.intersection(&layout.view), picture, "{}", layout.frame);
        }
    }

    #[test]
    fn a_640x480_frame_is_shown_pixel_for_pixel() {
        let layout = Layout::new(Size { width: 640, height: 480 });
        assert_eq!(layout.size, Size { width: 1040, height: 576 });
        assert_eq!(layout.picture, Placement { at: Point::new(16, 48), scale: Scale::Up(1) });
    }
}
