//! UDP sockets that do not overflow.
//!
//! Sockets with the usual 208 KiB receive buffer lose packets under a burst of frames, and each loss stalls SCTP for
//! 200 ms to 1 s. So the buffer is enlarged, the kernel's grant read back, and the SCTP receive window kept within it.

use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::link::webrtc::pace::PacedClock;
use socket2::SockRef;
use tracing::{debug, warn};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, TokioRuntime,
    Transmit,
};

/// Receive and send buffer asked of the kernel, in bytes: measured to be free of stalls at full speed.
const WANTED_BUFFER: usize = 4 << 20;

/// A grant of at least this carries the crate's own receive window of 1 MiB without loss.
const COMFORTABLE_BUFFER: usize = 1 << 20;

/// The receive window that does not stall even on a socket the kernel caps at 208 KiB (measured, 269 MB/s).
const CAUTIOUS_WINDOW: u32 = 131_072;

/// While a connection opens, its driver is woken this often: DTLS and SCTP send their first packets from a timer that
/// otherwise ticks each 200 ms, which makes opening take 600 ms instead of 20.
const OPENING_TICK: Duration = Duration::from_millis(1);

/// The SCTP receive window that suits the buffers this machine grants; `None` for the crate's own 1 MiB.
///
/// Warns, once, when the kernel caps the buffer.
pub(super) fn receive_window() -> Option<u32> {
    let granted = UdpSocket::bind(("127.0.0.1", 0)).and_then(|socket| enlarge(&socket)).unwrap_or(0);
    if granted >= COMFORTABLE_BUFFER {
        return None;
    }
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        warn!(
            "the kernel grants UDP sockets a receive buffer of {} KiB, under {} KiB: large frames will be slower; \
             raise it with: sysctl -w net.core.rmem_max={WANTED_BUFFER}",
            granted >> 10,
            COMFORTABLE_BUFFER >> 10,
        );
    }
    Some(CAUTIOUS_WINDOW)
}

/// Enlarges both buffers as far as the kernel allows; returns the receive buffer granted, in bytes.
fn enlarge(socket: &UdpSocket) -> io::Result<usize> {
    let socket = SockRef::from(socket);
    socket.set_recv_buffer_size(WANTED_BUFFER)?;
    socket.set_send_buffer_size(WANTED_BUFFER)?;
    // Linux reports double the payload it will hold, for its own bookkeeping.
    Ok(socket.recv_buffer_size()? / 2)
}

/// While a live link is open, its driver is woken this often, so that it keeps up with its clock's pace.
const LIVE_TICK: Duration = Duration::from_millis(10);

/// The most that a UDP datagram over IPv4 carries, in bytes: 65,535 less the headers (RFC 791, RFC 768). One system call
/// may send no more either, though the kernel cuts it into many (UDP GSO); else it fails, and all of it is lost.
const MOST_AT_ONCE: u32 = 65_507;

/// What a DTLS record adds to an SCTP packet, in bytes: header 13, nonce 8, tag 16 (RFC 5288).
const RECORD_OVERHEAD: u32 = 37;

/// How many SCTP packets of up to `mtu` bytes one system call sends.
pub(super) fn packets_at_once(mtu: u32) -> usize {
    (MOST_AT_ONCE / (mtu + RECORD_OVERHEAD)).max(1) as usize
}

/// tokio, with large socket buffers, a quick tick while a connection opens, and a clock that may run faster than time.
#[derive(Debug)]
pub(super) struct LinkRuntime {
    tokio: TokioRuntime,
    clock: Arc<Mutex<PacedClock>>,
    is_paced: bool,
    most_segments: usize,
    opening: AtomicBool,
}

impl LinkRuntime {
    /// A runtime for one connection that is about to open, whose clock will run so many times as fast as time, and whose
    /// SCTP packets have up to `mtu` bytes.
    pub(super) fn new(pace: u32, mtu: u32) -> Arc<Self> {
        let tokio = TokioRuntime;
        let clock = Arc::new(Mutex::new(PacedClock::new(pace, tokio.now())));
        let most_segments = packets_at_once(mtu);
        Arc::new(Self { tokio, clock, is_paced: pace > 1, most_segments, opening: AtomicBool::new(true) })
    }

