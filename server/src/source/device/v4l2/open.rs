//! Opens a device and agrees with its driver on a format.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use linuxvideo::format::{Format, PixFormat, PixelFormat as Code};
use linuxvideo::{BufType, CapabilityFlags, Device, Fract, VideoCaptureDevice};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use shared::geometry::Size;
use tracing::{info, warn};

use super::query;
use super::stream::Streaming;
use crate::run::DEFAULT_SIZE;
use crate::source::device::asked::{Opened, Wanted};
use crate::source::device::error::{DeviceError, shown, video_devices};
use crate::source::device::hub::Hub;
use crate::source::device::layout::{FourCc, Layout};
use crate::source::device::pixels::BufferFormat;
use crate::source::device::reader::{self, Job, SILENCE};
use crate::source::device::seat::Shape;
use crate::source::error::SourceError;

/// The number under which Linux knows video devices (`VIDEO_MAJOR`).
const VIDEO_MAJOR: u32 = 81;

/// The system's error for a device that is in use.
const EBUSY: i32 = 16;

/// Share by which a camera's rate may differ from the one asked for without a warning: 29.97 for 30.
const SAME_RATE: f64 = 0.01;

/// Opens the camera and starts to read it.
///
/// # Errors
/// [`DeviceError`] says what is wrong and what would be right.
pub(in crate::source::device) fn open(wanted: Wanted) -> Result<Opened, SourceError> {
    let name = shown(&wanted.path);
    let device = found(&wanted.path, &name)?;
    let layout = layout(&device, &name, &wanted)?;
    let agreed = agreed(device, &name, layout, wanted.size)?;
    let format = buffer_format(&agreed, &name, layout)?;
    let rate_hz = rate(&agreed, &name, wanted.rate_hz);
    let Size { width, height } = format.size;
    let hz = rate_hz
        .map_or_else(|| "at a rate that its driver does not name".into(), |hz| format!("at {} per second", short(hz)));
    info!("{name}: {} frames of {width}x{height} {hz}", layout.code);
    let stream = agreed.into_stream().map_err(refused("start the camera", &name))?;
    let unblocked = fcntl_getfl(&stream).and_then(|flags| fcntl_setfl(&stream, flags | OFlags::NONBLOCK));
    unblocked.map_err(|error| refused("start the camera", &name)(error.into()))?;
    let hub = Arc::new(Hub::new(Shape { format: layout.code, bytes_per_line: format.stride as u64 }));
    let job = Job { device: name, format, pixel: wanted.pixel, silence: SILENCE };
    reader::start(Box::new(Streaming(stream)), job, &hub)?;
    Ok(Opened { hub, size: format.size, rate_hz })
}

/// The device at this path, if it is one that gives pictures.
fn found(path: &Path, name: &str) -> Result<Device, DeviceError> {
    let device = || name.to_owned();
    let other = |what| DeviceError::NotADevice { device: device(), what, there: video_devices() };
    let about = fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            DeviceError::Missing { device: device(), there: video_devices() }
        }
        _ => refused("look at it", name)(error),
    })?;
    // Opening a device of another kind could do something: a watchdog would start.
    match about.file_type() {
        kind if kind.is_file() => return Err(other("a file")),
        kind if kind.is_dir() => return Err(other("a folder")),
        kind if kind.is_char_device() && rustix::fs::major(about.rdev()) == VIDEO_MAJOR => {}
        _ => return Err(other("a device of another kind")),
    }
    let opened = Device::open(path).map_err(refused("open it", name))?;
    let able = opened.capabilities().map_err(refused("ask what it can do", name))?.device_capabilities();
    match why_not(able) {
        Some(why) => Err(DeviceError::NotCapture { device: device(), why, there: video_devices() }),
        None => Ok(opened),
    }
}

/// Why a device with these capabilities gives no pictures.
fn why_not(able: CapabilityFlags) -> Option<&'static str> {
    if able.contains(CapabilityFlags::VIDEO_CAPTURE) {
        return (!able.contains(CapabilityFlags::STREAMING)).then_some("it has no streaming");
    }
    Some(match () {
        () if able.contains(CapabilityFlags::VIDEO_CAPTURE_MPLANE) => {
            "its planes lie in separate memory, which is not supported"
        }
        () if able.contains(CapabilityFlags::META_CAPTURE) => {
            "it gives only metadata; the webcam has its pictures at another /dev/video"
        }
        () if able.contains(CapabilityFlags::VIDEO_OUTPUT) => "it is an output",
        () => "it captures no video",
    })
}

