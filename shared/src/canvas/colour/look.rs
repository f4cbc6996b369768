//! How gray16 pictures are shown.

use clap::Args;

use super::map::Colormap;
use super::range::ValueRange;

/// How gray16 pictures are shown.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Colours of gray16 frames in the window: turbo, jet or gray
    #[arg(long, value_name = "NAME", default_value = "turbo", help_heading = "Output")]
    pub colormap: Colormap,

    /// Values of gray16 frames that get the first and the last colour; 0 is black [default: each frame's 1st and 99th
    /// percentile of the pixels that are not 0]
    #[arg(long, value_name = "MIN..MAX", help_heading = "Output")]
    pub range: Option<ValueRange>,
}
