//! The writing half of a link.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::BytesMut;
use tokio::sync::{Notify, Semaphore, TryAcquireError};
use tracing::debug;

use super::framing::{HEADER, header};
use crate::link::unacknowledged::unacknowledged;
use crate::link::{Lane, Lanes, LinkClosed};
use crate::socket::SocketWriter;

/// Bytes that a lane may hold before a send waits: as many as over WebRTC on one machine, so that the back pressure is
/// the same.
const SEND_BUFFER: usize = 1 << 20;

/// Maximum number of messages written with one system call: about the number of small messages that gather while a
/// frame is written.
const GATHERED: usize = 16;

/// Messages on their way out.
pub(super) struct Outbox {
    stream: SocketWriter,
    state: Mutex<State>,
    /// The room left on each lane, in bytes.
    room: [Semaphore; Lane::ALL.len()],
    /// Tells the writing task that messages wait for room in the socket.
    waits: Notify,
}

/// The messages that wait, and the written ones that the peer has not acknowledged.
#[derive(Default)]
struct State {
    queue: VecDeque<Outgoing>,
    /// Bytes of the first waiting message that are written, header included.
    begun: usize,
    /// Bytes written so far.
    written: u64,
    /// For each written message that may be unacknowledged: its lane, the value of `written` at its end, and the length
    /// of its body. At most [`ENDS`] are kept, for `buffered`.
    ends: VecDeque<(Lane, u64, usize)>,
    /// This end closed the link.
    closed: bool,
    /// The connection broke.
    broken: bool,
}

struct Outgoing {
    lane: Lane,
    header: [u8; HEADER],
    body: BytesMut,
}

/// Written messages whose ends are remembered. They are more frames than fit the largest send buffer of a kernel, and
/// enough to follow the last control message until it is acknowledged.
const ENDS: usize = 256;

impl Outbox {
    /// An empty outbox.
    pub(super) fn new(stream: SocketWriter) -> Self {
        let room = Lane::ALL.map(|_| Semaphore::new(SEND_BUFFER));
        Self { stream, state: Mutex::default(), room, waits: Notify::new() }
    }

