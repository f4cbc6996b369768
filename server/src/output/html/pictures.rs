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
use crate::output::Steps;
use crate::output::worst::{Crop, crop};
use crate::source::{self, NUMBERED_FRAMES, Numbered};

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

/// What a frame is rendered again for.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// The picture of the frame at this place among the worst.
    Picture(usize, &'a Bad),
    /// The contrast of a frame in the sample of this session.
    Contrast(u64, &'a Point),
}

impl Wanted<'_> {
    fn source_index(self) -> u64 {
        match self {
            Self::Picture(_, bad) => bad.source_index,
            Self::Contrast(_, point) => point.source_index,
        }
    }
}

/// Renders frames again, or takes the pictures that were kept. Each frame is a step.
pub(super) fn pictures(gathered: &Gathered, steps: &Steps) -> Pictures {
    if !source::is_computed(&gathered.spec.sent.source) {
        let worst = gathered.worst.shown().map(|bad| gathered.crop(bad).and_then(picture));
        return Pictures { worst: worst.collect(), contrasts: Vec::new() };
    }
    match source::supply(&gathered.spec).and_then(|supply| supply.numbered()) {
        Ok(Some(mut numbered)) => {
            // Some sources compute much before their first frame.
            steps.done();
            let rendered = caught(|| again(gathered, &mut *numbered, steps));
            rendered.unwrap_or_else(|wrong| {
                warn!("the page has no pictures: {wrong}");
                Pictures::default()
            })
        }
        // A run that is not possible has no frames either. The page then says that there are no pictures.
        _ => Pictures::default(),
    }
}

/// Renders the frames in the order of the source: a later frame is reached from the one before, and an earlier one is
/// played from the start. A frame that takes too long to reach is left out.
fn again(gathered: &Gathered, numbered: &mut dyn Numbered, steps: &Steps) -> Pictures {
    let worst = gathered.worst.shown().enumerate().map(|(place, bad)| Wanted::Picture(place, bad));
    let mut wanted: Vec<_> = worst.chain(sampled(gathered)).collect();
    wanted.retain(|wanted| wanted.source_index() < NUMBERED_FRAMES);
    wanted.sort_by_key(|wanted| wanted.source_index());
    let worst = gathered.worst.shown().map(|_| None).collect();
    let mut pictures = Pictures { worst, contrasts: Vec::new() };
    for wanted in wanted {
        let image = numbered.at(wanted.source_index()).image;
        match wanted {
            Wanted::Picture(place, bad) => pictures.worst[place] = picture(&crop(image, &bad.rings)),
            Wanted::Contrast(session, point) => pictures.contrasts.extend(measured(image, session, point)),
        }
        steps.done();
    }
    pictures
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

/// The frames in each session's sample whose contrast is measured.
fn sampled(gathered: &Gathered) -> impl Iterator<Item = Wanted<'_>> {
    let size = gathered.spec.size();
    let each = CONTRAST_PIXELS / size.pixels().max(1) / gathered.sessions.len().max(1);
    gathered.sessions.iter().flat_map(move |frames| {
        let known = frames.sample.points().filter(|point| point.radius.is_some() && point.residual.is_some());
        let step = known.clone().count().div_ceil(each.max(1)).max(1);
        known.step_by(step).map(move |point| Wanted::Contrast(frames.number, point))
    })
}

/// The contrast of a frame with this image. `None` if it cannot be measured.
fn measured(image: &Image, session: u64, point: &Point) -> Option<Contrast> {
    let levels = contrast(image, point)?;
    Some(Contrast { session, levels, residual: point.residual?, limit: point.limit })
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

#[cfg(test)]
mod tests {
    use shared::geometry::Size;
    use shared::image::PixelFormat;

    use super::*;
    use crate::output::html::tests::{frame, spec};
    use crate::source::SourceFrame;
    use crate::task::TaskName;
    use crate::truth::Truth;

    /// Notes the frames that it is asked for.
    struct Asked {
        image: Image,
        indices: Vec<u64>,
    }

    impl Numbered for Asked {
        fn at(&mut self, index: u64) -> SourceFrame<'_> {
            self.indices.push(index);
            SourceFrame { index, image: &self.image, truth: Truth::Unknown, meta: None }
        }
    }

    #[test]
    fn frames_are_rendered_in_the_order_of_the_source_and_each_is_a_step() {
        let mut gathered = Gathered::new(spec(), TaskName::default());
        for id in 0..400 {
            // In each session the worst frames are not in order.
            gathered.add(1 + id % 2, &frame(id, [0.01 * (id * 37 % 100) as f64, 0.1], 900));
        }
        let image = Image::zeros(Size { width: 640, height: 480 }, PixelFormat::Gray8);
        let (mut asked, steps) = (Asked { image, indices: Vec::new() }, Steps::default());
        let pictures = again(&gathered, &mut asked, &steps);
        let indices = asked.indices;
        assert!(indices.is_sorted() && indices.len() > 12, "{indices:?}");
        assert_eq!(steps.count(), indices.len() as u64);
        assert_eq!((pictures.worst.len(), pictures.worst.iter().flatten().count()), (12, 12));
    }
}
