//! How far chance goes: the sigmas beyond which something other than noise is at work.
//!
//! Each is chosen by how often noise exceeds it, considering how often it is tested. The rates are those of a normal
//! distribution, on both sides.

/// For a pixel or a cell: noise exceeds it once in 16,000. A disc of 70 px radius has as many pixels.
pub(crate) const PIXEL_SIGMAS: f64 = 4.0;

/// For the mean, the edge or the variance of a sector: noise exceeds it once in 2,150, so that one disc in 30 loses one
/// of its [`MAX_SECTORS`](super::sectors::MAX_SECTORS) sectors. It loses 1/64 of its information then.
pub(crate) const SECTOR_SIGMAS: f64 = 3.5;

/// For one of the [`DIRECTIONS`](super::sectors::DIRECTIONS): noise exceeds it once in 80. One disc in five lacks one
/// of its sixteen directions, and no verdict needs all of them.
pub(crate) const DIRECTION_SIGMAS: f64 = 2.5;

/// For a sum of squares: sigmas beyond its mean. A χ² with 20 degrees of freedom exceeds it once in 1,000, and one with
/// 200 once in 6,200.
pub(crate) const SQUARES_SIGMAS: f64 = 4.0;