    /// The connection is open, or given up: no more quick ticks.
    pub(super) fn opened(&self) {
        self.opening.store(false, Ordering::Relaxed);
        locked(&self.clock).opened(self.tokio.now());
    }
}

fn locked(clock: &Mutex<PacedClock>) -> MutexGuard<'_, PacedClock> {
    clock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where packets are being lost, datagrams that are sent alone and have up to so many bytes go twice: acknowledgements,
/// answers, requests, and what SCTP's timer repeats, which is one packet at a time. A lost acknowledgement holds up all that
/// follows, and the crate sets that timer no more once six repeats in a row are lost: the connection then stands still.
/// Measured at 20 % loss, 640x480 LZ4, 60 frames a second, ten sessions of 10 s each: datagrams up to 256 bytes twice, 89 %
/// scored and one session ended early; up to this, 93 % and none. A network's packets are no larger, and bursts of several
/// are one larger system call.
const GOES_TWICE: usize = 1_500;

/// A socket that sends no more at once than goes, and tells the clock of a live link when something comes.
#[derive(Debug)]
struct LinkSocket {
    socket: Arc<dyn AsyncUdpSocket>,
    most_segments: usize,
    clock: Option<Arc<Mutex<PacedClock>>>,
}

impl AsyncUdpSocket for LinkSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let sent = self.socket.poll_send(cx, transmit);
        let is_alone = transmit.contents.len() <= GOES_TWICE && matches!(sent, Poll::Ready(Ok(_)));
        if let Some(clock) = self.clock.as_ref().filter(|_| is_alone)
            && locked(clock).was_silent_lately(TokioRuntime.now())
        {
            // DTLS drops the second that arrives (RFC 6347, 4.1.2.6). What the socket has no room for is not worth a wait.
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
        let received = self.socket.poll_recv(cx, buffers, meta);
        if let (Some(clock), Poll::Ready(Ok(_))) = (&self.clock, &received) {
            locked(clock).heard(TokioRuntime.now());
        }
        received
    }

    fn max_gso_segments(&self) -> usize {
        self.socket.max_gso_segments().min(self.most_segments)
    }

    fn max_gro_segments(&self) -> usize {
        self.socket.max_gro_segments()
    }
}

impl Runtime for LinkRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        self.tokio.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        match enlarge(&socket) {
            Ok(granted) => debug!("receive buffer of {} KiB at {:?}", granted >> 10, socket.local_addr()),
            Err(error) => warn!("cannot enlarge the buffers of a UDP socket: {error}"),
        }
        let socket = self.tokio.wrap_udp_socket(socket)?;
        let clock = self.is_paced.then(|| self.clock.clone());
        Ok(Arc::new(LinkSocket { socket, most_segments: self.most_segments, clock }))
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.tokio.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        self.tokio.connect_tcp(remote)
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        self.tokio.resolve_host(host)
    }

    fn now(&self) -> Instant {
        let now = self.tokio.now();
        if self.is_paced { locked(&self.clock).at(now) } else { now }
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        let most = match self.opening.load(Ordering::Relaxed) {
            true => OPENING_TICK,
            false if self.is_paced => LIVE_TICK,
            false => Duration::MAX,
        };
        self.tokio.sleep((duration / locked(&self.clock).pace(self.tokio.now())).min(most))
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.tokio.interval(period / locked(&self.clock).pace(self.tokio.now()))
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.tokio.block_on(future);
    }

    fn yield_now(&self) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.tokio.yield_now()
    }

    fn name(&self) -> &'static str {
        "plumb"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_batch_of_segments_exceeds_a_datagram() {
        for mtu in [576, 1191, 1300, 1400, 9_000, 16_000] {
            let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            let segments = LinkRuntime::new(1, mtu).wrap_udp_socket(socket).unwrap().max_gso_segments();
            // Of 1300 bytes, 49 segments would be 65,513.
            assert!((1..=64).contains(&segments) && segments as u32 * (mtu + 37) <= 65_507, "{segments} of {mtu}");
        }
    }
}
