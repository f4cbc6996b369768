//! Pull: a frame is sent only when the client has asked for it.

use std::num::NonZeroU32;

use shared::flow::pacer::Rate;
use shared::protocol::MAX_WINDOW;

use super::Session;
use crate::score::pairing::Pairing;

/// Maximum number of frames that a client may ask for ahead: as many as the largest window has.
const MAX_AHEAD: u32 = MAX_WINDOW;

/// Frames that the client has asked for and that were not captured yet.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: u32,
}

impl Requests {
    /// Notes one more request. Returns false if too many wait already.
    fn add(&mut self) -> bool {
        let has_room = self.waiting < MAX_AHEAD;
        self.waiting += u32::from(has_room);
        has_room
    }
}

impl Session {
    /// Makes this a session in which frames are sent one by one, each when the client asks for it.
    ///
    /// Called at the client's hello, before the first frame.
    pub(super) fn begin_pull(&mut self) {
        self.requests = Some(Requests::default());
        self.pairing = Pairing::new(NonZeroU32::MIN, self.config.deadline, self.config.lifetime());
    }

    /// Handles a client's request for one more frame.
    pub(super) fn asked_for_a_frame(&mut self) {
        match self.requests.as_mut().map(Requests::add) {
            Some(true) => {}
            Some(false) => self.ignore(&format_args!("it asks for more than {MAX_AHEAD} frames ahead")),
            None => self.ignore(&"it asks for a frame, and its hello did not say pull"),
        }
    }

    /// Whether no frame may be sent before the client asks for one.
    pub(super) fn waits_for_a_request(&self) -> bool {
        self.requests.as_ref().is_some_and(|requests| requests.waiting == 0)
    }

    /// Notes that the frame of the oldest request is being captured.
    pub(super) fn serve_request(&mut self) {
        if let Some(requests) = &mut self.requests {
            requests.waiting = requests.waiting.saturating_sub(1);
        }
    }

    /// How often frames are due. If the client asks for each frame, there are no ticks, so none is skipped or late.
    pub(super) fn rate(&self) -> Rate {
        if self.requests.is_some() { Rate::Max } else { self.config.rate }
    }
}
