//! A link's UDP socket.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Runtime, TokioRuntime, Transmit};

use super::arrivals::Arrivals;
use super::fragments::is_refused;
use super::guard::Gate;
use super::pace::SharedClock;
use super::progress::Progress;
use super::round_trip::RoundTrips;

/// While packets are being lost, a single datagram of up to this many bytes is sent twice. These are acknowledgements,
/// answers, requests, and what SCTP's timer retransmits, one packet at a time. A lost acknowledgement holds up
/// everything after it, and after six lost retransmissions in a row the crate no longer sets that timer, so the
/// connection stalls for good. Measured at 20 % loss, 640x480 LZ4, 60 frames per second, ten sessions of 10 s each:
/// with datagrams up to 256 bytes sent twice, 89 % scored and one session ended early; with this limit, 93 % and none.
/// The packets of a network are at most this large. A larger system call is a burst of several packets.
const GOES_TWICE: usize = 1_500;

/// Maximum number of buffers in a row from which no datagram is accepted, before other tasks get a turn.
const MOST_REFUSED: usize = 32;

/// Caps each send at what one datagram can carry, and drops datagrams that the [`Gate`] rejects. Tells the link's clock
/// when something arrives and how long a round trip takes, and passes the first datagrams to the opening of the link.
#[derive(Debug)]
pub(super) struct LinkSocket {
    socket: Arc<dyn AsyncUdpSocket>,
    /// Maximum number of packets that one system call may send.
    most_segments: AtomicUsize,
    clock: SharedClock,
    seen: Mutex<Seen>,
    progress: Progress,
}

/// What the datagrams reveal about the path.
#[derive(Debug)]
struct Seen {
    round_trips: RoundTrips,
    arrivals: Arrivals,
    gate: Gate,
}

impl LinkSocket {
    /// Wraps a socket that sends at most this many packets per system call, with this gate.
    pub(super) fn new(
        socket: Arc<dyn AsyncUdpSocket>,
        most_segments: usize,
        clock: SharedClock,
        progress: Progress,
        gate: Gate,
    ) -> Self {
        let most_segments = AtomicUsize::new(most_segments);
        let seen = Seen { round_trips: RoundTrips::default(), arrivals: Arrivals::default(), gate };
        Self { socket, most_segments, clock, seen: Mutex::new(seen), progress }
    }

    /// Inspects the datagrams of one buffer that arrived at `now`. Keeps those that pass the gate, without gaps between
    /// them, and returns whether there are any.
    fn heard(&self, buffer: &mut [u8], meta: &mut RecvMeta, now: Instant) -> bool {
        let mut seen = self.seen();
        if self.progress.is_secured() {
            seen.gate.secured();
        }
        let (length, stride) = (meta.len.min(buffer.len()), meta.stride.max(1));
        meta.len = 0;
        for start in (0..length).step_by(stride) {
            let range = start..length.min(start + stride);
            if seen.gate.lets_in(meta.addr, &buffer[range.clone()], now) {
                let size = range.len();
                if meta.len < start {
                    buffer.copy_within(range, meta.len);
                }
                meta.len += size;
            }
        }
        if meta.len == 0 {
            return false;
        }
        for datagram in buffer[..meta.len].chunks(stride) {
            self.progress.heard(datagram);
            seen.arrivals.heard(datagram, now);
            if let Some(shortest) = seen.round_trips.heard(datagram, now) {
                self.clock.lock().measured(shortest);
            }
        }
        if seen.arrivals.has_lost(now) {
            self.clock.lock().lost(now);
        }
        if seen.arrivals.has_repeated() {
            self.clock.lock().peer_lost(now);
        }
        true
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends each segment separately, after one system call could not send them together.
    fn send_one_by_one(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>, size: usize) -> Poll<io::Result<usize>> {
        self.most_segments.store(1, Ordering::Relaxed);
        for contents in transmit.contents.chunks(size) {
            let Transmit { destination, ecn, src_ip, .. } = *transmit;
            // Datagrams that the socket has no room for are lost, as on the path.
            let _ = self.socket.poll_send(cx, &Transmit { destination, ecn, contents, segment_size: None, src_ip });
        }
        Poll::Ready(Ok(transmit.contents.len()))
    }
}

impl AsyncUdpSocket for LinkSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let now = TokioRuntime.now();
        {
            let mut seen = self.seen();
            if !seen.gate.lets_out(transmit.destination, transmit.contents, now) {
                return Poll::Ready(Ok(transmit.contents.len()));
            }
            seen.round_trips.sends(transmit.contents, now);
        }
        let sent = self.socket.poll_send(cx, transmit);
        if let (Poll::Ready(Err(error)), Some(size)) = (&sent, transmit.segment_size)
            && size > 0
            && is_refused(error)
        {
            return self.send_one_by_one(cx, transmit, size);
        }
        let is_alone = transmit.contents.len() <= GOES_TWICE && matches!(sent, Poll::Ready(Ok(_)));
        if is_alone && self.clock.lock().is_losing(TokioRuntime.now()) {
            // DTLS drops the second copy (RFC 6347, 4.1.2.6). If the socket has no room for it, it is not worth a wait.
            let _ = self.socket.poll_send(cx, transmit);
        }
        sent
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        for _ in 0..MOST_REFUSED {
            let received = self.socket.poll_recv(cx, buffers, meta);
            let Poll::Ready(Ok(filled)) = received else { return received };
            let now = TokioRuntime.now();
            let mut is_any = false;
            for (buffer, meta) in buffers.iter_mut().zip(meta.iter_mut()).take(filled) {
                is_any |= self.heard(buffer, meta, now);
            }
            if is_any {
                self.clock.lock().heard(now);
                return received;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn max_gso_segments(&self) -> usize {
        self.socket.max_gso_segments().min(self.most_segments.load(Ordering::Relaxed))
    }

    fn max_gro_segments(&self) -> usize {
        self.socket.max_gro_segments()
    }
}
