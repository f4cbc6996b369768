//! The buffers of a device that streams.

#![allow(unsafe_code, reason = "waits on a file that another crate owns")]

use std::io;
use std::time::Duration;

use linuxvideo::stream::ReadStream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};

use super::query;
use crate::source::device::reader::{Buffer, Camera};

/// Number of buffers that `linuxvideo` streams with.
const BUFFERS: u32 = 2;

/// A device that streams. Its file must not block.
pub(super) struct Streaming(pub(super) ReadStream);

impl Camera for Streaming {
    fn wait(&mut self, limit: Duration) -> io::Result<bool> {
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        // Anything but a frame is an error, which `next` returns.
        Ok(poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&limit))? > 0)
    }

    fn next(&mut self, take: &mut dyn FnMut(Buffer<'_>)) -> io::Result<()> {
        use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
        // SAFETY: the stream, which owns this file, lives longer than the call in which it is used.
        let file = unsafe { BorrowedFd::borrow_raw(self.0.as_fd().as_raw_fd()) };
        self.0.dequeue(|view| {
            let told = query::handed_out(file, BUFFERS);
            let whole = view.raw_buffer();
            let used = told.map_or(whole.len(), |told| told.bytes_used.min(whole.len()));
            take(Buffer {
                bytes: &whole[..used],
                stamp: told.map(|told| told.stamp).unwrap_or_default(),
                monotonic: monotonic(),
                is_damaged: view.is_error() || told.is_some_and(|told| told.is_damaged),
            });
            Ok(())
        })
    }

    fn is_there(&self) -> bool {
        query::is_there(&self.0)
    }
}

/// The monotonic clock, on which drivers put their timestamps.
fn monotonic() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default()
}
