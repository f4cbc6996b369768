//! A filter that lets frames of one size pass and refuses others.
//!
//! ffmpeg would silently scale a frame of another size, and the pixels would no longer be those of the file. The crop
//! filter fails if its width is negative, and its message names that width. So for a frame of any other size, the
//! filter gets the negative width.

use shared::geometry::Size;

/// The filter for frames of this size. It copies no pixels.
pub(super) fn filter(Size { width, height }: Size) -> String {
    let side = |side: &str| format!("'if(eq(in_w,{width})*eq(in_h,{height}),{side},-{side})'");
    format!("crop=w={}:h={}:exact=1", side("in_w"), side("in_h"))
}

/// The size of the frame that the filter refused, if this line says so.
pub(super) fn refused_size(line: &str) -> Option<Size> {
    let (_, sides) = line.split_once("non positive size for width '-")?;
    let (width, height) = sides.split_once("' or height '-")?;
    Size::new(width.parse().ok()?, height.strip_suffix('\'')?.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_that_was_refused_is_read_from_ffmpegs_message() {
        let line = "[Parsed_crop_0] Invalid too big or non positive size for width '-32' or height '-24'";
        assert_eq!(refused_size(line), Some(Size { width: 32, height: 24 }));
        assert_eq!(refused_size("Invalid too big or non positive size for width '70' or height '24'"), None);
    }
}
