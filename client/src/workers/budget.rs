//! How many workers memory has room for.

use std::num::NonZeroUsize;

use shared::geometry::Size;
use shared::image::PixelFormat;

/// Bound on the memory that all workers together use for the frames they process, in bytes: as much as a window of
/// frames.
const BUDGET: usize = 2 << 30;

/// Memory of a detector besides the frame's pixels, in bytes per pixel: its gray levels and gradients. Measured with
/// `hough` on 8192x8192 gray: 271 MB per worker, of which 67 MB are the decoded frame.
const DETECTOR_BYTES: usize = 3;

/// Limits `workers` to the number that memory has room for. Frames have this size, and each worker needs memory for
/// this many further `pictures` of the same size.
///
/// A few hundred bytes can decode to 201 MB. Without the limit, a server could make each worker take that much, plus
/// the detector's share.
pub fn affordable(workers: NonZeroUsize, size: Size, pixel: PixelFormat, pictures: usize) -> NonZeroUsize {
    let each = (1 + pictures) * pixel.bytes(size) + DETECTOR_BYTES * size.pixels();
    let most = NonZeroUsize::new(BUDGET / each.max(1)).unwrap_or(NonZeroUsize::MIN);
    workers.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_64(width: u32, height: u32, pixel: PixelFormat) -> usize {
        let workers = NonZeroUsize::new(64).expect("64");
        affordable(workers, Size { width, height }, pixel, 0).get()
    }

    #[test]
    fn with_frames_of_usual_cameras_every_worker_may_run() {
        assert_eq!(of_64(640, 480, PixelFormat::Gray8), 64);
        assert_eq!(of_64(2560, 1440, PixelFormat::Bgr8), 64);
    }

    #[test]
    fn the_largest_frames_get_as_many_workers_as_memory_has_room_for() {
        assert_eq!(of_64(8192, 8192, PixelFormat::Gray8), 8);
        assert_eq!(of_64(8192, 8192, PixelFormat::Bgr8), 5);
        assert_eq!(of_64(8192, 8192, PixelFormat::Gray16), 6);
        assert_eq!(of_64(1, 1, PixelFormat::Gray8), 64);
    }
}
