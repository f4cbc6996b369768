//! A frame as a page shows it: at most 640 pixels on its longer side, with truth, answer and figures.

use serde::Serialize;
use shared::canvas::colour::{Colours, Look};
use shared::geometry::CircleEstimate;
use shared::image::Image;

use crate::output::Picture;
use crate::score::record::FrameRecord;
use crate::task::{Figure, TaskName, Tone};

/// Longest side of a picture that is sent, in px: as large as a page shows it.
const LONGEST_SIDE: usize = 640;

/// A frame whose outcome is final, with its picture.
#[derive(Clone, Debug)]
pub(super) struct Shot {
    pub(super) session: u64,
    pub(super) task: TaskName,
    pub(super) look: Look,
    pub(super) picture: Picture,
    pub(super) record: FrameRecord,
}

/// What a message says before its pixels.
#[derive(Serialize)]
struct Head {
    session: u64,
    frame: u64,
    outcome: &'static str,
    latency_us: Option<u64>,
    truth: Option<Mark>,
    estimate: Option<Mark>,
    figures: Vec<Row>,
    /// The frame and, for pictures that came back, the answer.
    pictures: Vec<Shape>,
}

/// A circle in the frame, in px; the centre of the top-left pixel is (0, 0).
#[derive(Serialize)]
struct Mark {
    x: f64,
    y: f64,
    radius: Option<f64>,
}

#[derive(Serialize)]
struct Row {
    label: String,
    values: Vec<Option<String>>,
    tone: &'static str,
}

/// The shape of a picture: `step` pixels of the frame are one of the picture.
#[derive(Serialize)]
struct Shape {
    width: usize,
    height: usize,
    channels: usize,
    step: usize,
}

impl Shot {
    /// The message: the length of its head as 4 bytes, little-endian; the head as JSON; the pixels of its pictures, gray or
    /// red, green, blue.
    pub(super) fn message(&self) -> Vec<u8> {
        let record = &self.record;
        let mut pixels = Vec::new();
        let images = std::iter::once(&self.picture.frame).chain(&self.picture.answer);
        let pictures = images.map(|image| shrink(image, self.look, &mut pixels)).collect();
        let [truth, estimate] = self.marks();
        let head = Head {
            session: self.session,
            frame: record.id,
            outcome: record.outcome.name(),
            latency_us: record.latency.map(|latency| latency.total_us),
            truth,
            estimate,
            figures: self.task.frame_figures(record).into_iter().map(row).collect(),
            pictures,
        };
        // Names and numbers can always be written.
        let head = serde_json::to_vec(&head).unwrap_or_default();
        [&(head.len() as u32).to_le_bytes()[..], &head, &pixels].concat()
    }

    fn marks(&self) -> [Option<Mark>; 2] {
        if !self.task.has_places() {
            return [None, None];
        }
        let truth = self.record.truth.ball().map(|(circle, _)| circle);
        let estimate = self.record.answer.as_ref().and_then(|answer| self.task.estimate(answer));
        [truth, estimate].map(|circle| circle.map(|CircleEstimate { x, y, radius }| Mark { x, y, radius }))
    }
}

fn row(figure: Figure) -> Row {
    let tone = match figure.tone {
        Tone::Plain => "plain",
        Tone::Truth => "truth",
        Tone::Estimate => "estimate",
        Tone::Bad => "bad",
    };
    Row { label: figure.label, values: figure.values, tone }
}

