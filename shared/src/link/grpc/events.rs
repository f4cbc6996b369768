//! The reading half of a link.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use tonic::{Status, Streaming};

use super::codec::NoMessage;
use super::error::said;
use super::outbox::Outbox;
use super::translate::{Read, Side};
use crate::link::LinkEvent;

/// How often the arrival of a part of a message is reported: in time for the first check of a silent peer.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);

/// How much earlier a caller's deadline may pass at the caller than here: it began before the call arrived.
const DEADLINE_SLACK: Duration = Duration::from_millis(500);

/// How tonic's errors begin for a message over the limit, and for a call that ends within a message.
const TOO_LARGE: &str = "Error, decoded message length too large: ";
const CUT_SHORT: &str = "Unexpected EOF";

/// When the peer's deadline ends its call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    pub(super) after: Duration,
}

/// Reads messages.
struct Events<S: Side> {
    streaming: Streaming<Read>,
    outbox: Arc<Outbox<S>>,
    deadline: Option<Deadline>,
    look: Interval,
    /// Bytes that the connection had read at the last check or message.
    seen: u64,
}

/// The events of a call's messages.
pub(super) fn events<S: Side>(
    streaming: Streaming<Read>,
    outbox: Arc<Outbox<S>>,
    deadline: Option<Deadline>,
) -> impl Stream<Item = LinkEvent> + Send + 'static {
    let mut look = interval_at(Instant::now() + REPORT_INTERVAL, REPORT_INTERVAL);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let events = Events { streaming, outbox, deadline, look, seen: 0 };
    stream::unfold(Some(events), |events| async {
        let mut events = events?;
        match events.next().await {
            // These are the last events.
            last @ (LinkEvent::Closed | LinkEvent::Broken(_)) => Some((last, None)),
            event => Some((event, Some(events))),
        }
    })
}

impl<S: Side> Events<S> {
    async fn next(&mut self) -> LinkEvent {
        loop {
            let deadline = self.deadline;
            // Also while messages never stop.
            if let Some(passed) = deadline.filter(|deadline| Instant::now() >= deadline.at) {
                return self.deadline_passed(passed);
            }
            tokio::select! {
                biased;
                message = self.streaming.message() => return self.arrived(message),
                _ = self.look.tick() => {
                    let read = self.outbox.account.bytes_read();
                    if std::mem::replace(&mut self.seen, read) != read {
                        return LinkEvent::Arriving;
                    }
                }
                passed = over(deadline) => return self.deadline_passed(passed),
            }
        }
    }

    fn arrived(&mut self, message: Result<Option<Read>, Status>) -> LinkEvent {
        match message {
            Ok(Some(Read { lane, bytes, .. })) => {
                self.seen = self.outbox.account.bytes_read();
                LinkEvent::Message(lane, bytes)
            }
            Ok(None) => LinkEvent::Closed,
            Err(status) => self.broke(status),
        }
    }

    fn broke(&self, status: Status) -> LinkEvent {
        if let Some(wrong) =
            std::error::Error::source(&status).and_then(<dyn std::error::Error>::downcast_ref::<NoMessage>)
        {
            let how = format!("it sent {wrong}");
            self.outbox.fail(status);
            return LinkEvent::Broken(how);
        }
        if let Some(sizes) = status.message().strip_prefix(TOO_LARGE) {
            let how = format!("it sent a message that is too large: {sizes}");
            self.outbox.fail(Status::resource_exhausted(how.clone()));
            return LinkEvent::Broken(how);
        }
        match (is_cancelled(&status), self.deadline) {
            (true, Some(deadline)) if Instant::now() + DEADLINE_SLACK >= deadline.at => self.deadline_passed(deadline),
            (true, _) => LinkEvent::Broken("it cancelled the call".into()),
            _ if status.message().starts_with(CUT_SHORT) => {
                LinkEvent::Broken("it ended the call in the middle of a message".into())
            }
            _ => LinkEvent::Broken(format!("the call broke: {}", said(&status))),
        }
    }

    fn deadline_passed(&self, deadline: Deadline) -> LinkEvent {
        let how = format!("the deadline of its call, {:?}, passed (grpc-timeout)", deadline.after);
        self.outbox.fail(Status::deadline_exceeded(how.clone()));
        LinkEvent::Broken(how)
    }
}

/// Whether the peer reset the call because it no longer wants it.
fn is_cancelled(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if let Some(reset) = error.downcast_ref::<h2::Error>() {
            return reset.is_remote() && reset.is_reset() && reset.reason() == Some(h2::Reason::CANCEL);
        }
        cause = error.source();
    }
    false
}

/// Waits until the deadline; without one, for ever.
async fn over(deadline: Option<Deadline>) -> Deadline {
    match deadline {
        Some(deadline) => {
            sleep_until(deadline.at).await;
            deadline
        }
        None => std::future::pending().await,
    }
}
