//! The task `image`: send the processed frame back. Delivery, latency and bytes are scored, and how closely the image
//! matches the frame: the PSNR.

mod psnr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use shared::geometry::Size;
use shared::image::{self, Image, ImageView, PixelFormat};
use shared::protocol::encoding::{Encoding, PixelsError};
use shared::protocol::message::{IMAGE_TASK, ImageAnswer, Payload, PayloadError};
use smallvec::smallvec;

use super::figures::{Figure, TaskFigures, Tone};
use super::seam::{Chart, ChartValue, Scored, Scorer, Task};
use crate::score::cells::{Cell, Cells, Column, Columns};
use crate::score::record::{FrameRecord, Outcome};
use crate::truth::Truth;

use psnr::{Likeness, PEAK_OF_8_BITS, PEAK_OF_16_BITS, PsnrFigures, PsnrStats, psnr_db};

/// The task `image`.
#[derive(Debug)]
pub(super) struct ImageTask;

const ANSWER: &[Column] = &[
    Column::integer("width"),
    Column::integer("height"),
    Column::word("pixel", PIXELS),
    Column::word("encoding", ENCODINGS),
    Column::integer("data_bytes").shown("bytes", 10, 0),
    Column::word("match", &[IDENTICAL, DIFFERS, OTHER_SHAPE]).shown("match", 11, 0),
    Column::real("mse"),
];

const RESIDUAL: &[Column] = &[Column::real("psnr_db").shown("PSNR dB", 8, 2)];

/// The pixel formats of images.
const PIXELS: &[&str] = &[PixelFormat::Gray8.name(), PixelFormat::Bgr8.name(), PixelFormat::Gray16.name()];

/// The encodings of images.
const ENCODINGS: &[&str] = &[Encoding::Raw.name(), Encoding::Lz4.name(), Encoding::Png.name(), Encoding::Jpeg.name()];

/// The `match` of an image that equals the frame in every sample.
const IDENTICAL: &str = "identical";

/// The `match` of an image that differs from the frame.
const DIFFERS: &str = "differs";

/// The `match` of an image of another size or pixel format.
const OTHER_SHAPE: &str = "other shape";

impl Task for ImageTask {
    fn name(&self) -> &'static str {
        IMAGE_TASK
    }

    fn columns(&self) -> Columns {
        Columns { truth: &[], answer: ANSWER, residual: RESIDUAL }
    }

    fn chart(&self) -> Chart {
        Chart { heading: "LATENCY", unit: "ms", gap: "not answered", value: ChartValue::LatencyMs }
    }

    fn frame_figures(&self, record: &FrameRecord) -> Vec<Figure> {
        let cell =
            |place: usize| record.answer.as_ref().and_then(|answer| answer.get(place)).map(|cell| cell.rounded(0));
        let psnr = record.residual.first().and_then(|psnr| psnr.number());
        vec![
            Figure::two("Answer px", [cell(0), cell(1)]).toned(Tone::Estimate),
            Figure::one("Answer bytes", cell(4)).toned(Tone::Estimate),
            Figure::one("PSNR dB", psnr.map(decibels).or_else(|| cell(5))),
        ]
    }

    fn keeps_frames(&self) -> bool {
        true
    }

    fn scorer(&self) -> Box<dyn Scorer> {
        Box::new(ImageScorer::default())
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<ImageFigures>()
    }
}

/// Sums up the images of a session.
#[derive(Debug, Default)]
struct ImageScorer {
    images: u64,
    bytes: u64,
    identical: u64,
    other_shape: u64,
    psnr: PsnrStats,
    /// Pixels and shape of the last image, for the window.
    pixels: Vec<u8>,
    shape: Option<(Size, PixelFormat)>,
}

/// The report's object `image`.
#[derive(Debug, Serialize, JsonSchema)]
struct ImageFigures {
    /// Frames answered with an image.
    images: u64,
    /// Bytes of the data of all images, as received.
    bytes: u64,
    /// Images that equal the frame in every sample. They have no finite PSNR.
    identical: u64,
    /// Images of another size or pixel format than the frame. They are not compared.
    other_shape: u64,
    /// PSNR of all other images, in dB.
    psnr_db: PsnrFigures,
}

impl Scorer for ImageScorer {
    fn read(&self, payload: &Payload<'_>) -> Result<Cells, PayloadError> {
        ImageAnswer::read(payload).map(|answer| cells(&answer))
    }