/// The format to ask for.
fn layout(device: &Device, name: &str, wanted: &Wanted) -> Result<Layout, DeviceError> {
    let codes = device.formats(BufType::VIDEO_CAPTURE).map_while(Result::ok);
    let has: Vec<FourCc> = codes.map(|format| FourCc(format.pixel_format().as_fourcc())).collect();
    let pixel = wanted.pixel;
    let Some(asked) = wanted.format else {
        let none = || DeviceError::NoFormat { device: name.to_owned(), pixel, has: has.clone() };
        return Layout::best(&has, pixel).ok_or_else(none);
    };
    let layout = Layout::of(asked).filter(|layout| layout.gives(pixel));
    let layout = layout.ok_or(DeviceError::Unreadable { asked, pixel })?;
    match has.contains(&asked) {
        true => Ok(layout),
        false => Err(DeviceError::OtherFormat { device: name.to_owned(), asked, has }),
    }
}

/// The device with a format set, which may have another size than the one asked for.
///
/// A setting that fits is kept: somebody may have chosen more than its format and size.
fn agreed(device: Device, name: &str, layout: Layout, size: Option<Size>) -> Result<VideoCaptureDevice, DeviceError> {
    let code = Code::from_fourcc(layout.code.0);
    let set = match device.format(BufType::VIDEO_CAPTURE) {
        Ok(Format::VideoCapture(set)) => Some(set),
        _ => None,
    };
    let size_set = set.as_ref().and_then(|set| Size::new(set.width().into(), set.height().into()).ok());
    let size = size.or(size_set).unwrap_or(DEFAULT_SIZE);
    let fits = |set: &PixFormat| set.pixel_format() == code && size_set == Some(size);
    let asked = set.filter(fits).unwrap_or_else(|| PixFormat::new(size.width, size.height, code));
    device.video_capture(asked).map_err(refused("set its format", name))
}

/// What the driver's buffers hold.
fn buffer_format(agreed: &VideoCaptureDevice, name: &str, layout: Layout) -> Result<BufferFormat, DeviceError> {
    let set = agreed.format();
    let code = FourCc(set.pixel_format().as_fourcc());
    if code != layout.code {
        let error = format!("the driver gives {code} instead of {}", layout.code);
        return Err(DeviceError::Step { device: name.to_owned(), step: "set its format", error });
    }
    let size = Size::new(set.width().into(), set.height().into())
        .map_err(|error| DeviceError::Size { device: name.to_owned(), error })?;
    Ok(BufferFormat { layout, size, stride: set.bytes_per_line() as usize })
}

/// Asks for a rate, if one is wanted. Returns the rate that the driver says.
fn rate(agreed: &VideoCaptureDevice, name: &str, wanted_hz: Option<f64>) -> Option<f64> {
    if let Some(hz) = wanted_hz {
        // In thousandths, because drivers take whole numbers. Not every camera has a choice; then nothing is set.
        let millihertz = (hz * 1e3).round().clamp(1.0, f64::from(u32::MAX)) as u32;
        let _ = agreed.set_frame_interval(Fract::new(1000, millihertz));
    }
    let rate_hz = query::rate_hz(agreed);
    if let (Some(asked), Some(got)) = (wanted_hz, rate_hz)
        && (got / asked - 1.0).abs() > SAME_RATE
    {
        warn!(
            "{name} gives {} frames per second, not {asked}: each tick takes the latest frame, or waits for one",
            short(got)
        );
    }
    rate_hz
}

/// A rate with at most three decimals.
fn short(hz: f64) -> f64 {
    (hz * 1e3).round() / 1e3
}

/// The error for a step that the system refused.
fn refused<'a>(step: &'static str, name: &'a str) -> impl Fn(io::Error) -> DeviceError + use<'a> {
    move |error| {
        let device = name.to_owned();
        match error.kind() {
            ErrorKind::PermissionDenied => DeviceError::Permission { device },
            _ if error.raw_os_error() == Some(EBUSY) => DeviceError::Busy { device },
            _ => DeviceError::Step { device, step, error: error.to_string() },
        }
    }
}
