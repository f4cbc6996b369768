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
//! The panel is the same for every frame size, the picture takes what it needs at a whole-number scale, and the
//! window stays within 1280 x 900 px.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{DrawTarget, Point, Size as Extent};
use embedded_graphics::primitives::Rectangle;

use super::mark::Line;
use super::picture::{Placement, Scale};
use super::text::{Font, Side, shortened};
use super::{Canvas, theme};
use crate::geometry::{Circle, Size};
use crate::image::Image;

/// Largest window: what an ordinary laptop screen shows whole, borders and bars included.
const LIMIT: Size = Size { width: 1280, height: 900 };
/// Air between parts.
const MARGIN_PX: u32 = 16;
/// Height of the header.
const HEADER_PX: u32 = 48;
/// Width of the panel: two columns of nine figures beside a label.
const PANEL_PX: u32 = 352;
/// Least height of the panel: a 640x480 frame and its legend, which leaves the fuller of the two windows 116 px for
/// its chart.
const PANEL_HEIGHT_PX: u32 = 512;
/// Height of the legend under the picture.
const LEGEND_PX: u32 = 32;
/// Least width of the picture's area, so that header and legend fit.
const VIEW_WIDTH_PX: u32 = 448;
/// Small frames grow as long as they stay within this.
const COMFORTABLE: Size = Size { width: 640, height: 480 };
/// Width of a cross's lines.
const STROKE_PX: f64 = 1.6;
/// Arm of the truth's cross; longer than the estimate's, so that it shows under it.
const TRUTH_ARM_PX: f64 = 11.0;
/// Arm of the estimate's cross.
const ESTIMATE_ARM_PX: f64 = 7.0;

/// Where the parts of a window are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The whole window.
    pub size: Size,
    /// Size of the frames shown.
    pub frame: Size,
    /// Where a frame's picture goes.
    pub picture: Placement,
    view: Rectangle,
    pub(super) panel: Rectangle,
}

impl Layout {
    /// The arrangement for frames of one size.
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

/// How things stand, in a few words and a colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// A few words, say "waiting for a client on 127.0.0.1:8080".
    pub text: String,
    /// What they mean.
    pub tone: Tone,
}

/// What a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// Something is awaited.
    Waiting,
    /// Something went wrong.
    Bad,
}

impl Tone {
    fn colour(self) -> Rgb888 {
        match self {
            Self::Good => theme::GOOD,
            Self::Waiting => theme::WAITING,
            Self::Bad => theme::BAD,
        }
    }
}

/// A circle with a name, as a mark on the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark {
    /// Solid outline and upright cross.
    Truth(Circle),
    /// Dashed outline and diagonal cross, so that the truth shows through.
    Estimate(Circle),
}

impl Canvas {
    /// Clears the window and draws its header.
    pub fn header(&mut self, title: &str, status: &Status) {
        let Ok(()) = self.clear(theme::BACKGROUND);
        let (left, right) = (MARGIN_PX as i32, self.width() as i32 - MARGIN_PX as i32);
        self.text(title, Point::new(left, 14), Side::Left, Font::Title, theme::TEXT);
        let taken = title.chars().count() as u32 * Font::Title.advance() + 2 * MARGIN_PX + 40;
        let text = shortened(&status.text, Font::Label.fitting(self.width().saturating_sub(taken)));
        self.text(&text, Point::new(right, 17), Side::Right, Font::Label, theme::TEXT);
        let dot = right as f64 - (text.chars().count() as u32 * Font::Label.advance()) as f64 - 14.0;
        // A line of no length is a dot.
        self.line((dot, 24.0), (dot, 24.0), 10.0, status.tone.colour());
    }

    /// Draws the picture, or words in its place, and the marks on it.
    pub fn view(&mut self, layout: &Layout, image: Option<&Image>, marks: &[Mark]) {
        self.fill(layout.view, theme::MAT);
        match image {
            Some(image) if image.size() == layout.frame => self.draw_image(image, layout.picture),
            _ => self.text_in_the_middle("no frame yet", layout.view),
        }
        self.within(layout.view, |canvas| {
            // Shadows first, so that none falls on another mark.
            marks.iter().for_each(|mark| canvas.shadow(layout.picture, *mark));
            marks.iter().for_each(|mark| canvas.mark(layout.picture, *mark));
        });
    }

    fn text_in_the_middle(&mut self, text: &str, area: Rectangle) {
        let (width, height) = (text.len() as u32 * Font::Label.advance(), Font::Label.height());
        let room = area.size.saturating_sub(Extent::new(width, height)) / 2;
        self.text(text, area.top_left + room, Side::Left, Font::Label, theme::MUTED);
    }

