//! What a borrowed image is.

use ndarray::{ArrayView2, ArrayView3};

/// A borrowed image: its pixels stay in the message that they arrived in, or in memory that is used for every frame.
#[derive(Clone, Copy, Debug)]
pub enum ImageView<'a> {
    /// `[rows, columns]`.
    Gray8(ArrayView2<'a, u8>),
    /// `[rows, columns, 3]`, blue first.
    Bgr8(ArrayView3<'a, u8>),
    /// `[rows, columns]`, in the machine's byte order.
    Gray16(ArrayView2<'a, u16>),
}
