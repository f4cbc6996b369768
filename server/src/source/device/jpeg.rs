//! Decodes JPEG files from a camera's buffer. They often lack Huffman tables, and have padding after their end.

use shared::image::{Image, file};

/// The image in a JPEG file; `None` if it is damaged or cut short.
pub(super) fn decoded(bytes: &[u8]) -> Option<Image> {
    file::read_stream(bytes).ok().map(|picture| picture.image)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::geometry::Size;

    use super::*;

    /// What a webcam sends: 128x96, a bright disc, no Huffman tables.
    const WEBCAM: &[u8] = include_bytes!("data/without_huffman_tables.jpg");

    #[test]
    fn a_webcams_file_without_huffman_tables_shows_its_disc() {
        let Some(image) = decoded(WEBCAM) else { panic!("it is decoded") };
        assert_eq!(image.size(), Size { width: 128, height: 96 });
        let levels = image.into_gray_levels().mapv(f64::from);
        let ground = levels[[0, 0]];
        let weigh = |of: &dyn Fn(usize, usize) -> f64| -> f64 {
            levels.indexed_iter().map(|((row, column), level)| (level - ground) * of(row, column)).sum()
        };
        let all = weigh(&|_, _| 1.0);
        let (x, y) = (weigh(&|_, column| column as f64) / all, weigh(&|row, _| row as f64) / all);
        assert!((x - 60.25).abs() < 0.05 && (y - 44.5).abs() < 0.05, "({x}, {y})");
    }

    #[test]
    fn a_padded_buffer_is_an_image_and_a_truncated_file_is_not() {
        assert_eq!(decoded(&[WEBCAM, &[0; 50]].concat()), decoded(WEBCAM));
        assert!((0..WEBCAM.len()).step_by(7).all(|length| decoded(&WEBCAM[..length]).is_none()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(place in 0_usize..WEBCAM.len(), byte in any::<u8>(), tail in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut damaged = WEBCAM.to_vec();
            damaged[place] = byte;
            let _ = decoded(&damaged);
            let _ = decoded(&tail);
            let _ = decoded(&[&WEBCAM[..2], &tail, &WEBCAM[WEBCAM.len() - 2..]].concat());
        }
    }
}
