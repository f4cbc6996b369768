//! A frame and the picture that came back, side by side.

use ndarray::{Array2, Array3};
use shared::canvas::colour::{Colours, Look};
use shared::geometry::Size;
use shared::image::Image;

/// Size of both pictures side by side, for frames of this size.
pub(super) fn size_of_both(frame: Size) -> Size {
    Size { width: 2 * frame.width, height: frame.height }
}

/// The frame on the left, and the answer on the right. The answer is scaled to fit the frame's size, by nearest pixels.
/// It is black if there is no answer. Both are in colour if one of them is, or if only one of them has 16 bits: that
/// one has the colours of this look.
pub(super) fn side_by_side(frame: &Image, answer: Option<&Image>, look: Look) -> Image {
    let black = Image::zeros(Size { width: 1, height: 1 }, frame.format());
    let answer = answer.unwrap_or(&black);
    let (left, right) = (Places::of(frame.size(), frame.size()), Places::of(answer.size(), frame.size()));
    let Size { width, height } = size_of_both(frame.size());
    let (rows, columns) = (height as usize, width as usize);
    let of_half = |row: usize, column: usize| match column.checked_sub(columns / 2) {
        None => (true, left.pixel(row, column)),
        Some(column) => (false, right.pixel(row, column)),
    };
    match (frame, answer) {
        (Image::Gray8(frame), Image::Gray8(answer)) => {
            Image::Gray8(Array2::from_shape_fn((rows, columns), |(row, column)| match of_half(row, column) {
                (true, Some(place)) => frame[place],
                (false, Some(place)) => answer[place],
                (_, None) => 0,
            }))
        }
        (Image::Gray16(frame), Image::Gray16(answer)) => {
            Image::Gray16(Array2::from_shape_fn((rows, columns), |(row, column)| match of_half(row, column) {
                (true, Some(place)) => frame[place],
                (false, Some(place)) => answer[place],
                (_, None) => 0,
            }))
        }
        (frame, answer) => {
            let (frame, answer) = (colour(frame, look), colour(answer, look));
            Image::Bgr8(Array3::from_shape_fn((rows, columns, 3), |(row, column, channel)| {
                match of_half(row, column) {
                    (true, Some([row, column])) => frame[[row, column, channel]],
                    (false, Some([row, column])) => answer[[row, column, channel]],
                    (_, None) => 0,
                }
            }))
        }
    }
}

fn colour(image: &Image, look: Look) -> Array3<u8> {
    let colours = Colours::of(image, look);
    match colours.map_or_else(|| image.clone().into_bgr(), |colours| colours.painted(image.clone())) {
        Image::Bgr8(pixels) => pixels,
        // Unreachable: both always return colour.
        Image::Gray8(_) | Image::Gray16(_) => Array3::zeros((0, 0, 3)),
    }
}

/// For each place of the room that a picture is scaled to: the row and the column of the picture shown there.
struct Places {
    rows: Vec<Option<usize>>,
    columns: Vec<Option<usize>>,
}

impl Places {
    /// Centres a picture of this size in the room, as large as fits.
    fn of(picture: Size, room: Size) -> Self {
        let [width, height, room_width, room_height] =
            [picture.width, picture.height, room.width, room.height].map(u64::from);
        let is_wide = width * room_height >= room_width * height;
        let (shown_width, shown_height) = match is_wide {
            true => (room_width, (height * room_width / width).max(1)),
            false => ((width * room_height / height).max(1), room_height),
        };
        Self { rows: sources(height, shown_height, room_height), columns: sources(width, shown_width, room_width) }
    }

    fn pixel(&self, row: usize, column: usize) -> Option<[usize; 2]> {
        Some([self.rows[row]?, self.columns[column]?])
    }
}

/// For each place along one side of the room, the nearest of the picture's `from` pixels. The picture covers the middle
/// `shown` places; the others are `None`.
fn sources(from: u64, shown: u64, room: u64) -> Vec<Option<usize>> {
    let before = (room - shown) / 2;
    let source =
        |place: u64| place.checked_sub(before).filter(|place| *place < shown).map(|place| place * from / shown);
    (0..room).map(|place| source(place).map(|source| source as usize)).collect()
}

#[cfg(test)]
mod tests {
    use shared::image::PixelFormat;

    use super::*;

    fn gray(width: u32, height: u32, pixels: &[u8]) -> Image {
        Image::from_bytes(pixels, Size { width, height }, PixelFormat::Gray8).unwrap()
    }

    fn beside(frame: &Image, answer: Option<&Image>) -> Image {
        side_by_side(frame, answer, Look::default())
    }

    #[test]
    fn a_picture_of_the_frames_size_is_shown_beside_it_pixel_for_pixel() {
        let both = beside(&gray(2, 2, &[1, 2, 3, 4]), Some(&gray(2, 2, &[5, 6, 7, 8])));
        assert_eq!(both, gray(4, 2, &[1, 2, 5, 6, 3, 4, 7, 8]));
        let alone = beside(&gray(2, 2, &[1, 2, 3, 4]), None);
        assert_eq!(alone, gray(4, 2, &[1, 2, 0, 0, 3, 4, 0, 0]));
    }

    #[test]
    fn a_picture_of_another_size_is_scaled_to_fit_and_centred() {
        let tall = beside(&gray(4, 2, &[9; 8]), Some(&gray(1, 1, &[5])));
        assert_eq!(tall, gray(8, 2, &[9, 9, 9, 9, 0, 5, 5, 0, 9, 9, 9, 9, 0, 5, 5, 0]));
        let wide = beside(&gray(2, 3, &[9; 6]), Some(&gray(4, 1, &[1, 2, 3, 4])));
        assert_eq!(wide, gray(4, 3, &[9, 9, 0, 0, 9, 9, 1, 3, 9, 9, 0, 0]));
    }

    #[test]
    fn both_are_in_colour_if_one_is() {
        let colour = Image::zeros(Size { width: 1, height: 1 }, PixelFormat::Bgr8);
        let both = beside(&gray(1, 1, &[7]), Some(&colour));
        assert_eq!((both.format(), both.bytes()), (PixelFormat::Bgr8, &[7, 7, 7, 0, 0, 0][..]));
    }

    #[test]
    fn an_image_of_sixteen_bits_is_coloured_only_beside_one_of_eight() {
        let deep = |value| Image::Gray16(ndarray::array![[value]]);
        assert_eq!(beside(&deep(700), Some(&deep(900))), Image::Gray16(ndarray::array![[700, 900]]));
        assert_eq!(beside(&deep(700), None), Image::Gray16(ndarray::array![[700, 0]]));
        let mixed = beside(&deep(700), Some(&gray(1, 1, &[9])));
        let [r, g, b] = shared::canvas::colour::Colormap::Turbo.colour(128);
        assert_eq!((mixed.format(), mixed.bytes()), (PixelFormat::Bgr8, &[b, g, r, 9, 9, 9][..]));
    }
}
