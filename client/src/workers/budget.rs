//! How many workers the budget, and the memory that is there, have room for.

use std::num::NonZeroUsize;

use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::memory::{NoMemory, look_for};

/// Bound on the memory that all workers together use for the frames they process, in bytes: as much as a window of
/// frames.
const BUDGET: usize = 2 << 30;

/// Memory of a detector besides the frame's pixels, in bytes per pixel: its gray levels and gradients. Measured with
/// `hough` on 8192x8192 gray: 271 MB per worker, of which 67 MB are the decoded frame.
const DETECTOR_BYTES: usize = 3;

/// The same of a pipeline that is none of these. Measured with `hough-classic` on 4096x4096 gray with an edge at every
/// pixel: 437 MB, of which 17 MB are the picture and 10 MB the program.
const OTHERS_BYTES: usize = 24;

/// The pipelines that need no more than [`DETECTOR_BYTES`].
const FRUGAL: [&str; 3] = ["hough", "ack", "exec"];

/// Frames that are under way to the workers, at the least: one that arrives, and the one before it.
const UNDER_WAY: usize = 2;

/// Limits `workers` to the number that the budget has room for. Frames have this size, and each worker needs memory for
/// this many further `pictures` of the same size.
///
/// A few hundred bytes can decode to 201 MB. Without the limit, a server could make each worker take that much, plus
/// the detector's share.
pub fn affordable(workers: NonZeroUsize, size: Size, pixel: PixelFormat, pictures: usize) -> NonZeroUsize {
    let each = of_worker(size, pixel, pictures, DETECTOR_BYTES);
    let most = NonZeroUsize::new(BUDGET / each.max(1)).unwrap_or(NonZeroUsize::MIN);
    workers.min(most)
}

/// Limits `workers` to the number that the system has memory for now. They run the pipeline of this name.
///
/// # Errors
/// [`NoMemory`] if there is none for a single one.
pub fn possible(
    workers: NonZeroUsize,
    pipeline: &str,
    size: Size,
    pixel: PixelFormat,
    pictures: usize,
) -> Result<NonZeroUsize, NoMemory> {
    let each = of_worker(size, pixel, pictures, bytes_per_pixel(pipeline));
    let under_way = UNDER_WAY * pixel.bytes(size);
    let find = |number: NonZeroUsize| {
        look_for(under_way + number.get() * each, format_args!("frames of {size} {pixel} and a worker"))
            .map(|()| number)
    };
    let fewer = (1..workers.get()).rev().filter_map(NonZeroUsize::new);
    fewer.fold(find(workers), |found, number| found.or_else(|_| find(number)))
}

/// Looks for the memory of the detector of this name in a picture of this size.
///
/// # Errors
/// [`NoMemory`].
pub(crate) fn look_for_detector(detector: &str, size: Size) -> Result<(), NoMemory> {
    let bytes = bytes_per_pixel(detector) * size.pixels();
    look_for(bytes, format_args!("{detector} in a picture of {size} px"))
}

fn bytes_per_pixel(pipeline: &str) -> usize {
    if FRUGAL.contains(&pipeline) { DETECTOR_BYTES } else { OTHERS_BYTES }
}

fn of_worker(size: Size, pixel: PixelFormat, pictures: usize, bytes_per_pixel: usize) -> usize {
    (1 + pictures) * pixel.bytes(size) + bytes_per_pixel * size.pixels()
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
    fn where_there_is_memory_every_worker_may_run() {
        let workers = NonZeroUsize::new(5).expect("5");
        let found = possible(workers, "hough", Size { width: 640, height: 480 }, PixelFormat::Bgr8, 0);
        assert_eq!(found, Ok(workers));
    }

    #[test]
    fn the_largest_frames_get_as_many_workers_as_memory_has_room_for() {
        assert_eq!(of_64(8192, 8192, PixelFormat::Gray8), 8);
        assert_eq!(of_64(8192, 8192, PixelFormat::Bgr8), 5);
        assert_eq!(of_64(8192, 8192, PixelFormat::Gray16), 6);
        assert_eq!(of_64(1, 1, PixelFormat::Gray8), 64);
    }
}
