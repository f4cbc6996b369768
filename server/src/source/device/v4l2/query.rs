//! Asks the driver directly for what `linuxvideo` does not give: a buffer's timestamp and flags, and the rate.

#![allow(unsafe_code, reason = "calls of the driver")]

use std::ffi::{c_long, c_ulong};
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::ioctl::{Opcode, Updater, ioctl, opcode};

use crate::source::device::stamp::Stamp;

/// A single-plane capture buffer (`V4L2_BUF_TYPE_VIDEO_CAPTURE`).
const CAPTURE: u32 = 1;
/// Memory of the driver, mapped (`V4L2_MEMORY_MMAP`).
const MMAP: u32 = 1;
/// Flags of a buffer that the driver has: queued, done, or prepared.
const AT_THE_DRIVER: u32 = 0x2 | 0x4 | 0x400;
/// Flag of a buffer whose pixels may be damaged.
const DAMAGED: u32 = 0x40;

/// `VIDIOC_QUERYBUF` and `VIDIOC_G_PARM`.
const QUERY_BUFFER: Opcode = opcode::read_write::<RawBuffer>(b'V', 9);
const GET_PARAMETERS: Opcode = opcode::read_write::<RawParameters>(b'V', 21);

/// `struct v4l2_buffer`.
#[repr(C)]
#[derive(Default)]
struct RawBuffer {
    index: u32,
    kind: u32,
    bytes_used: u32,
    flags: u32,
    field: u32,
    /// A `struct timeval`: seconds and microseconds.
    timestamp: [c_long; 2],
    timecode: [u32; 4],
    sequence: u32,
    memory: u32,
    place: c_ulong,
    length: u32,
    reserved: u32,
    request: u32,
}

/// `struct v4l2_streamparm`, of a capture.
#[repr(C)]
struct RawParameters {
    kind: u32,
    capability: u32,
    mode: u32,
    numerator: u32,
    denominator: u32,
    rest: [u32; 46],
}

/// What the driver says about the buffer that it has handed out.
#[derive(Clone, Copy, Debug)]
pub(super) struct BufferState {
    pub(super) stamp: Stamp,
    pub(super) bytes_used: usize,
    pub(super) is_damaged: bool,
}

/// What the driver says about the buffer that it has handed out, of the first `count`; `None` if it has handed out none.
pub(super) fn handed_out(device: impl AsFd, count: u32) -> Option<BufferState> {
    let told = (0..count).filter_map(|index| buffer(&device, index).ok());
    let RawBuffer { flags, timestamp: [seconds, micros], sequence, bytes_used, .. } =
        told.into_iter().find(|buffer| buffer.flags & AT_THE_DRIVER == 0)?;
    // Neither is negative, unless the driver is wrong; then there is no timestamp.
    let seconds = u64::try_from(seconds).ok().map(Duration::from_secs);
    let micros = u64::try_from(micros).ok().map(Duration::from_micros);
    let time = seconds.zip(micros).and_then(|(seconds, micros)| seconds.checked_add(micros)).unwrap_or_default();
    let stamp = Stamp { flags, time, sequence };
    Some(BufferState { stamp, bytes_used: bytes_used as usize, is_damaged: flags & DAMAGED != 0 })
}

/// Whether the driver still answers.
pub(super) fn is_there(device: impl AsFd) -> bool {
    const ENODEV: i32 = 19;
    !buffer(device, 0).is_err_and(|error| error.raw_os_error() == Some(ENODEV))
}

/// Frames per second, if the driver says.
pub(super) fn rate_hz(device: impl AsFd) -> Option<f64> {
    let mut asked =
        RawParameters { kind: CAPTURE, capability: 0, mode: 0, numerator: 0, denominator: 0, rest: [0; 46] };
    // SAFETY: VIDIOC_G_PARM reads and writes a `struct v4l2_streamparm`, whose layout this is (204 bytes, checked below).
    unsafe { ioctl(device, Updater::<GET_PARAMETERS, _>::new(&mut asked)) }.ok()?;
    let hz = f64::from(asked.denominator) / f64::from(asked.numerator);
    (hz.is_finite() && hz > 0.0).then_some(hz)
}

fn buffer(device: impl AsFd, index: u32) -> io::Result<RawBuffer> {
    let mut asked = RawBuffer { index, kind: CAPTURE, memory: MMAP, ..RawBuffer::default() };
    // SAFETY: VIDIOC_QUERYBUF reads and writes a `struct v4l2_buffer`, whose layout this is (checked below). It writes
    // nothing through the struct, because a buffer of a single plane has no array of planes.
    unsafe { ioctl(device, Updater::<QUERY_BUFFER, _>::new(&mut asked)) }?;
    Ok(asked)
}

// The sizes in linux/videodev2.h, which are part of the request's number.
const _: () = assert!(size_of::<RawBuffer>() == if size_of::<c_long>() == 8 { 88 } else { 68 });
const _: () = assert!(size_of::<RawParameters>() == 204);
