//! A frame as a pipeline sees it.

use shared::image::ImageView;
use shared::protocol::message::Meta;
use shared::time::Micros;

/// A frame: its pixels, and what the source says about the frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The frame's number in its session, from 0.
    pub id: u64,
    /// When the last pixel was captured, in the source's clock.
    pub captured: Micros,
    /// What else the source knows about the frame.
    pub meta: Option<&'a Meta>,
    /// The pixels, decoded.
    pub image: ImageView<'a>,
}

impl<'a> From<ImageView<'a>> for Frame<'a> {
    /// Frame 0, captured at time 0, without metadata.
    fn from(image: ImageView<'a>) -> Self {
        Self { id: 0, captured: Micros(0), meta: None, image }
    }
}