    /// Darkens the surroundings of a mark's cross, which may lie on a bright disc.
    fn shadow(&mut self, picture: Placement, mark: Mark) {
        let width = STROKE_PX + 2.0;
        match mark {
            Mark::Truth(c) => self.upright_cross(picture.point(c.x, c.y), TRUTH_ARM_PX, width, theme::MAT),
            Mark::Estimate(c) => self.diagonal_cross(picture.point(c.x, c.y), ESTIMATE_ARM_PX, width, theme::MAT),
        }
    }

    fn mark(&mut self, picture: Placement, mark: Mark) {
        match mark {
            Mark::Truth(circle) => {
                self.circle_outline(picture.circle(circle), 2.0, Line::Solid, theme::TRUTH);
                self.upright_cross(picture.point(circle.x, circle.y), TRUTH_ARM_PX, STROKE_PX, theme::TRUTH);
            }
            Mark::Estimate(circle) => {
                self.circle_outline(picture.circle(circle), 2.0, Line::Dashed, theme::ESTIMATE);
                self.diagonal_cross(picture.point(circle.x, circle.y), ESTIMATE_ARM_PX, STROKE_PX, theme::ESTIMATE);
            }
        }
    }

    /// Draws the legend under the picture: what the marks mean, and how large the picture is shown.
    pub fn legend(&mut self, layout: &Layout, truth: bool) {
        let Rectangle { top_left, size } = layout.view;
        let y = top_left.y + size.height as i32 + 12;
        let middle = f64::from(y) + 6.0;
        let mut x = top_left.x;
        let words: &[&str] = if truth { &["truth", "estimate"] } else { &["estimate"] };
        for word in words {
            let centre = (f64::from(x) + 6.0, middle);
            match *word {
                "truth" => self.upright_cross(centre, 5.0, STROKE_PX, theme::TRUTH),
                _ => self.diagonal_cross(centre, 5.0, STROKE_PX, theme::ESTIMATE),
            }
            self.text(word, Point::new(x + 18, y), Side::Left, Font::Note, theme::TEXT);
            x += 18 + (word.len() as u32 * Font::Note.advance()) as i32 + 20;
        }
        let shown = match layout.picture.scale {
            Scale::Up(1) => format!("{}", layout.frame),
            Scale::Up(by) => format!("{}, shown {by}×", layout.frame),
            Scale::Down(by) => format!("{}, shown 1:{by}", layout.frame),
        };
        let right = top_left.x + size.width as i32;
        self.text(&shown, Point::new(right, y), Side::Right, Font::Note, theme::MUTED);
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
    fn windows_fit_a_laptop_screen_and_their_own_text() {
        for Layout { size, frame, .. } in layouts() {
            assert!(size.width <= LIMIT.width && size.height <= LIMIT.height, "{frame}: {size}");
            assert!(size.width >= 848 && size.height >= 576, "{frame}: {size}");
        }
    }

    #[test]
    fn the_whole_picture_lies_in_its_area() {
        for layout in layouts() {
            let picture = layout.picture.area(layout.frame);
            assert_eq!(picture.intersection(&layout.view), picture, "{}", layout.frame);
        }
    }

    #[test]
    fn a_usual_frame_is_shown_pixel_for_pixel() {
        let layout = Layout::new(Size { width: 640, height: 480 });
        assert_eq!(layout.size, Size { width: 1040, height: 576 });
        assert_eq!(layout.picture, Placement { at: Point::new(16, 48), scale: Scale::Up(1) });
    }

    #[test]
    fn marks_stay_in_the_picture_area() {
        let layout = Layout::new(Size { width: 640, height: 480 });
        let circle = Circle { x: -10.0, y: 475.0, radius: 300.0 };
        let mut plain = layout.canvas();
        plain.view(&layout, None, &[]);
        let mut marked = layout.canvas();
        marked.view(&layout, None, &[Mark::Truth(circle), Mark::Estimate(circle)]);
        assert_ne!(plain, marked);
        marked.fill(layout.view, theme::MAT);
        plain.fill(layout.view, theme::MAT);
        assert_eq!(plain, marked);
    }

    #[test]
    fn a_long_status_is_shortened() {
        let layout = Layout::new(Size { width: 16, height: 16 });
        let status = |text: &str| Status { text: text.into(), tone: Tone::Bad };
        let mut canvas = layout.canvas();
        canvas.header("Plumb server", &status(&"long ".repeat(100)));
        let mut title = layout.canvas();
        title.header("Plumb server", &status(""));
        // The first 140 columns hold the title alone.
        for (long, short) in canvas.pixels().chunks(880).zip(title.pixels().chunks(880)) {
            assert_eq!(long[..140], short[..140]);
        }
    }
}