    fn compare(&mut self, payload: &Payload<'_>, frame: &Image) -> Result<Cells, PayloadError> {
        let answer = ImageAnswer::read(payload)?;
        self.shape = None;
        let image = answer.image(frame.bytes().len(), &mut self.pixels)?;
        let mut cells = cells(&answer);
        cells.extend(match Likeness::of(image, frame.view()) {
            Likeness::Identical => [Cell::Word(IDENTICAL), Cell::Real(0.0)],
            Likeness::Differs(mse) => [Cell::Word(DIFFERS), Cell::Real(mse)],
            Likeness::OtherShape => [Cell::Word(OTHER_SHAPE), Cell::Empty],
        });
        if answer.encoding == Encoding::Raw {
            let room = image::room(&mut self.pixels, answer.size, answer.pixel).map_err(PixelsError::from)?;
            room.copy_from_slice(&answer.data);
            ImageView::in_room(room, answer.size, answer.pixel).map_err(PixelsError::from)?;
        }
        self.shape = Some((answer.size, answer.pixel));
        Ok(cells)
    }

    fn picture(&self) -> Option<ImageView<'_>> {
        let (size, pixel) = self.shape?;
        ImageView::kept(&self.pixels, size, pixel)
    }

    fn score(&mut self, _: Truth, _: Outcome, answer: Option<&[Cell]>) -> Scored {
        let mut psnr = Cell::Empty;
        if let Some(answer) = answer {
            self.images += 1;
            let bytes = answer.get(4).and_then(|bytes| bytes.number()).unwrap_or_default() as u64;
            self.bytes = self.bytes.saturating_add(bytes);
            match (answer.get(5).copied(), answer.get(6).copied()) {
                (Some(Cell::Word(IDENTICAL)), _) => self.identical += 1,
                (Some(Cell::Word(DIFFERS)), Some(Cell::Real(mse))) => {
                    let db = psnr_db(mse, peak(answer));
                    self.psnr.add(db);
                    psnr = Cell::Real(db);
                }
                _ => self.other_shape += 1,
            }
        }
        Scored { truth: Cells::new(), residual: smallvec![psnr] }
    }

    fn session_figures(&self) -> [Vec<Figure>; 2] {
        let answered = vec![
            Figure::one("Images", Some(self.images.to_string())),
            Figure::one("Identical", Some(self.identical.to_string())),
        ];
        [vec![Figure::one("Mean PSNR dB", self.psnr.mean_db().map(decibels))], answered]
    }

    fn figures(&self) -> TaskFigures {
        let Self { images, bytes, identical, other_shape, .. } = *self;
        let figures = ImageFigures { images, bytes, identical, other_shape, psnr_db: self.psnr.figures() };
        let lines = if images > 0 { vec![("images", describe(&figures))] } else { vec![] };
        TaskFigures {
            name: ImageTask.name(),
            // Counts and finite numbers always have a JSON form.
            object: serde_json::to_value(&figures).unwrap_or_default(),
            answered: format!("{images} images"),
            lines,
            circles: None,
            error_px: None,
            bounds: self.psnr.bounds(),
            warnings: Vec::new(),
        }
    }
}

/// The largest level of the image's pixels, which are those of its frame.
fn peak(answer: &[Cell]) -> f64 {
    let is_deep = answer.get(2).copied() == Some(Cell::Word(PixelFormat::Gray16.name()));
    if is_deep { PEAK_OF_16_BITS } else { PEAK_OF_8_BITS }
}

/// An image's columns, without its comparison with a frame.
fn cells(answer: &ImageAnswer<'_>) -> Cells {
    let [width, height] = [answer.size.width, answer.size.height].map(|side| Cell::Integer(side.into()));
    smallvec![
        width,
        height,
        Cell::Word(answer.pixel.name()),
        Cell::Word(answer.encoding.name()),
        Cell::Integer(answer.data.len() as i64)
    ]
}

/// The images for people: "12.3 MB; PSNR mean 34.15 dB, p50 34.15, min 34.15; 3 identical".
fn describe(figures: &ImageFigures) -> String {
    let ImageFigures { bytes, identical, other_shape, psnr_db, .. } = figures;
    let mut parts = vec![format!("{:.1} MB", *bytes as f64 / 1e6)];
    if let (Some(mean), Some(p50), Some(min)) = (psnr_db.mean, psnr_db.p50, psnr_db.min) {
        parts.push(format!("PSNR mean {mean:.2} dB, p50 {p50:.2}, min {min:.2}"));
    }
    if *identical > 0 {
        parts.push(format!("{identical} identical to their frames"));
    }
    if *other_shape > 0 {
        parts.push(format!("{other_shape} of another shape"));
    }
    parts.join("; ")
}