/// Appends every `step`-th pixel of every `step`-th row.
fn shrink(image: &Image, look: Look, pixels: &mut Vec<u8>) -> Shape {
    let size = image.size();
    let (width, height) = (size.width as usize, size.height as usize);
    let step = width.max(height).div_ceil(LONGEST_SIDE).max(1);
    let (rows, columns) = ((0..height).step_by(step), || (0..width).step_by(step));
    let channels = match image {
        Image::Gray8(gray) => {
            pixels.extend(rows.flat_map(|row| columns().map(move |column| gray[[row, column]])));
            1
        }
        Image::Bgr8(bgr) => {
            let rgb = |row: usize, column: usize| [2, 1, 0].map(|channel| bgr[[row, column, channel]]);
            pixels.extend(rows.flat_map(|row| columns().flat_map(move |column| rgb(row, column))));
            3
        }
        Image::Gray16(values) => {
            let colours = Colours::of(image, look);
            let rgb = |row: usize, column: usize| {
                let value = values[[row, column]];
                colours.as_ref().map_or([0; 3], |colours| colours.colour(value))
            };
            for row in rows {
                pixels.extend(columns().flat_map(|column| rgb(row, column)));
            }
            3
        }
    };
    Shape { width: width.div_ceil(step), height: height.div_ceil(step), channels, step }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;
    use shared::geometry::{Circle, Size};
    use shared::image::PixelFormat;

    use super::*;
    use crate::output::report::tests::record;
    use crate::truth::{Limit, Truth};

    /// The head and the pixels of a message.
    fn read(message: &[u8]) -> (Value, &[u8]) {
        let (length, rest) = message.split_first_chunk::<4>().unwrap();
        let (head, pixels) = rest.split_at(u32::from_le_bytes(*length) as usize);
        (serde_json::from_slice(head).unwrap(), pixels)
    }

    fn shot(frame: Image, answer: Option<Image>) -> Shot {
        let picture = Picture { frame: Arc::new(frame), answer: answer.map(Arc::new) };
        Shot { session: 3, task: TaskName::default(), look: Look::default(), picture, record: record(9) }
    }

    fn image(bytes: &[u8], width: u32, height: u32, format: PixelFormat) -> Image {
        Image::from_bytes(bytes, Size { width, height }, format).unwrap()
    }

    #[test]
    fn a_small_frame_is_sent_as_it_is_with_its_truth() {
        let mut shot = shot(image(&[1, 2, 3, 4, 5, 6], 3, 2, PixelFormat::Gray8), None);
        let circle = Circle { x: 1.5, y: 0.5, radius: 1.0 };
        shot.record.truth = Truth::Ball { circle, limit: Limit::Unknown };
        let message = shot.message();
        let (head, pixels) = read(&message);
        assert_eq!(pixels, [1, 2, 3, 4, 5, 6]);
        assert_eq!((head["frame"].as_u64(), head["truth"]["x"].as_f64()), (Some(9), Some(1.5)));
        assert_eq!(head["pictures"], serde_json::json!([{"width": 3, "height": 2, "channels": 1, "step": 1}]));
    }

    #[test]
    fn a_large_frame_loses_pixels_and_colours_are_red_first() {
        let bgr: Vec<u8> = (0..1281 * 2).flat_map(|place| [place as u8, 7, 9]).collect();
        let message =
            shot(image(&bgr, 1281, 2, PixelFormat::Bgr8), Some(image(&[5], 1, 1, PixelFormat::Gray8))).message();
        let (head, pixels) = read(&message);
        let shape = &head["pictures"][0];
        assert_eq!(
            (shape["step"].as_u64(), shape["width"].as_u64(), shape["height"].as_u64()),
            (Some(3), Some(427), Some(1))
        );
        assert_eq!(pixels.len(), 427 * 3 + 1);
        assert_eq!(pixels[..6], [9, 7, 0, 9, 7, 3]);
        assert_eq!(pixels.last(), Some(&5), "the answer follows");
    }

    #[test]
    fn sixteen_bits_get_the_colours_of_the_look() {
        let depth = Image::Gray16(ndarray::array![[0, 1000], [2000, 3000]]);
        let message = shot(depth, None).message();
        let (head, pixels) = read(&message);
        assert_eq!((head["pictures"][0]["channels"].as_u64(), pixels.len()), (Some(3), 12));
        assert_eq!(pixels[..3], [0, 0, 0], "no reading");
        assert_ne!(pixels[3..6], pixels[9..12]);
    }
}
