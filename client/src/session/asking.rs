//! What the client asks of the server: the next frame, and to stop.

use std::time::Duration;

use shared::protocol::message::{Control, Empty, Hello, PULL_FEATURE, Refused, STOP_FEATURE};
use shared::text::Escaped;
use shared::time::Micros;

use super::{End, Session};

/// Most frames that are asked for and have not come. Further requests wait in the client.
pub const AHEAD: u64 = 64;

/// How long to wait until the server stops or says why not: longer than a server takes to stop, which is a second, and
/// as long as for its hello.
const STOP_LIMIT: Duration = shared::protocol::HELLO_LIMIT;

/// What was asked of the server.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// Whether frames come only when asked for.
    pull: bool,
    /// Frames asked for, and complete frames that came.
    asked: u64,
    come: u64,
    /// Whether the server's hello says that it answers `stop`.
    can_stop: bool,
    /// Set once the server was asked to stop: until when to wait for its answer.
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

    /// Whether the client's hello says that frames are to wait until they are asked for.
    pub(super) fn is_pull(&self) -> bool {
        self.pull
    }

    /// Notes what the server's hello says it can do, or says what it lacks.
    pub(super) fn greeted(&mut self, hello: &Hello) -> Result<(), String> {
        self.can_stop = hello.has(STOP_FEATURE);
        match self.pull && !hello.has(PULL_FEATURE) {
            true => Err("it cannot wait until frames are asked for: leave out --pull, or use a newer server".into()),
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

    /// Whether commands may be taken now: the server has said hello, and the session neither is over nor ends.
    pub fn takes_commands(&self) -> bool {
        self.frames.is_some() && !self.is_ended && !self.asking.is_stopping()
    }

    /// Asks the server to stop with all its sessions, and ends this session when it does, or when it says that it does
    /// not.
    pub fn stop_server(&mut self, now: Micros) {
        if !self.asking.can_stop {
            return self.end_alone("it is of a version that no client can stop".into());
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

    /// Handles the server's answer that it does not do what was asked.
    pub(super) fn refused(&mut self, refused: &Refused) {
        if refused.what == STOP_FEATURE && self.asking.is_stopping() {
            return self.end_alone(Escaped(&refused.reason).to_string());
        }
        self.ignore(&"it refuses what was not asked for");
    }

    fn end_alone(&mut self, reason: String) {
        self.leave(End::ServerStays { reason });
    }
}
