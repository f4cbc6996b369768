//! Makes the session's frames: takes them from the source, encodes them and cuts them into fragments.

use std::sync::Arc;

use bytes::BytesMut;
use shared::image::Image;
use shared::protocol::encoding::Encoding;
use shared::protocol::fragment::{SplitError, Splitter};
use shared::protocol::message::{Frame, Meta};
use shared::time::{Micros, MonotonicClock};
use thiserror::Error;
use tokio::sync::Notify;

use crate::encode::FrameEncoder;
use crate::output::mcap::{Captured, SessionRecorder};
use crate::session::Capture;
use crate::source::{Source, SourceError, SourceFigures, SourceFrame};

use super::offload::Flight;

/// Makes frames that are ready for the link.
pub(super) struct FrameMaker {
    source: Box<dyn Source>,
    encoder: FrameEncoder,
    splitter: Splitter,
    clock: MonotonicClock,
    /// When the last frame was captured.
    latest: Micros,
    recorder: Option<SessionRecorder>,
    /// The frame that was made last, until it is recorded.
    unrecorded: Option<Unrecorded>,
}

/// Values of the last frame that neither the source nor the encoder keeps.
struct Unrecorded {
    id: u64,
    capture: Capture,
    encoding: Encoding,
    meta: Option<Meta>,
}

/// A frame that is ready for the link.
pub(super) struct MadeFrame {
    pub(super) capture: Capture,
    pub(super) fragments: Vec<BytesMut>,
    /// When the camera took it, if the source is a camera.
    pub(super) taken: Option<Micros>,
}

/// Why a frame could not be made.
#[derive(Debug, Error)]
pub(super) enum MakeError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Split(#[from] SplitError),
}

impl FrameMaker {
    pub(super) fn new(
        source: Box<dyn Source>,
        encoder: FrameEncoder,
        max_message_size: usize,
        clock: MonotonicClock,
        recorder: Option<SessionRecorder>,
    ) -> Self {
        Self {
            source,
            encoder,
            splitter: Splitter::new(max_message_size),
            clock,
            latest: Micros(0),
            recorder,
            unrecorded: None,
        }
    }

    /// Whether [`Self::make`] would return without waiting for the source, and whether the recording can take the
    /// frame, if the stream waits for that.
    pub(super) fn is_ready(&mut self) -> bool {
        self.source.is_ready() && self.recorder.as_mut().is_none_or(SessionRecorder::is_ready)
    }

    /// A handle that watches the recording; `None` without a recording.
    pub(super) fn watched_recording(&self) -> Option<SessionRecorder> {
        self.recorder.clone()
    }

    /// Records the frame that was made last, once. Called after the link has the frame, so that the copy does not delay
    /// it.
    pub(super) fn record(&mut self) {
        let Some(Unrecorded { id, capture, encoding, meta }) = self.unrecorded.take() else { return };
        if let (Some(recorder), Some(image)) = (&mut self.recorder, self.source.image()) {
            let data = self.encoder.latest(encoding);
            recorder.add(Captured { id, capture, image, encoding, data, meta: meta.as_ref() });
        }
    }

    /// Forgets the frame that was made last, so that it is not recorded.
    pub(super) fn forget(&mut self) {
        self.unrecorded = None;
    }

    /// Takes the answer to a frame as a measurement of the link.
    pub(super) fn answered(&mut self, flight: Flight) {
        let Flight { id, flight_us, round_trip_us, at } = flight;
        self.encoder.answered(id, flight_us, round_trip_us, at);
    }

    /// Notifies when the source may have become ready; `None` for a source that always is.
    pub(super) fn wake(&self) -> Option<Arc<Notify>> {
        self.source.wake()
    }

    /// Takes the source's next frame as frame `id`, encodes it and cuts it into fragments. `waited_us` is how long the
    /// frame's tick has waited. `None` at the source's end.
    pub(super) fn make(&mut self, id: u64, waited_us: u64) -> Result<Option<MadeFrame>, MakeError> {
        self.record();
        let Some(SourceFrame { index, image, truth, meta }) = self.source.next()? else { return Ok(None) };
        // As if captured when it was due, but never before the previous frame.
        let captured = Micros(self.clock.now().0.saturating_sub(waited_us)).max(self.latest);
        self.latest = captured;
        let size = image.size();
        let (encoding, data) = self.encoder.encode(id, image);
        let (width, height, pixel) = (size.width, size.height, image.format());
        let kept = self.recorder.as_ref().and(meta.clone());
        let message = Frame { id, captured_us: captured, width, height, pixel, encoding, data, meta };
        let mut fragments = Vec::new();
        let wire_bytes = self.splitter.split(id, &message, |fragment| fragments.push(fragment))?;
        let capture = Capture {
            source_index: index,
            // The limit is that of the frame's own pixels, which no client sees.
            truth: if self.encoder.is_lossy() { truth.without_limit() } else { truth },
            captured,
            encoded: self.clock.now(),
            raw_bytes: image.bytes().len() as u64,
            wire_bytes: wire_bytes as u64,
        };
        self.unrecorded = self.recorder.is_some().then_some(Unrecorded { id, capture, encoding, meta: kept });
        let taken = self.source.taken().map(|taken| self.clock.at(taken));
        Ok(Some(MadeFrame { capture, fragments, taken }))
    }

    /// What the source has read; `None` for one that computes its frames.
    pub(super) fn figures(&self) -> Option<SourceFigures> {
        self.source.figures()
    }

    /// The pixels of the last frame.
    pub(super) fn image(&self) -> Option<&Image> {
        self.source.image()
    }
}
