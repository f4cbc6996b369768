//! The formats of a camera's buffers that are read, by their FourCC codes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shared::image::PixelFormat;
use thiserror::Error;

/// The code of a format: four characters, as in V4L2's documentation. Trailing spaces are not written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FourCc(pub [u8; 4]);

/// The text is not the code of a format that is read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is none of the formats that are read from cameras: {all}", all = listed(LAYOUTS.map(|layout| layout.code)))]
pub struct NotAFourCc(String);

/// A format: its code, and where its pixels lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) code: FourCc,
    pub(super) packing: Packing,
}

/// Where the pixels lie in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// One byte per pixel. If anything follows the plane, it is colour.
    Plane,
    /// Two bytes per pixel: Y, and colour of a pair. `luma` is the place of Y, 0 or 1.
    Pairs { luma: usize },
    /// 16 bits per pixel, low byte first.
    Deep,
    /// Blue, green, red.
    Bgr,
    /// Red, green, blue.
    Rgb,
    /// A JPEG file.
    Jpeg,
}

/// All formats, the best first: only gray; then a plane of Y, Y in pairs, and formats that must be decoded or converted.
pub(super) const LAYOUTS: [Layout; 17] = [
    layout(b"GREY", Packing::Plane),
    layout(b"NV12", Packing::Plane),
    layout(b"NV21", Packing::Plane),
    layout(b"YU12", Packing::Plane),
    layout(b"YV12", Packing::Plane),
    layout(b"YUYV", Packing::Pairs { luma: 0 }),
    layout(b"YVYU", Packing::Pairs { luma: 0 }),
    layout(b"UYVY", Packing::Pairs { luma: 1 }),
    layout(b"VYUY", Packing::Pairs { luma: 1 }),
    layout(b"Y16 ", Packing::Deep),
    layout(b"Z16 ", Packing::Deep),
    layout(b"Y12 ", Packing::Deep),
    layout(b"Y10 ", Packing::Deep),
    layout(b"BGR3", Packing::Bgr),
    layout(b"RGB3", Packing::Rgb),
    layout(b"MJPG", Packing::Jpeg),
    layout(b"JPEG", Packing::Jpeg),
];

const fn layout(code: &[u8; 4], packing: Packing) -> Layout {
    Layout { code: FourCc(*code), packing }
}

impl Layout {
    /// The layout with this code, if it is known.
    pub(super) fn of(code: FourCc) -> Option<Self> {
        LAYOUTS.into_iter().find(|layout| layout.code == code)
    }

    /// Whether its pixels become frames of this pixel format.
    pub(super) fn gives(&self, pixel: PixelFormat) -> bool {
        match self.packing {
            Packing::Plane | Packing::Pairs { .. } => pixel == PixelFormat::Gray8,
            Packing::Deep => pixel == PixelFormat::Gray16,
            Packing::Bgr | Packing::Rgb | Packing::Jpeg => pixel != PixelFormat::Gray16,
        }
    }

    /// The best layout of a device with these formats for frames of this pixel format.
    pub(super) fn best(has: &[FourCc], pixel: PixelFormat) -> Option<Self> {
        LAYOUTS.into_iter().find(|layout| layout.gives(pixel) && has.contains(&layout.code))
    }
}

/// Codes, for messages.
pub(super) fn listed(codes: impl IntoIterator<Item = FourCc>) -> String {
    let codes: Vec<_> = codes.into_iter().map(|code| code.to_string()).collect();
    if codes.is_empty() { "none".to_owned() } else { codes.join(", ") }
}

impl FromStr for FourCc {
    type Err = NotAFourCc;

    fn from_str(text: &str) -> Result<Self, NotAFourCc> {
        let codes = LAYOUTS.map(|layout| layout.code);
        codes.into_iter().find(|code| code.to_string() == text).ok_or_else(|| NotAFourCc(text.to_owned()))
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The highest bit marks values whose high byte comes first.
        let [first, second, third, last] = self.0;
        let code = [first, second, third, last & 0x7f].escape_ascii().to_string();
        write!(f, "{}{}", code.trim_end(), if last & 0x80 == 0 { "" } else { "-BE" })
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for FourCc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for FourCc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_and_shown_without_the_spaces_at_their_end() {
        for (text, code) in [("GREY", b"GREY"), ("Z16", b"Z16 "), ("Y16", b"Y16 ")] {
            let read: FourCc = text.parse().unwrap();
            assert_eq!((read.0, read.to_string().as_str()), (*code, text));
        }
        for text in ["", "   ", "GREYS", "grey", "H264", "a\u{1b}b", "é"] {
            let refused = text.parse::<FourCc>().unwrap_err().to_string();
            assert!(refused.contains(" is none of the formats that are read from cameras: GREY, NV12, "), "{refused}");
        }
        assert_eq!(FourCc([b'Y', b'1', b'6', b' ' | 0x80]).to_string(), "Y16-BE");
        assert_eq!(FourCc([0, 0x1b, b'a', b'b']).to_string(), "\\x00\\x1bab", "what a driver says is escaped");
    }

    #[test]
    fn the_layout_that_takes_the_least_work_is_chosen() {
        let best = |has: &[&[u8; 4]], pixel| {
            let has: Vec<FourCc> = has.iter().map(|code| FourCc(**code)).collect();
            Layout::best(&has, pixel).map(|layout| layout.code.to_string())
        };
        assert_eq!(best(&[b"MJPG", b"YUYV", b"GREY"], PixelFormat::Gray8).as_deref(), Some("GREY"));
        assert_eq!(best(&[b"MJPG", b"YUYV", b"NV12"], PixelFormat::Gray8).as_deref(), Some("NV12"));
        assert_eq!(best(&[b"MJPG", b"YUYV"], PixelFormat::Gray8).as_deref(), Some("YUYV"));
        assert_eq!(best(&[b"MJPG", b"YUYV"], PixelFormat::Bgr8).as_deref(), Some("MJPG"));
        assert_eq!(best(&[b"YUYV", b"Z16 "], PixelFormat::Gray16).as_deref(), Some("Z16"));
        assert_eq!(best(&[b"H264", b"GREY"], PixelFormat::Gray16), None);
    }
}
