//! The messages that wait to be sent, and the end of the call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::BytesMut;
use tokio::sync::{Semaphore, TryAcquireError, watch};
use tonic::Status;

use super::account::Account;
use super::translate::Side;
use crate::link::{Lane, Lanes, LinkClosed};

/// Room of each lane, in bytes: control, frames, answers. A message takes at most all of it, so one frame at a time
/// waits. Answers gather while a frame is written.
const ROOM: [usize; Lane::ALL.len()] = [64 << 10, 1, 64 << 10];

/// A waiting message.
pub(super) struct Outgoing<S: Side> {
    pub(super) lane: Lane,
    /// Its length as the session counts it.
    pub(super) bytes: usize,
    pub(super) message: S::Message,
}

/// Messages on their way out of one end of a call.
pub(super) struct Outbox<S: Side> {
    pub(super) account: Arc<Account>,
    state: Mutex<State<S>>,
    /// The room left on each lane, in bytes.
    room: [Semaphore; Lane::ALL.len()],
    phase: watch::Sender<Phase>,
}

struct State<S: Side> {
    queue: VecDeque<Outgoing<S>>,
    puller: Option<Waker>,
    /// This end has closed the call.
    closed: bool,
    /// The error that the peer gets at the end instead of success.
    failure: Option<Status>,
    /// The call is over: nothing is taken from here any more.
    broken: bool,
}

/// The state of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Open,
    Closing,
    Closed,
}

impl<S: Side> Outbox<S> {
    pub(super) fn new() -> Arc<Self> {
        let state = State { queue: VecDeque::new(), puller: None, closed: false, failure: None, broken: false };
        Arc::new(Self {
            account: Arc::default(),
            state: Mutex::new(state),
            room: ROOM.map(Semaphore::new),
            phase: watch::Sender::new(Phase::Open),
        })
    }

    /// Ends the call with an error that tells the peer what is wrong, unless it has ended already.
    pub(super) fn fail(&self, status: Status) {
        let mut state = self.state();
        if !state.closed {
            state.failure.get_or_insert(status);
        }
        drop(state);
        self.shut();
    }

    /// Waits until this end wants to close the connection.
    pub(super) async fn closing(&self) {
        self.reached(Phase::Closing).await;
    }

    /// Waits until the connection is closed.
    pub(super) async fn ended(&self) {
        self.reached(Phase::Closed).await;
    }

    /// Notes that the connection is closed.
    pub(super) fn closed(&self) {
        self.broke();
        self.phase.send_replace(Phase::Closed);
    }

    /// The next message for the call, its failure, or its end.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Outgoing<S>, Status>>> {
        let mut state = self.state();
        if let Some(outgoing) = state.queue.pop_front() {
            self.room[outgoing.lane as usize].add_permits(needed(outgoing.lane, outgoing.bytes) as usize);
            return Poll::Ready(Some(Ok(outgoing)));
        }
        if state.closed {
            return Poll::Ready(state.failure.take().map(Err));
        }
        state.puller = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Queues a message whose room is taken. A control message overtakes those of other lanes.
    ///
    /// When the call is over, messages vanish and no send fails: the reading half reports the end, after everything that
    /// the peer sent before it.
    fn put(&self, outgoing: Outgoing<S>) -> Result<(), LinkClosed> {
        let mut state = self.state();
        if state.closed {
            return Err(closed_here());
        }
        if state.broken {
            self.room[outgoing.lane as usize].add_permits(needed(outgoing.lane, outgoing.bytes) as usize);
            return Ok(());
        }
        let others = state.queue.iter().position(|waiting| waiting.lane != Lane::Control);
        let place = others.filter(|_| outgoing.lane == Lane::Control).unwrap_or(state.queue.len());
        state.queue.insert(place, outgoing);
        let puller = state.puller.take();
        drop(state);
        if let Some(puller) = puller {
            puller.wake();
        }
        Ok(())
    }

    /// Ends the call once the messages that wait on the control lane are sent.
    fn shut(&self) {
        let mut state = self.state();
        state.closed = true;
        state.queue.retain(|outgoing| outgoing.lane == Lane::Control);
        let puller = state.puller.take();
        drop(state);
        if let Some(puller) = puller {
            puller.wake();
        }
        self.room.iter().for_each(Semaphore::close);
        self.phase.send_if_modified(|phase| {
            let is_open = *phase == Phase::Open;
            *phase = (*phase).max(Phase::Closing);
            is_open
        });
    }

    /// Notes that nothing is taken from here any more.
    fn broke(&self) {
        let mut state = self.state();
        state.broken = true;
        for outgoing in std::mem::take(&mut state.queue) {
            self.room[outgoing.lane as usize].add_permits(needed(outgoing.lane, outgoing.bytes) as usize);
        }
    }

    async fn reached(&self, phase: Phase) {
        // The sender lives as long as this.
        let _ = self.phase.subscribe().wait_for(|now| *now >= phase).await;
    }

    fn waiting(&self, lane: Lane) -> usize {
        self.state().queue.iter().filter(|outgoing| outgoing.lane == lane).map(|outgoing| outgoing.bytes).sum()
    }

    fn state(&self) -> MutexGuard<'_, State<S>> {
        // Each change is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end that messages are pulled from. When it is dropped, the call is over.
pub(super) struct Pull<S: Side>(pub(super) Arc<Outbox<S>>);

impl<S: Side> Drop for Pull<S> {
    fn drop(&mut self) {
        self.0.broke();
    }
}

/// The outbox as the lanes of a link. Dropping it closes the connection.
pub(super) struct Closing<S: Side>(pub(super) Arc<Outbox<S>>);

impl<S: Side> Drop for Closing<S> {
    fn drop(&mut self) {
        self.0.shut();
    }
}

impl<S: Side> Closing<S> {
    fn put(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed> {
        let bytes = message.len();
        let message = S::write(lane, message.freeze()).map_err(|wrong| LinkClosed(format!("this end sent {wrong}")))?;
        self.0.put(Outgoing { lane, bytes, message })
    }
}

#[async_trait]
impl<S: Side> Lanes for Closing<S> {
    async fn send(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed> {
        let room = &self.0.room[lane as usize];
        room.acquire_many(needed(lane, message.len())).await.map_err(|_| closed_here())?.forget();
        self.put(lane, message)
    }

    async fn try_send(&self, lane: Lane, message: BytesMut) -> Result<bool, LinkClosed> {
        match self.0.room[lane as usize].try_acquire_many(needed(lane, message.len())) {
            Ok(room) => room.forget(),
            Err(TryAcquireError::NoPermits) => return Ok(false),
            Err(TryAcquireError::Closed) => return Err(closed_here()),
        }
        self.put(lane, message).map(|()| true)
    }

    async fn buffered(&self, lane: Lane) -> usize {
        self.0.waiting(lane) + self.0.account.buffered(lane)
    }

    fn kernel_acknowledges(&self) -> bool {
        true
    }

    async fn close(&self) {
        self.0.shut();
        self.0.ended().await;
    }
}

/// Room that a message takes, in bytes.
fn needed(lane: Lane, bytes: usize) -> u32 {
    bytes.min(ROOM[lane as usize]) as u32
}

fn closed_here() -> LinkClosed {
    LinkClosed("this end closed it".into())
}
