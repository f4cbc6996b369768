//! The colours of both windows: a calm dark room in which the picture and its marks stand out.
//!
//! Text has a contrast of at least 4.5 : 1 on [`PANEL`]. Truth and estimate differ in hue, lightness and shape, so they
//! can be told apart without colour vision.

use embedded_graphics::pixelcolor::Rgb888;

/// Background of the window.
pub const BACKGROUND: Rgb888 = Rgb888::new(0x12, 0x15, 0x1a);
/// Background of the picture, visible where the picture does not fill its area.
pub const MAT: Rgb888 = Rgb888::new(0x0b, 0x0d, 0x10);
/// Background of the panel.
pub const PANEL: Rgb888 = Rgb888::new(0x1b, 0x20, 0x28);
/// Separators.
pub const RULE: Rgb888 = Rgb888::new(0x33, 0x3b, 0x47);
/// Figures.
pub const TEXT: Rgb888 = Rgb888::new(0xe8, 0xec, 0xf2);
/// Labels, and values that are not known yet.
pub const MUTED: Rgb888 = Rgb888::new(0x95, 0xa1, 0xb3);
/// The truth.
pub const TRUTH: Rgb888 = Rgb888::new(0x2e, 0xd3, 0xea);
/// An estimate.
pub const ESTIMATE: Rgb888 = Rgb888::new(0xff, 0x4f, 0x9a);
/// A series of measurements.
pub const SERIES: Rgb888 = Rgb888::new(0x7a, 0xa8, 0xff);
/// All is well.
pub const GOOD: Rgb888 = Rgb888::new(0x4f, 0xd6, 0x8a);
/// Waiting for something.
pub const WAITING: Rgb888 = Rgb888::new(0xf2, 0xbd, 0x4b);
/// Something is lost or wrong.
pub const BAD: Rgb888 = Rgb888::new(0xff, 0x6b, 0x5e);

/// The meaning of a word or a figure, which sets its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// An ordinary figure.
    #[default]
    Plain,
    /// A figure about the truth.
    Truth,
    /// A figure about an estimate.
    Estimate,
    /// All is well.
    Good,
    /// Something is awaited.
    Waiting,
    /// Something is lost or wrong.
    Bad,
}

impl Tone {
    /// The colour for this meaning.
    pub fn colour(self) -> Rgb888 {
        match self {
            Self::Plain => TEXT,
            Self::Truth => TRUTH,
            Self::Estimate => ESTIMATE,
            Self::Good => GOOD,
            Self::Waiting => WAITING,
            Self::Bad => BAD,
        }
    }
}
