//! What the program reads: one line about the session, then for each frame one line and the pixels.

use serde::Serialize;
use shared::image::{ImageView, PixelFormat};
use shared::protocol::message::Meta;

use crate::pipeline::frame::Frame;

/// Version of the protocol between client and program.
const VERSION: u32 = 1;

/// The first line.
#[derive(Serialize)]
struct Hello<'a> {
    plumb_exec: u32,
    task: &'a str,
    meta: &'a Meta,
}

/// A frame's line.
#[derive(Serialize)]
struct Head<'a> {
    frame: u64,
    width: u32,
    height: u32,
    pixel: PixelFormat,
    bytes: usize,
    captured_us: u64,
    meta: &'a Meta,
}

/// The first line, with its line end.
pub(super) fn hello(task: &str, meta: &Meta) -> Vec<u8> {
    let mut line = Vec::new();
    append(&mut line, &Hello { plumb_exec: VERSION, task, meta });
    line
}

/// Replaces `line` with the line of a frame whose pixels take this many bytes.
pub(super) fn write_head(frame: &Frame<'_>, bytes: usize, line: &mut Vec<u8>) {
    let (size, pixel, none) = (frame.image.size(), frame.image.format(), Meta::new());
    let meta = frame.meta.unwrap_or(&none);
    let (width, height) = (size.width, size.height);
    let head = Head { frame: frame.id, width, height, pixel, bytes, captured_us: frame.captured.0, meta };
    line.clear();
    append(line, &head);
}

/// Appends a line with its end.
fn append(line: &mut Vec<u8>, said: &impl Serialize) {
    // invariant: writing to memory cannot fail, and a line holds only what JSON has: numbers, texts and, in `meta`, a map
    // from texts to numbers, texts and truth values. A number that is not finite becomes null.
    serde_json::to_writer(&mut *line, said).expect("numbers and texts");
    line.push(b'\n');
}

/// The pixels as the wire has them: rows from the top, without padding, the low byte of 16 bits first. They are copied
/// into `memory` only if the image stores them differently.
pub(super) fn pixels<'m, 'i: 'm>(image: ImageView<'i>, memory: &'m mut Vec<u8>) -> &'m [u8] {
    image.wire_bytes(memory)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};
    use shared::geometry::Size;
    use shared::image::Image;
    use shared::protocol::message::MetaValue;
    use shared::time::Micros;

    use super::*;

    fn line(frame: &Frame<'_>, bytes: usize) -> String {
        let mut line = b"something older".to_vec();
        write_head(frame, bytes, &mut line);
        String::from_utf8(line).expect("UTF-8")
    }

    #[test]
    fn the_first_line_names_the_version_the_task_and_what_is_known_of_the_stream() {
        assert_eq!(hello("circle", &Meta::new()), b"{\"plumb_exec\":1,\"task\":\"circle\",\"meta\":{}}\n");
        let meta = Meta::from([("lens".into(), MetaValue::Text("a\nb".into())), ("gain".into(), MetaValue::Real(2.5))]);
        let line = String::from_utf8(hello("ack", &meta)).expect("UTF-8");
        assert_eq!(line, "{\"plumb_exec\":1,\"task\":\"ack\",\"meta\":{\"gain\":2.5,\"lens\":\"a\\nb\"}}\n");
    }

    #[test]
    fn a_frames_line_says_what_follows_it() {
        let image = Image::zeros(Size { width: 640, height: 480 }, PixelFormat::Gray8);
        let mut frame = Frame { id: 7, captured: Micros(1_500), meta: None, image: image.view() };
        let head =
            "{\"frame\":7,\"width\":640,\"height\":480,\"pixel\":\"gray8\",\"bytes\":307200,\"captured_us\":1500,";
        assert_eq!(line(&frame, 307_200), format!("{head}\"meta\":{{}}}}\n"));
        let meta =
            Meta::from([("lens".into(), MetaValue::Text("a\nb".into())), ("x".into(), MetaValue::Real(f64::NAN))]);
        frame.meta = Some(&meta);
        assert_eq!(line(&frame, 307_200), format!("{head}\"meta\":{{\"lens\":\"a\\nb\",\"x\":null}}}}\n"));
    }

    #[test]
    fn pixels_are_rows_from_the_top_without_padding() {
        let gray = Array2::from_shape_fn((4, 6), |(row, column)| (10 * row + column) as u8);
        let (whole, part) = (ImageView::Gray8(gray.view()), ImageView::Gray8(gray.slice(s![1..3, 2..4])));
        let mut memory = Vec::new();
        assert_eq!(pixels(whole, &mut memory).len(), 24);
        assert_eq!(pixels(part, &mut memory), [12, 13, 22, 23]);
        let wide = Array2::from_elem((1, 2), 0x0201_u16);
        assert_eq!(pixels(ImageView::Gray16(wide.view()), &mut memory), [1, 2, 1, 2]);
    }
}
