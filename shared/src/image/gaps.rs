//! Narrow gaps in a depth image: runs of pixels without a reading.
//!
//! A depth camera has no reading where its projector's light is blocked. Such a shadow lies on the farther of the two
//! surfaces beside it, so a detector sees it as a part of that surface. With level 0, which stands for the nearest
//! reading, the shadow would be a part of the nearer one, and would pull the centre of a ball to its side.

use ndarray::{ArrayView1, ArrayViewMut1};

/// Width of the row divided by the length of the longest gap that is filled.
///
/// A shadow is at most f · b / z wide, with the focal length f, the baseline b and the depth z of what casts it. For
/// Kinect (f = 0.92 widths, b = 75 mm) at 0.8 m, the least distance it is made for, this is 1/11.6 of the width. A
/// longer gap is a place where the camera sees nothing, and says nothing about the surfaces beside it.
const WIDTH_OVER_GAP: usize = 11;

/// Gives each narrow gap in a row the higher one of the levels beside it; at the end of the row, the one level.
pub(super) fn fill(levels: &mut ArrayViewMut1<'_, u8>, values: ArrayView1<'_, u16>) {
    let width = values.len();
    let mut x = 0;
    while x < width {
        let start = x;
        while x < width && values[x] == 0 {
            x += 1;
        }
        let length = x - start;
        if length > 0 && length <= width / WIDTH_OVER_GAP {
            let left = start.checked_sub(1).map_or(0, |left| levels[left]);
            let right = if x < width { levels[x] } else { 0 };
            levels.slice_mut(ndarray::s![start..x]).fill(left.max(right));
        }
        x += 1;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;

    /// The levels of a row 44 px wide, with readings of 100 and 200 on the left and the right of a gap.
    fn filled(gap: std::ops::Range<usize>) -> Array1<u8> {
        let values = Array1::from_shape_fn(44, |x| match x {
            x if gap.contains(&x) => 0,
            x if x < gap.start => 100,
            _ => 200,
        });
        let mut levels = values.mapv(|value| value as u8);
        fill(&mut levels.view_mut(), values.view());
        levels
    }

    #[test]
    fn a_narrow_gap_belongs_to_the_farther_side() {
        assert_eq!(filled(10..14), Array1::from_shape_fn(44, |x| if x < 10 { 100 } else { 200 }));
        assert_eq!(filled(0..4), Array1::from_elem(44, 200));
        assert_eq!(filled(40..44), Array1::from_elem(44, 100));
    }

    #[test]
    fn a_wide_gap_stays_unchanged() {
        let levels = filled(10..15);
        assert!(levels.iter().skip(10).take(5).all(|&level| level == 0), "{levels}");
        assert_eq!(levels[15], 200);
    }
}