fn decibels(db: f64) -> String {
    format!("{db:.2}")
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;
    use shared::protocol::encoding::{Lz4Encoder, PngEncoder};

    use super::*;

    const SIZE: Size = Size { width: 8, height: 4 };

    fn frame() -> Image {
        Image::from_bytes(&[10; 32], SIZE, PixelFormat::Gray8).unwrap()
    }

    fn image(size: Size, encoding: Encoding, data: &[u8]) -> Payload<'_> {
        ImageAnswer { size, pixel: PixelFormat::Gray8, encoding, data: Cow::Borrowed(data) }.write()
    }

    fn scored(scorer: &mut ImageScorer, payload: &Payload<'_>) -> Cell {
        let cells = scorer.compare(payload, &frame()).unwrap();
        scorer.score(Truth::Unknown, Outcome::Answered, Some(&cells)).residual[0]
    }

    #[test]
    fn identical_images_are_counted_and_the_psnr_is_of_the_others() {
        let mut scorer = ImageScorer::default();
        assert_eq!(scored(&mut scorer, &image(SIZE, Encoding::Raw, &[10; 32])), Cell::Empty);
        let block = Lz4Encoder::default().encode(&[15; 32]).unwrap().to_vec();
        let Cell::Real(db) = scored(&mut scorer, &image(SIZE, Encoding::Lz4, &block)) else { panic!("no PSNR") };
        assert!((db - 34.151_403_521_958_73).abs() < 1e-12);
        let narrow = Size { width: 4, height: 4 };
        assert_eq!(scored(&mut scorer, &image(narrow, Encoding::Raw, &[10; 16])), Cell::Empty);
        scorer.score(Truth::Unknown, Outcome::Dropped, None);
        let TaskFigures { object, answered, lines, .. } = scorer.figures();
        let counts = [&object["images"], &object["identical"], &object["other_shape"], &object["bytes"]];
        assert_eq!(counts, [&json!(3), &json!(1), &json!(1), &json!(32 + 16 + block.len())]);
        assert_eq!((&object["psnr_db"]["mean"], &object["psnr_db"]["p50"]), (&json!(db), &json!(db)));
        assert_eq!(answered, "3 images");
        let expected =
            "0.0 MB; PSNR mean 34.15 dB, p50 34.15, min 34.15; 1 identical to their frames; 1 of another shape";
        assert_eq!(lines, [("images", expected.to_owned())]);
    }

    #[test]
    fn a_session_whose_images_are_all_identical_has_no_psnr() {
        let mut scorer = ImageScorer::default();
        scored(&mut scorer, &image(SIZE, Encoding::Raw, &[10; 32]));
        assert_eq!(scorer.figures().object["psnr_db"]["mean"], serde_json::Value::Null);
    }

    #[test]
    fn the_last_picture_is_kept_for_the_window() {
        let mut scorer = ImageScorer::default();
        assert!(scorer.picture().is_none());
        let mut png = PngEncoder::default();
        // It is longer than these few pixels.
        png.encode(&Image::from_bytes(&[7; 32], SIZE, PixelFormat::Gray8).unwrap());
        for (encoding, data) in [
            (Encoding::Raw, vec![7; 32]),
            (Encoding::Lz4, Lz4Encoder::default().encode(&[7; 32]).unwrap().to_vec()),
            (Encoding::Png, png.picture().to_vec()),
        ] {
            scorer.compare(&image(SIZE, encoding, &data), &frame()).unwrap();
            assert_eq!(scorer.picture().unwrap().to_image().bytes(), [7; 32]);
        }
        let larger = Size { width: 8, height: 5 };
        assert!(scorer.compare(&image(larger, Encoding::Raw, &[7; 40]), &frame()).is_err());
        assert!(scorer.picture().is_none(), "a refused image is not shown");
    }

    #[test]
    fn other_kinds_are_refused_by_name() {
        let refused = ImageScorer::default().compare(&Payload::new("ack"), &frame()).unwrap_err().to_string();
        assert_eq!(refused, "kind \"ack\" is not one of image, dropped");
    }
}
