//! Makes pictures of the worst frames, and measures the contrast of a sample of frames. Frames of a computed source are
//! rendered again, and frames of a file are read again. A camera's frames are not kept, so they have no pictures.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, GrayImage, ImageEncoder, RgbImage, imageops};
use shared::image::{Image, ImageView};

use super::gathered::Gathered;
use super::sample::Point;
use super::worst::{Bad, Ring};
use crate::source::{self, Numbered, Source};

/// Longest side of a picture, in px.
const SIDE: f64 = 128.0;

/// Shortest side of a crop, in px.
const SHORTEST: f64 = 32.0;

/// Margin around the circles in a crop, in px.
const ROOM: f64 = 8.0;

/// Size limit of a lossless picture, in bytes. Twelve of them take 320 kB of the page.
const MOST_BYTES: usize = 20_000;

/// JPEG quality of pictures that would be larger.
const QUALITY: u8 = 88;

/// Maximum number of pixels that are rendered again to measure contrasts: 78 frames of 640x480, which take a fraction
/// of a second.
const CONTRAST_PIXELS: usize = 24_000_000;

/// Maximum number of frames that are read again from a file.
const MOST_READ: u64 = 2_000;

/// A picture of a frame or of a part of it.
#[derive(Debug)]
pub(super) struct Picture {
    /// The picture as a `data:` address.
    pub(super) data: String,
    /// Left, top, width and height of the part, in px of the frame, where 0 is the middle of the first pixel.
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

/// The frames that were rendered or read again.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// For each of the worst frames, its picture if there is one.
    pub(super) worst: Vec<Option<Picture>>,
    pub(super) contrasts: Vec<Contrast>,
}

/// Renders or reads frames again.
pub(super) fn again(gathered: &Gathered) -> Pictures {
    let worst: Vec<_> = gathered.worst.frames().collect();
    // If the source can no longer be opened, there are no pictures, and the page says so.
    let Ok(supply) = source::supply(&gathered.spec) else { return Pictures::default() };
    if let Ok(Some(mut numbered)) = supply.numbered() {
        let pictures = worst.iter().map(|bad| picture(numbered.at(bad.source_index).image, bad));
        return Pictures { worst: pictures.collect(), contrasts: contrasts(gathered, &mut *numbered) };
    }
    let can_be_read = !source::is_device(&gathered.spec.sent.source) && !worst.is_empty();
    match supply.open() {
        Ok(source) if can_be_read => Pictures { worst: read(source, &worst), contrasts: Vec::new() },
        _ => Pictures::default(),
    }
}

/// Reads a source up to the last of these frames.
fn read(mut source: Box<dyn Source>, worst: &[&Bad]) -> Vec<Option<Picture>> {
    let mut pictures: Vec<Option<Picture>> = worst.iter().map(|_| None).collect();
    for _ in 0..MOST_READ {
        let Ok(Some(frame)) = source.next() else { break };
        for (bad, place) in worst.iter().zip(&mut pictures) {
            if bad.source_index == frame.index && place.is_none() {
                *place = picture(frame.image, bad);
            }
        }
        if pictures.iter().all(Option::is_some) {
            break;
        }
    }
    pictures
}

fn picture(frame: &Image, bad: &Bad) -> Option<Picture> {
    let whole = shown(frame);
    let [width, height] = [whole.width(), whole.height()].map(f64::from);
    let (part, area) = match part(bad, [width, height]) {
        Some([left, top, side, tall]) => {
            (whole.crop_imm(left as u32, top as u32, side as u32, tall as u32), [left - 0.5, top - 0.5, side, tall])
        }
        None => {
            let scale = (SIDE / width.max(height)).min(1.0);
            let [small, low] = [width, height].map(|side| (side * scale).round().max(1.0) as u32);
            (whole.resize_exact(small, low, imageops::FilterType::Triangle), [-0.5, -0.5, width, height])
        }
    };
    Some(Picture { data: data(&part)?, area })
}

/// Converts the frame to an image that people can view.
fn shown(frame: &Image) -> DynamicImage {
    match frame.view() {
        ImageView::Bgr8(pixels) => {
            let (height, width, _) = pixels.dim();
            let place = |x: u32, y: u32, channel: usize| pixels[[y as usize, x as usize, channel]];
            let rgb = |x, y| image::Rgb([place(x, y, 2), place(x, y, 1), place(x, y, 0)]);
            DynamicImage::ImageRgb8(RgbImage::from_fn(width as u32, height as u32, rgb))
        }
        _ => {
            let levels = frame.clone().into_gray_levels();
            let (height, width) = levels.dim();
            let gray = |x: u32, y: u32| image::Luma([levels[[y as usize, x as usize]]]);
            DynamicImage::ImageLuma8(GrayImage::from_fn(width as u32, height as u32, gray))
        }
    }
}

/// The part of the frame around truth and estimate: left, top, width and height in whole pixels. `None` if the frame
/// has neither.
fn part(bad: &Bad, size: [f64; 2]) -> Option<[f64; 4]> {
    let (middle, _) = bad.truth.or(bad.estimate)?;
    let rings = bad.truth.iter().chain(&bad.estimate);
    let reach =
        |([x, y], radius): &Ring| (x - middle[0]).abs().max((y - middle[1]).abs()) + radius.unwrap_or_default() + ROOM;
    let side = (2.0 * rings.map(reach).fold(0.0, f64::max)).ceil().clamp(SHORTEST, SIDE);
    let fit = |at: f64, whole: f64| {
        let side = side.min(whole);
        ((at - side / 2.0).round().clamp(0.0, whole - side), side)
    };
    let ((left, width), (top, height)) = (fit(middle[0], size[0]), fit(middle[1], size[1]));
    Some([left, top, width, height])
}

/// The picture as a `data:` address: PNG, or JPEG if that would be large.
fn data(picture: &DynamicImage) -> Option<String> {
    let (bytes, colour) = (picture.as_bytes(), picture.color().into());
    let (width, height) = (picture.width(), picture.height());
    let mut written = Vec::new();
    let png = PngEncoder::new_with_quality(&mut written, CompressionType::Best, FilterType::Adaptive);
    png.write_image(bytes, width, height, colour).ok()?;
    let mut kind = "png";
    if written.len() > MOST_BYTES {
        written.clear();
        JpegEncoder::new_with_quality(&mut written, QUALITY).write_image(bytes, width, height, colour).ok()?;
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
