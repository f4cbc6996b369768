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
//! The panel has the same width for every frame size. The picture takes the remaining room at a whole-number scale, so
//! that its pixels stay exact. A window opens with the room its picture needs, within its screen. A person may resize
//! it.

use embedded_graphics::prelude::{Point, Size as Extent};
use embedded_graphics::primitives::Rectangle;

use super::placement::{Placement, Scale};
use super::surface::Canvas;
use crate::geometry::Size;

/// Largest window that opens: one that fits an ordinary laptop screen, including borders and bars.
const LARGEST: Size = Size { width: 1280, height: 900 };
/// Room that borders, title and a bar take from a screen, with common window managers.
const AROUND: Size = Size { width: 16, height: 48 };
/// Smallest layout: header and legend fit, and a chart has some pixels. A smaller window shows this layout shrunk.
const LEAST: Size = Size { width: 720, height: 440 };
/// Space between parts.
pub(super) const MARGIN_PX: u32 = 16;
/// Height of the header.
const HEADER_PX: u32 = 48;
/// Width of the panel: a label, and beside it two columns of figures of up to nine characters.
const PANEL_PX: u32 = 352;
/// Height that the panel opens with: that of a 640x480 frame and its legend. It leaves 96 px for the chart in the
/// fuller of the two windows.
const PANEL_HEIGHT_PX: u32 = 512;
/// Height of the legend under the picture.
const LEGEND_PX: u32 = 32;
/// Smallest width that the picture's area opens with, so that header and legend have room.
const VIEW_WIDTH_PX: u32 = 448;
/// Width taken up beside the picture's area: margins and the panel.
const BESIDE_PX: u32 = 3 * MARGIN_PX + PANEL_PX;
/// Height taken up above and below the panel.
const ABOVE_AND_BELOW_PX: u32 = HEADER_PX + MARGIN_PX;
/// Small frames are enlarged as long as they stay within this size.
const COMFORTABLE: Size = Size { width: 640, height: 480 };

/// Positions of the parts of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The whole window.
    pub size: Size,
    /// Size of the frames shown.
    pub frame: Size,
    /// Where the picture of a frame goes.
    pub picture: Placement,
    pub(super) view: Rectangle,
    pub(super) panel: Rectangle,
}

impl Layout {
    /// The arrangement with which a window opens: for frames of size `frame`, on a screen of size `screen`.
    pub fn opening(frame: Size, screen: Size) -> Self {
        let limit = Size {
            width: screen.width.saturating_sub(AROUND.width).clamp(LEAST.width, LARGEST.width) - BESIDE_PX,
            height: screen.height.saturating_sub(AROUND.height).clamp(LEAST.height, LARGEST.height)
                - ABOVE_AND_BELOW_PX,
        };
        let view = Size { width: limit.width, height: limit.height - LEGEND_PX };
        let comfortable =
            Size { width: COMFORTABLE.width.min(view.width), height: COMFORTABLE.height.min(view.height) };
        let shown = Scale::to_fit(frame, comfortable, view).applied_to(frame);
        let view_width = shown.width.max(VIEW_WIDTH_PX.min(limit.width));
        let height = (shown.height + LEGEND_PX).max(PANEL_HEIGHT_PX.min(limit.height));
        Self::filling(frame, Size { width: view_width + BESIDE_PX, height: height + ABOVE_AND_BELOW_PX })
    }

    /// The arrangement that fills a window of size `window`, for frames of size `frame`.
    pub fn filling(frame: Size, window: Size) -> Self {
        let size = Size { width: window.width.max(LEAST.width), height: window.height.max(LEAST.height) };
        let (view_width, height) = (size.width - BESIDE_PX, size.height - ABOVE_AND_BELOW_PX);
        let room = Size { width: view_width, height: height - LEGEND_PX };
        let top = HEADER_PX as i32;
        let view = Rectangle::new(Point::new(MARGIN_PX as i32, top), Extent::new(room.width, room.height));
        let panel_left = (2 * MARGIN_PX + view_width) as i32;
        Self {
            size,
            frame,
            picture: Placement::centred(frame, Scale::to_fit(frame, room, room), view),
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

    const LAPTOP: Size = Size { width: 1366, height: 768 };
    const SMALL: Size = Size { width: 800, height: 600 };
    const LARGE: Size = Size { width: 3840, height: 2160 };

    fn frames() -> impl Iterator<Item = Size> {
        let sides = [1, 16, 17, 64, 100, 240, 480, 481, 640, 800, 817, 1080, 1920, 4096, 8192];
        sides.into_iter().flat_map(move |width| sides.map(|height| Size { width, height }))
    }

    #[test]
    fn windows_fit_the_screen_they_open_on() {
        for (frame, screen) in frames().flat_map(|frame| [SMALL, LAPTOP, LARGE].map(|screen| (frame, screen))) {
            let Size { width, height } = Layout::opening(frame, screen).size;
            assert!(
                width + 16 <= screen.width && height + 48 <= screen.height,
                "{frame} on {screen}: {width}x{height}"
            );
            assert!(width <= 1280 && height <= 900, "{frame} on {screen}: {width}x{height}");
            assert!(width >= 720 && height >= 440, "{frame} on {screen}: {width}x{height}");
        }
    }

    #[test]
    fn the_whole_picture_lies_in_its_area_whatever_the_window() {
        let windows = [(1, 1), (720, 440), (784, 552), (1040, 576), (1280, 1024), (3840, 2160), (300, 2000)];
        for (frame, (width, height)) in frames().flat_map(|frame| windows.map(|window| (frame, window))) {
            let layout = Layout::filling(frame, Size { width, height });
            let picture = layout.picture.area(layout.frame);
            assert_eq!(picture.intersection(&layout.view), picture, "{frame} in {width}x{height}");
            let canvas = Rectangle::new(Point::zero(), Extent::new(layout.size.width, layout.size.height));
            assert_eq!(layout.panel.intersection(&canvas), layout.panel, "{frame} in {width}x{height}");
        }
    }

    #[test]
    fn a_usual_frame_is_shown_pixel_for_pixel_and_grows_with_its_window() {
        let frame = Size { width: 640, height: 480 };
        let layout = Layout::opening(frame, LAPTOP);
        assert_eq!(layout.size, Size { width: 1040, height: 576 });
        assert_eq!(layout.picture, Placement { at: Point::new(16, 48), scale: Scale::Up(1) });
        assert_eq!(Layout::filling(frame, Size { width: 1700, height: 1100 }).picture.scale, Scale::Up(2));
        assert_eq!(Layout::opening(frame, SMALL).picture.scale, Scale::Down(2));
    }
}
