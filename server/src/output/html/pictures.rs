//! Makes pictures of the worst frames, and measures the contrast of a sample of frames. Frames of computed sources are
//! rendered again. Pictures of other sources' frames were kept during the run.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::ImageEncoder;
use image::codecs::jpeg::JpegEncoder;
use shared::image::Image;
use shared::memory::caught;
use tracing::warn;

use super::bad::Bad;
use super::gathered::Gathered;
use super::sample::Point;
use crate::output::worst::{Crop, crop};
use crate::source::{self, Numbered};

/// Size limit of a lossless picture, in bytes. Twelve of them take 320 kB of the page.
const MOST_BYTES: usize = 20_000;

/// JPEG quality of pictures that would be larger.
const QUALITY: u8 = 88;

/// Maximum number of pixels that are rendered again to measure contrasts: 78 frames of 640x480, which take a fraction
/// of a second.
const CONTRAST_PIXELS: usize = 24_000_000;

/// A picture of a frame or of a part of it.
#[derive(Debug)]
pub(super) struct Picture {
    /// The picture as a `data:` address.
    pub(super) data: String,
    /// Left, top, width and height of the part, as in [`Crop`].
    pub(super) area: [f64; 4],
}

/// The contrast of a frame's ball.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contrast {
    pub(super) session: u64,
    pub(super) levels: f64,
    pub(super) residual: f64,
    pub(super) limit: Option<f64>,
}

/// What is shown of single frames.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// For each of the worst frames, its picture if there is one.
    pub(super) worst: Vec<Option<Picture>>,
    pub(super) contrasts: Vec<Contrast>,
}

/// Renders frames again, or takes the pictures that were kept.
pub(super) fn pictures(gathered: &Gathered) -> Pictures {
    if !source::is_computed(&gathered.spec.sent.source) {
        let worst = gathered.worst.shown().map(|bad| gathered.crop(bad).and_then(picture));
        return Pictures { worst: worst.collect(), contrasts: Vec::new() };
    }
    match source::supply(&gathered.spec).and_then(|supply| supply.numbered()) {
        Ok(Some(mut numbered)) => {
            let rendered = caught(|| {
                let again = |bad: &Bad| picture(&crop(numbered.at(bad.source_index).image, &bad.rings));
                let worst = gathered.worst.shown().map(again).collect();
                Pictures { worst, contrasts: contrasts(gathered, &mut *numbered) }
            });
            rendered.unwrap_or_else(|wrong| {
                warn!("the page has no pictures: {wrong}");
                Pictures::default()
            })
        }
        // A run that is not possible has no frames either. The page then says that there are no pictures.
        _ => Pictures::default(),
    }
}

fn picture(crop: &Crop) -> Option<Picture> {
    Some(Picture { data: data(crop)?, area: crop.area })
}

/// The picture as a `data:` address: PNG, or JPEG if that would be large.
fn data(crop: &Crop) -> Option<String> {
    let (mut written, mut kind) = (crop.png()?, "png");
    if written.len() > MOST_BYTES {
        written.clear();
        let (picture, jpeg) = (&crop.image, JpegEncoder::new_with_quality(&mut written, QUALITY));
        jpeg.write_image(picture.as_bytes(), picture.width(), picture.height(), picture.color().into()).ok()?;
        kind = "jpeg";
    }
    Some(format!("data:image/{kind};base64,{}", BASE64_STANDARD.encode(written)))
}

/// Computes the contrasts of frames in each session's sample.
fn contrasts(gathered: &Gathered, numbered: &mut dyn Numbered) -> Vec<Contrast> {
    let size = gathered.spec.size();
    let each = CONTRAST_PIXELS / size.pixels().max(1) / gathered.sessions.len().max(1);
    let mut contrasts = Vec::new();
    for frames in &gathered.sessions {
        let measured = frames.sample.points().filter(|point| point.radius.is_some() && point.residual.is_some());
        let step = measured.clone().count().div_ceil(each.max(1)).max(1);
        contrasts.extend(measured.step_by(step).filter_map(|point| {
            let levels = contrast(numbered.at(point.source_index).image, point)?;
            Some(Contrast { session: frames.number, levels, residual: point.residual?, limit: point.limit })
        }));
    }
    contrasts
}

/// Mean gray level inside the ball minus that of a ring around it. `None` if either has no pixel.
fn contrast(frame: &Image, point: &Point) -> Option<f64> {
    let ([x, y], radius) = (point.truth?, point.radius?);
    let levels = frame.clone().into_gray_levels();
    let (height, width) = levels.dim();
    // Keep away from the edge, which blur and motion soften.
    let ([inner, from, to], mut sums) = ([radius * 0.8, radius * 1.2, radius * 1.5 + 1.0], [(0.0, 0.0); 2]);
    let range = |at: f64, end: usize| ((at - to).max(0.0) as usize)..((at + to + 1.0).max(0.0) as usize).min(end);
    for row in range(y, height) {
        for column in range(x, width) {
            let far = (column as f64 - x).hypot(row as f64 - y);
            let place = if far < inner { 0 } else { 1 };
            if far < inner || (from..to).contains(&far) {
                sums[place].0 += f64::from(levels[[row, column]]);
                sums[place].1 += 1.0;
            }
        }
    }
    let [ball, around] = sums.map(|(sum, count)| (count > 0.0).then(|| sum / count));
    Some(ball? - around?)
}
