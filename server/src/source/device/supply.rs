//! The supply of a camera's frames, and the source of one session.

use std::sync::Arc;
use std::time::Instant;

use shared::flow::pacer::Rate;
use shared::image::{Image, PixelFormat};
use tokio::sync::Notify;

use super::asked::{Opened, Wanted};
use super::hub::Hub;
use super::name;
use super::seat::{DeviceFrame, Seat};
use crate::run::{FrameRate, RunSpec};
use crate::source::ball::{option_of_the_ball, options_of_the_ball};
use crate::source::error::SourceError;
use crate::source::figures::SourceFigures;
use crate::source::seam::{Source, SourceFrame, SourceKind, StreamFormat, Supply};
use crate::task::TaskName;
use crate::truth::Truth;

/// The source's entry in the list of sources.
pub(in crate::source) struct DeviceKind;

impl SourceKind for DeviceKind {
    fn usage(&self) -> &'static str {
        "camera:0 or another camera of this machine"
    }

    fn is_meant(&self, text: &str) -> bool {
        name::is_meant(text)
    }

    fn supply(&self, run: &RunSpec) -> Result<Box<dyn Supply>, SourceError> {
        let source_name = || run.sent.source.clone();
        let path = name::path(&run.sent.source)?;
        if let Some(option) = option_of_the_ball(run) {
            return Err(SourceError::Option { option, source_name: source_name() });
        }
        if run.sent.repeat {
            return Err(SourceError::NoLoop { source_name: source_name(), why: "has no end" });
        }
        let (rate, paces) = match run.sent.fps {
            Some(FrameRate::Given(Rate::Hz(hz))) => (Some(hz), false),
            None | Some(FrameRate::OfSource | FrameRate::Given(Rate::Max)) => (None, true),
        };
        let (size, format) = (run.sent.size, run.sent.device_format);
        let opened = open(Wanted { path, size, format, pixel: run.pixel(), rate_hz: rate })?;
        match size {
            Some(asked) if asked != opened.size => {
                Err(SourceError::Size { asked, size: opened.size, of: "camera's frames" })
            }
            _ => Ok(Box::new(Device { opened, pixel: run.pixel(), paces })),
        }
    }
}

#[cfg(all(target_os = "linux", feature = "v4l2"))]
use super::v4l2::open;

#[cfg(not(all(target_os = "linux", feature = "v4l2")))]
fn open(wanted: Wanted) -> Result<Opened, SourceError> {
    Err(super::error::DeviceError::NotBuilt { device: super::error::shown(&wanted.path) }.into())
}

/// Rate in the report for a camera whose driver names none: that of most webcams.
const USUAL_RATE_HZ: f64 = 30.0;

/// A camera of a run.
#[derive(Debug)]
struct Device {
    opened: Opened,
    pixel: PixelFormat,
    /// Whether frames are sent as they arrive.
    paces: bool,
}

impl Supply for Device {
    fn format(&self) -> StreamFormat {
        StreamFormat { size: self.opened.size, pixel: self.pixel }
    }

    fn default_task(&self) -> TaskName {
        TaskName::ack()
    }

    fn rate_hz(&self) -> Option<f64> {
        Some(self.opened.rate_hz.unwrap_or(USUAL_RATE_HZ))
    }

    fn sets_the_pace(&self) -> bool {
        self.paces
    }

    fn unused_options(&self) -> Vec<String> {
        options_of_the_ball()
    }

    fn open(&self) -> Result<Box<dyn Source>, SourceError> {
        Ok(Box::new(DeviceSource { hub: self.opened.hub.clone(), wake: Arc::default(), seat: None, latest: None }))
    }
}

/// The frames of one session. It takes its place when it first asks for a frame, so that none is passed over before.
#[derive(Debug)]
struct DeviceSource {
    hub: Arc<Hub>,
    wake: Arc<Notify>,
    seat: Option<Arc<Seat>>,
    latest: Option<Arc<DeviceFrame>>,
}

impl DeviceSource {
    fn seat(&mut self) -> &Arc<Seat> {
        self.seat.get_or_insert_with(|| self.hub.seat(self.wake.clone()))
    }
}

impl Source for DeviceSource {
    fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError> {
        let frame = self.seat().take().map_err(|error| SourceError::from((*error).clone()))?;
        let frame = self.latest.insert(frame);
        Ok(Some(SourceFrame { index: frame.index, image: &frame.image, truth: Truth::Unknown, meta: None }))
    }

    fn image(&self) -> Option<&Image> {
        self.latest.as_ref().map(|frame| &frame.image)
    }

    fn is_ready(&mut self) -> bool {
        self.seat().is_ready()
    }

    fn wake(&self) -> Option<Arc<Notify>> {
        Some(self.wake.clone())
    }

    fn taken(&self) -> Option<Instant> {
        self.latest.as_ref().map(|frame| frame.taken.at)
    }

    fn figures(&self) -> Option<SourceFigures> {
        self.seat.as_ref().map(|seat| seat.figures())
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;

    use super::super::layout::FourCc;
    use super::super::seat::Shape;
    use super::*;

    #[test]
    fn a_session_takes_its_place_when_it_first_asks_for_a_frame() {
        let hub = Arc::new(Hub::new(Shape { format: FourCc(*b"GREY"), bytes_per_line: 2 }));
        let opened = Opened { hub: hub.clone(), size: Size { width: 2, height: 1 }, rate_hz: None };
        let device = Device { opened, pixel: PixelFormat::Gray8, paces: true };
        assert_eq!(device.rate_hz(), Some(USUAL_RATE_HZ));
        let mut source = device.open().unwrap();
        assert!(source.wake().is_some() && source.figures().is_none());
        assert!(hub.begin(0).is_none(), "no session waits, so no frame counts");
        assert!(!source.is_ready());
        assert_eq!(hub.begin(7).map(|begun| begun.index), Some(0));
        drop(source);
        assert!(hub.begin(8).is_none());
        let mut next = device.open().unwrap();
        assert!(!next.is_ready());
        assert_eq!(hub.begin(9).map(|begun| begun.index), Some(2), "the camera's frames go on counting");
    }
}
