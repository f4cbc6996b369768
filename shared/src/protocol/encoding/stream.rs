//! How a source encodes a stream.

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Encoding, JPEG_FEATURE, LZ4_FEATURE, PNG_FEATURE};

/// What `jpeg:` and a quality begin with.
const JPEG_PREFIX: &str = "jpeg:";

/// How a source encodes a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum StreamEncoding {
    /// Every frame is raw.
    #[default]
    Raw,
    /// A frame is LZ4-encoded if that makes it shorter, and raw otherwise.
    Lz4,
    /// Each frame is raw or LZ4-encoded, whichever is quicker according to measurements of the stream and its link.
    Auto,
    /// A frame is a PNG if that makes it shorter, and raw otherwise.
    Png,
    /// A frame is a JPEG of this quality if that makes it shorter, and raw otherwise.
    Jpeg(JpegQuality),
}

/// Quality of a JPEG: 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JpegQuality(NonZeroU8);

/// The name is not that of an encoding.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UnknownEncoding {
    /// No encoding has this name.
    #[error("\"{0}\" is not an encoding: raw, lz4, auto, png or jpeg:QUALITY, such as jpeg:90")]
    Name(String),
    /// What follows `jpeg:` is not a quality.
    #[error("\"{0}\" has no quality: jpeg:QUALITY takes a whole number from 1 to 100, such as jpeg:90")]
    Quality(String),
}

impl StreamEncoding {
    /// Whether frames may change their pixels on the way.
    pub fn is_lossy(self) -> bool {
        matches!(self, Self::Jpeg(_))
    }

    /// The feature that a client names if it reads these frames. `None` if every client does.
    pub fn feature(self) -> Option<&'static str> {
        match self {
            Self::Raw => None,
            Self::Lz4 | Self::Auto => Some(LZ4_FEATURE),
            Self::Png => Some(PNG_FEATURE),
            Self::Jpeg(_) => Some(JPEG_FEATURE),
        }
    }

    /// Whether a frame of the stream may have this encoding. Raw frames are allowed in every stream.
    pub fn allows(self, encoding: Encoding) -> bool {
        match encoding {
            Encoding::Raw => true,
            Encoding::Lz4 => matches!(self, Self::Lz4 | Self::Auto),
            Encoding::Png => self == Self::Png,
            Encoding::Jpeg => matches!(self, Self::Jpeg(_)),
        }
    }
}

impl JpegQuality {
    /// A quality; `None` if it is not from 1 to 100.
    pub fn new(quality: u8) -> Option<Self> {
        NonZeroU8::new(quality).filter(|quality| quality.get() <= 100).map(Self)
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0.get()
    }
}

impl fmt::Display for StreamEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw => f.write_str("raw"),
            Self::Lz4 => f.write_str("lz4"),
            Self::Auto => f.write_str("auto"),
            Self::Png => f.write_str("png"),
            Self::Jpeg(quality) => write!(f, "{JPEG_PREFIX}{}", quality.get()),
        }
    }
}

impl FromStr for StreamEncoding {
    type Err = UnknownEncoding;

    fn from_str(text: &str) -> Result<Self, UnknownEncoding> {
        match text {
            "raw" => Ok(Self::Raw),
            "lz4" => Ok(Self::Lz4),
            "auto" => Ok(Self::Auto),
            "png" => Ok(Self::Png),
            "jpeg" | "jpg" => Err(UnknownEncoding::Quality(text.to_owned())),
            _ => {
                let name = || UnknownEncoding::Name(text.to_owned());
                let quality = quality(text.strip_prefix(JPEG_PREFIX).ok_or_else(name)?);
                quality.map(Self::Jpeg).ok_or_else(|| UnknownEncoding::Quality(text.to_owned()))
            }
        }
    }
}

/// A quality in digits alone: a number's parser also takes a sign.
fn quality(text: &str) -> Option<JpegQuality> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().and_then(JpegQuality::new)
}

impl From<StreamEncoding> for String {
    fn from(encoding: StreamEncoding) -> Self {
        encoding.to_string()
    }
}

impl TryFrom<String> for StreamEncoding {
    type Error = UnknownEncoding;

    fn try_from(text: String) -> Result<Self, UnknownEncoding> {
        text.parse()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for StreamEncoding {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StreamEncoding".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "How a source encodes a stream: raw, lz4, auto, png or jpeg:QUALITY.",
            "type": "string",
            "pattern": "^(raw|lz4|auto|png|jpeg:([1-9][0-9]?|100))$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_for_its_encoding() {
        for name in ["raw", "lz4", "auto", "png", "jpeg:1", "jpeg:90", "jpeg:100"] {
            assert_eq!(name.parse::<StreamEncoding>().map(|encoding| encoding.to_string()), Ok(name.to_owned()));
        }
    }

    #[test]
    fn a_wrong_name_or_quality_is_refused_and_the_error_says_what_is_valid() {
        let refused = |text: &str| text.parse::<StreamEncoding>().unwrap_err().to_string();
        for wrong in ["zip", "", "PNG", "png:3", "jpg:90"] {
            assert!(refused(wrong).ends_with("raw, lz4, auto, png or jpeg:QUALITY, such as jpeg:90"), "{wrong}");
        }
        for wrong in ["jpeg", "jpeg:", "jpeg:0", "jpeg:101", "jpeg:256", "jpeg:-1", "jpeg:+9", "jpeg:9.5", "jpeg:90 "] {
            assert!(refused(wrong).ends_with("a whole number from 1 to 100, such as jpeg:90"), "{wrong}");
        }
    }

    #[test]
    fn a_stream_allows_raw_frames_and_those_of_its_own_encoding() {
        let allowed = |name: &str| {
            let stream: StreamEncoding = name.parse().unwrap();
            Encoding::ALL
                .into_iter()
                .filter(|&encoding| stream.allows(encoding))
                .map(Encoding::name)
                .collect::<Vec<_>>()
        };
        assert_eq!(allowed("raw"), ["raw"]);
        assert_eq!((allowed("lz4"), allowed("auto")), (vec!["raw", "lz4"], vec!["raw", "lz4"]));
        assert_eq!((allowed("png"), allowed("jpeg:9")), (vec!["raw", "png"], vec!["raw", "jpeg"]));
    }
}
