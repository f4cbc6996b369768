//! Shows answers of kind `image`.

use shared::canvas::face::Section;
use shared::canvas::theme::Tone;
use shared::protocol::message::Payload;

use crate::pipeline::answers::{AnswerKind, Answers};

/// The answers of a pipeline that makes an image.
#[derive(Debug)]
pub(super) struct Images;

impl Answers for Images {
    fn kinds(&self) -> &'static [AnswerKind] {
        &[AnswerKind { name: "image", label: "Image", is_bad: false }]
    }

    fn work(&self) -> &'static str {
        "processing"
    }

    fn header(&self) -> &'static str {
        "    image  process ms"
    }

    fn row(&self, payload: &Payload<'_>) -> String {
        format!("{:>9}", size(payload).unwrap_or_else(|| payload.kind().to_owned()))
    }

    fn gap(&self) -> &'static str {
        "without image"
    }

    fn frame_section(&self, heading: String, payload: Option<&Payload<'_>>) -> Section {
        Section::new(heading, "").row("Image px", [payload.and_then(size)], Tone::Estimate)
    }
}

/// The image's size, as text.
fn size(payload: &Payload<'_>) -> Option<String> {
    Some(format!("{}x{}", payload.integer("width").ok()?, payload.integer("height").ok()?))
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;
    use shared::image::PixelFormat;

    use super::*;
    use crate::pipeline::image_answer::image_payload;

    #[test]
    fn rows_are_as_wide_as_their_header() {
        let answer = image_payload(
            Size { width: 4, height: 2 },
            PixelFormat::Gray8,
            vec![0; 8],
            shared::protocol::encoding::Encoding::Raw,
        );
        assert_eq!(Images.row(&answer), "      4x2");
        assert_eq!(Images.row(&answer).len() + "  process ms".len(), Images.header().len());
        assert_eq!(Images.row(&Payload::dropped()), "  dropped");
    }
}