    /// The writing task: writes the messages for which the socket had no room at first, until the link is closed. The
    /// connection stays open while this task runs.
    pub(super) async fn write(self: Arc<Self>) {
        loop {
            self.waits.notified().await;
            while !self.flush() {
                if self.stream.socket().writable().await.is_err() {
                    return;
                }
            }
            if self.state().is_over() {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a message, and writes as much as the socket takes. The caller has already taken the message's room.
    fn put(&self, lane: Lane, body: BytesMut) -> Result<(), LinkClosed> {
        let outgoing = Outgoing { lane, header: header(lane, body.len()), body };
        {
            let mut state = self.state();
            if state.closed {
                return Err(closed_here());
            }
            state.put(outgoing);
            // Earlier messages wait for the socket already; the writing task will write this one too.
            if state.queue.len() > 1 && state.begun > 0 {
                return Ok(());
            }
        }
        if !self.flush() {
            self.waits.notify_one();
        }
        Ok(())
    }

    /// Writes until the queue is empty or the socket accepts no more. Returns whether the queue is empty.
    ///
    /// When the connection is broken, messages vanish and no send fails. The reading half reports the end of the
    /// connection, after everything that the peer sent before it. So a `bye` that has arrived still counts, even if a
    /// send notices the closed connection first.
    fn flush(&self) -> bool {
        let mut state = self.state();
        while !state.queue.is_empty() {
            let written = if state.broken {
                Ok(state.waiting())
            } else {
                self.stream.socket().try_write_vectored(&state.slices())
            };
            match written {
                Ok(bytes) => state.wrote(bytes, |lane, bytes| self.room(lane).add_permits(needed(bytes) as usize)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) => {
                    debug!("the connection broke: {error}");
                    state.broken = true;
                    self.waits.notify_one();
                }
            }
        }
        // Inside TLS, bytes may be encrypted that the socket does not take yet.
        state.broken
            || !matches!(self.stream.socket().try_flush(), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    fn room(&self, lane: Lane) -> &Semaphore {
        &self.room[lane as usize]
    }

    /// Wakes the writing task, and all sends that wait for room.
    fn shut(&self) {
        self.room.iter().for_each(Semaphore::close);
        self.waits.notify_one();
    }
}

fn closed_here() -> LinkClosed {
    LinkClosed("this end closed it".into())
}

impl State {
    /// Whether nothing can be written any more.
    fn is_over(&self) -> bool {
        self.closed || self.broken
    }

    /// Bytes that still have to be written, headers included.
    fn waiting(&self) -> usize {
        self.queue.iter().map(|out| HEADER + out.body.len()).sum::<usize>() - self.begun
    }

    /// Queues a message. A control message overtakes all messages of other lanes that are not partly written.
    fn put(&mut self, outgoing: Outgoing) {
        let first = usize::from(self.begun > 0);
        let place = match outgoing.lane {
            Lane::Control => {
                let others = self.queue.iter().skip(first).position(|waiting| waiting.lane != Lane::Control);
                others.map_or(self.queue.len(), |place| first + place)
            }
            Lane::Frames | Lane::Answers => self.queue.len(),
        };
        self.queue.insert(place, outgoing);
    }

    /// The bytes to write next.
    fn slices(&self) -> Vec<IoSlice<'_>> {
        let mut skip = self.begun;
        let mut slices = Vec::with_capacity(2 * GATHERED.min(self.queue.len()));
        for part in self.queue.iter().take(GATHERED).flat_map(|out| [&out.header[..], &out.body]) {
            let skipped = skip.min(part.len());
            skip -= skipped;
            if skipped < part.len() {
                slices.push(IoSlice::new(&part[skipped..]));
            }
        }
        slices
    }

    /// Notes that `bytes` more bytes were written. Calls `done` with lane and length of each message that is now
    /// complete.
    fn wrote(&mut self, bytes: usize, mut done: impl FnMut(Lane, usize)) {
        self.written += bytes as u64;
        let mut left = self.begun + bytes;
        while let Some(first) = self.queue.front()
            && left >= HEADER + first.body.len()
        {
            left -= HEADER + first.body.len();
            done(first.lane, first.body.len());
            if self.ends.len() == ENDS {
                self.ends.pop_front();
            }
            self.ends.push_back((first.lane, self.written - left as u64, first.body.len()));
            self.queue.pop_front();
        }
        self.begun = left;
    }

    /// Bytes of a lane that the peer has not acknowledged: those that wait, and those among the last `in_kernel` written
    /// bytes. Parts of messages count, so that progress within a large message on a slow link shows that the peer is
    /// alive.
    fn buffered(&mut self, lane: Lane, in_kernel: u64) -> usize {
        let acknowledged = self.written.saturating_sub(in_kernel);
        while self.ends.front().is_some_and(|(_, end, _)| *end <= acknowledged) {
            self.ends.pop_front();
        }
        let left = |end: u64, bytes: usize| bytes.min((end - acknowledged) as usize);
        let written = self.ends.iter().filter(|(of, ..)| *of == lane).map(|(_, end, bytes)| left(*end, *bytes));
        let mut end = self.written - self.begun as u64;
        let waiting = self.queue.iter().map(|out| {
            end += (HEADER + out.body.len()) as u64;
            if out.lane == lane { left(end, out.body.len()) } else { 0 }
        });
        written.sum::<usize>() + waiting.sum::<usize>()
    }
}

/// The outbox as the lanes of the link. Dropping it closes the connection.
pub(super) struct Closing(pub(super) Arc<Outbox>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.close_now();
    }
}

impl Closing {
    fn close_now(&self) {
        self.0.state().closed = true;
        self.0.shut();
        self.0.stream.socket().close();
    }
}

#[async_trait]
impl Lanes for Closing {
    async fn send(&self, lane: Lane, message: BytesMut) -> Result<(), LinkClosed> {
        let outbox = &self.0;
        outbox.room(lane).acquire_many(needed(message.len())).await.map_err(|_| closed_here())?.forget();
        outbox.put(lane, message)
    }

    async fn try_send(&self, lane: Lane, message: BytesMut) -> Result<bool, LinkClosed> {
        match self.0.room(lane).try_acquire_many(needed(message.len())) {
            Ok(room) => room.forget(),
            Err(TryAcquireError::NoPermits) => return Ok(false),
            Err(TryAcquireError::Closed) => return Err(closed_here()),
        }
        self.0.put(lane, message).map(|()| true)
    }

    async fn buffered(&self, lane: Lane) -> usize {
        let mut state = self.0.state();
        let socket = self.0.stream.socket();
        // Inside TLS a little less is unacknowledged: the kernel counts encrypted bytes.
        state.buffered(lane, unacknowledged(socket.tcp()) + socket.held() as u64)
    }

    fn kernel_acknowledges(&self) -> bool {
        true
    }

    async fn close(&self) {
        self.close_now();
    }
}

/// Room that a message takes, in bytes. A message larger than the buffer takes all of it.
fn needed(bytes: usize) -> u32 {
    bytes.min(SEND_BUFFER) as u32
}
