//! The header of a window: its title and a status.

use embedded_graphics::prelude::{DrawTarget, Point};

use super::figure::shortened;
use super::layout::MARGIN_PX;
use super::surface::Canvas;
use super::text::{Font, Side};
use super::theme::{self, Tone};

/// A status, in a few words and a colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// A few words, for example "waiting for a client on 127.0.0.1:8080".
    pub text: String,
    /// The meaning of the words, which sets their colour: good, waiting or bad.
    pub tone: Tone,
}

impl Status {
    /// A status with these words.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
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
        // A line of zero length is drawn as a dot.
        self.line((dot, 24.0), (dot, 24.0), 10.0, status.tone.colour());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::layout::Layout;
    use crate::geometry::Size;

    #[test]
    fn a_long_status_is_shortened() {
        let layout = Layout::opening(Size { width: 16, height: 16 }, Size { width: 1366, height: 768 });
        let mut canvas = layout.canvas();
        canvas.header("Plumb server", &Status::new("long ".repeat(100), Tone::Bad));
        let mut title = layout.canvas();
        title.header("Plumb server", &Status::new("", Tone::Bad));
        // The first 140 columns hold the title alone.
        for (long, short) in canvas.pixels().chunks(880).zip(title.pixels().chunks(880)) {
            assert_eq!(long[..140], short[..140]);
        }
    }
}
