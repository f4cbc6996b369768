//! The pipeline `edges`: Canny's edges (PAMI 8(6), 1986), white on black, by `imageproc`.

use image::GrayImage;
use imageproc::edges::canny;
use shared::image::{GrayLevels, ImageView, PixelFormat};

use super::image::{Editor, ImageKind, Picture};

/// The pipeline `edges`, for the list.
pub(super) const KIND: ImageKind =
    ImageKind { name: "edges", finds_circles: false, editor: |_| Box::new(Edges::default()) };

/// Thresholds of the hysteresis, as Sobel responses after a blur of 1.4 px. Their ratio is 2, as Canny recommends.
///
/// Noise of 10 gray levels has a response of 8 (sigma of one component), so even seven sigmas of noise make no edge. A
/// step of one gray level has a response of 2, so a step of 30 gray levels makes an edge.
const LOW: f32 = 30.0;
const HIGH: f32 = 60.0;

/// Finds edges.
#[derive(Default)]
struct Edges {
    /// The gray levels of a frame that is not gray8.
    levels: GrayLevels,
    /// The gray levels of the frame.
    gray: Vec<u8>,
}

impl Editor for Edges {
    fn edit(&mut self, image: ImageView<'_>) -> Picture {
        let size = image.size();
        let mut gray = std::mem::take(&mut self.gray);
        gray.clear();
        gray.extend(self.levels.of(image));
        let Some(gray) = GrayImage::from_raw(size.width, size.height, gray).filter(|gray| !gray.is_empty()) else {
            return (size, answered(image), Vec::new());
        };
        let edges = canny(&gray, LOW, HIGH).into_raw();
        self.gray = gray.into_raw();
        let format = answered(image);
        match format.channels() {
            1 => (size, format, edges),
            _ => (size, format, edges.into_iter().flat_map(|edge| [edge; 3]).collect()),
        }
    }
}

/// The format of the answer: that of the frame, with 8 bits.
fn answered(image: ImageView<'_>) -> PixelFormat {
    match image {
        ImageView::Gray8(_) | ImageView::Gray16(_) => PixelFormat::Gray8,
        ImageView::Bgr8(_) => PixelFormat::Bgr8,
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Circle;
    use shared::image::Image;

    use super::*;
    use crate::pipeline::testing::{Canvas, Random};

    const DISC: Circle = Circle { x: 60.0, y: 45.0, radius: 20.0 };

    fn edited(image: &Image) -> Image {
        let (size, pixel, data) = Edges::default().edit(image.view());
        Image::from_bytes(&data, size, pixel).expect("as many bytes as pixels")
    }

    #[test]
    fn a_discs_edges_are_its_rim_all_around() {
        // A faint one: 40 gray levels in noise of 5.
        let frame = Image::Gray8(Canvas::new(120, 90, 60.0).disc(DISC, 100.0).shot(5.0, &mut Random::new(1)));
        let Image::Gray8(edges) = edited(&frame) else { panic!("not gray") };
        assert!(edges.iter().all(|level| matches!(level, 0 | 255)));
        let white = edges.indexed_iter().filter(|(_, level)| **level == 255).map(|((row, column), _)| (row, column));
        let places: Vec<_> = white.map(|(row, column)| (column as f64 - DISC.x, row as f64 - DISC.y)).collect();
        assert!(places.iter().all(|(x, y)| (x.hypot(*y) - DISC.radius).abs() < 2.5), "{places:?}");
        let sector = |(x, y): &(f64, f64)| ((y.atan2(*x) / std::f64::consts::TAU * 32.0).rem_euclid(32.0)) as u32;
        let seen = places.iter().fold(0u32, |seen, place| seen | 1 << sector(place));
        assert_eq!(seen, u32::MAX, "an edge in each of 32 directions");
    }

    #[test]
    fn noise_alone_has_no_edges() {
        for seed in 0..10 {
            let frame = Image::Gray8(Canvas::new(160, 120, 60.0).shot(10.0, &mut Random::new(seed)));
            assert!(edited(&frame).bytes().iter().all(|level| *level == 0), "seed {seed}");
        }
    }

    #[test]
    fn a_frame_in_colour_has_the_edges_of_its_gray_levels_in_all_channels() {
        let gray = Image::Gray8(Canvas::new(120, 90, 40.0).disc(DISC, 180.0).shot(3.0, &mut Random::new(2)));
        assert_eq!(edited(&gray.clone().into_bgr()), edited(&gray).into_bgr());
        let deep = Image::Gray16(gray.into_gray_levels().mapv(|level| 500 + 9 * u16::from(level)));
        assert_eq!(edited(&deep), edited(&deep.clone().into_gray()), "a frame of 16 bits has those of its levels");
    }
}
