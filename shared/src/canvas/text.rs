//! Text in fixed-width fonts.

use embedded_graphics::Drawable;
use embedded_graphics::mono_font::iso_8859_1::{FONT_8X13, FONT_9X15, FONT_9X15_BOLD, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::Point;
use embedded_graphics::text::{Alignment, Baseline, Text, TextStyleBuilder};

use super::surface::Canvas;
use crate::text::Escaped;

/// The fonts of the windows, by purpose. All include Latin-1, and so `±`, `µ`, `×` and `·`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Font {
    /// Titles, 10 x 20 px a character.
    Title,
    /// Figures, 9 x 15 px, bold.
    Figure,
    /// Labels, 9 x 15 px.
    Label,
    /// Notes, 8 x 13 px.
    Note,
}

impl Font {
    fn mono(self) -> &'static MonoFont<'static> {
        match self {
            Self::Title => &FONT_10X20,
            Self::Figure => &FONT_9X15_BOLD,
            Self::Label => &FONT_9X15,
            Self::Note => &FONT_8X13,
        }
    }

    /// Width of a character, in px.
    pub fn advance(self) -> u32 {
        self.mono().character_size.width
    }

    /// Height of a line, in px.
    pub fn height(self) -> u32 {
        self.mono().character_size.height
    }

    /// Number of characters that fit into a width in px.
    pub fn fitting(self, width: u32) -> usize {
        (width / self.advance()) as usize
    }
}

/// Which side of a text its point is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The text starts at the point.
    Left,
    /// The text ends before the point.
    Right,
}

impl Canvas {
    /// Writes one line. `at` is its upper left corner or its upper right corner.
    ///
    /// Characters beyond Latin-1 are shown as `?`, control characters as escapes.
    pub fn text(&mut self, text: &str, at: Point, side: Side, font: Font, colour: Rgb888) {
        let (alignment, at) = match side {
            Side::Left => (Alignment::Left, at),
            // The font's own right alignment puts the last column on the point.
            Side::Right => (Alignment::Right, at - Point::new(1, 0)),
        };
        let layout = TextStyleBuilder::new().alignment(alignment).baseline(Baseline::Top).build();
        let text = Escaped(text).to_string();
        let Ok(_) = Text::with_text_style(&text, at, MonoTextStyle::new(font.mono(), colour), layout).draw(self);
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::RgbColor;

    use super::*;

    /// The first and last columns with ink.
    fn columns(canvas: &Canvas) -> Option<(usize, usize)> {
        let width = canvas.width() as usize;
        let inked = || canvas.pixels().iter().enumerate().filter(|(_, p)| **p != 0).map(move |(i, _)| i % width);
        inked().min().zip(inked().max())
    }

    #[test]
    fn texts_begin_or_end_at_their_point() {
        for (side, at) in [(Side::Left, 10), (Side::Right, 10 + 3 * 9)] {
            let mut canvas = Canvas::new(60, 20);
            canvas.text("HHH", Point::new(at, 2), side, Font::Figure, Rgb888::WHITE);
            let (first, last) = columns(&canvas).expect("ink");
            assert!((10..12).contains(&first) && (35..37).contains(&last), "{side:?}: {first} to {last}");
        }
    }

    #[test]
    fn texts_of_peers_stay_on_one_line() {
        let drawn = |text: &str| {
            let mut canvas = Canvas::new(120, 60);
            canvas.text(text, Point::zero(), Side::Left, Font::Label, Rgb888::WHITE);
            canvas
        };
        assert_eq!(drawn("a\nb\u{1b}"), drawn("a\\nb\\u{1b}"));
    }

    #[test]
    fn latin_1_symbols_are_drawn() {
        let drawn = |text: &str| {
            let mut canvas = Canvas::new(10, 15);
            canvas.text(text, Point::zero(), Side::Left, Font::Label, Rgb888::WHITE);
            canvas
        };
        for symbol in ["±", "µ", "×", "·", "°"] {
            assert_ne!(drawn(symbol), drawn("?"));
        }
        assert_eq!(drawn("→"), drawn("?"));
    }
}
