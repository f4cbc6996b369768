//! Memory layouts of a frame's pixels.

use ndarray::{Array2, ArrayView2, s};

/// The layout of the pixels in memory.
#[derive(Clone, Copy)]
pub(super) enum Layout {
    Rows,
    Columns,
    EverySecond,
    FromTheLast,
}

impl Layout {
    /// Calls `see` with a view of the same pixels in this layout.
    pub(super) fn show(self, picture: &Array2<u8>, mut see: impl FnMut(ArrayView2<'_, u8>)) {
        let (rows, columns) = picture.dim();
        match self {
            Self::Rows => see(picture.view()),
            Self::Columns => see(picture.t().as_standard_layout().t()),
            Self::EverySecond => {
                let mut wide = Array2::from_elem((2 * rows, 2 * columns), 77);
                wide.slice_mut(s![..;2, ..;2]).assign(picture);
                see(wide.slice(s![..;2, ..;2]));
            }
            Self::FromTheLast => {
                let turned = picture.slice(s![..;-1, ..;-1]).as_standard_layout().into_owned();
                see(turned.slice(s![..;-1, ..;-1]));
            }
        }
    }
}
