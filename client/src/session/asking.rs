//! What the client asks of the server: the next frame, and to stop.

use std::time::Duration;

use shared::protocol::message::{Control, Empty, Hello, PULL_FEATURE, Refused, STOP_FEATURE};
use shared::text::Escaped;
use shared::time::Micros;

use super::{End, Session};

/// Maximum number of open requests for frames. Further requests wait in the client.
pub const AHEAD: u64 = 64;

/// Time to wait until the server stops or says why not. It is the same as for the server's hello. A server takes a
/// second to stop.
const STOP_LIMIT: Duration = shared::protocol::HELLO_LIMIT;

/// The client's requests to the server.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// Whether frames come only on request.
    pull: bool,
    /// Numbers of frames that were asked for, and of complete frames that came.
    asked: u64,
    come: u64,
    /// Whether the server's hello says that it answers `stop`.
    can_stop: bool,
    /// Until when to wait for the server's answer, once it was asked to stop.
    stop_until: Option<Micros>,
}

impl Asking {
    /// Notes a complete frame.
    pub(super) fn came(&mut self) {
        self.come += 1;
    }

    /// Whether the server was asked to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop_until.is_some()
    }

    /// When to give up waiting for the server's answer.
    pub(super) fn limit(&self) -> Option<Micros> {
        self.stop_until
    }

    /// Whether the client's hello asks for frames on request only.
    pub(super) fn is_pull(&self) -> bool {
        self.pull
    }

    /// Notes the features in the server's hello. Returns an error if a needed one is missing.
    pub(super) fn greeted(&mut self, hello: &Hello) -> Result<(), String> {
        self.can_stop = hello.has(STOP_FEATURE);
        match self.pull && !hello.has(PULL_FEATURE) {
            true => Err("it cannot send frames on request: leave out --pull, or use a newer server".into()),
            false => Ok(()),
        }
    }
}

impl Session {
    /// Makes this a session in which the server sends a frame only when asked for it by [`Self::ask`].
    #[must_use]
    pub fn pulling(mut self, pull: bool) -> Self {
        self.asking.pull = pull;
        self
    }

    /// Whether one more frame may be asked for now.
    pub fn may_ask(&self) -> bool {
        let Self { asking, given_up, .. } = self;
        asking.pull && asking.asked.saturating_sub(asking.come + given_up) < AHEAD
    }

    /// Asks the server for one more frame.
    pub fn ask(&mut self) {
        self.asking.asked += 1;
        self.send_control(&Control::Next(Empty {}));
    }

    /// Whether commands may be taken now: the server has said hello, and the session is neither over nor about to end.
    pub fn takes_commands(&self) -> bool {
        self.frames.is_some() && !self.is_ended && !self.asking.is_stopping()
    }

    /// Asks the server to stop with all its sessions. This session ends when the server stops or refuses.
    pub fn stop_server(&mut self, now: Micros) {
        if !self.asking.can_stop {
            return self.end_alone("its version cannot be stopped by a client".into());
        }
        self.asking.stop_until = Some(now + STOP_LIMIT);
        self.send_control(&Control::Stop(Empty {}));
    }

    /// Ends the session if the server has not answered the request to stop in time.
    pub(super) fn check_stop(&mut self, now: Micros) {
        if self.asking.limit().is_some_and(|limit| now >= limit) {
            self.end_alone(format!("it did not answer within {} s", STOP_LIMIT.as_secs()));
        }
    }

    /// Handles the server's refusal.
    pub(super) fn refused(&mut self, refused: &Refused) {
        if refused.what == STOP_FEATURE && self.asking.is_stopping() {
            return self.end_alone(Escaped(&refused.reason).to_string());
        }
        self.ignore(&"it refuses something that was never asked for");
    }

    fn end_alone(&mut self, reason: String) {
        self.leave(End::ServerStays { reason });
    }
}
