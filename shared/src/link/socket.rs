//! UDP sockets that do not overflow.
//!
//! Sockets with the usual 208 KiB receive buffer lose packets under a burst of frames, and each loss stalls SCTP for
//! 200 ms to 1 s. So the buffer is enlarged, the kernel's grant read back, and the SCTP receive window kept within it.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use socket2::SockRef;
use tracing::{debug, warn};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime, TokioRuntime,
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
pub fn receive_window() -> Option<u32> {
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

/// tokio, with large socket buffers, a quick tick while a connection opens, and a clock that may run faster than time.
///
/// The crate takes all its time from here. Its SCTP waits at least 1 s before it takes a packet for lost that nothing
/// shows to be (RTO.Min), and up to 200 ms before it acknowledges a single packet; neither can be set. On a clock that
/// runs `pace` times as fast these become shorter, and all that is told to the crate in durations must be made longer.
#[derive(Debug)]
pub struct LinkRuntime {
    tokio: TokioRuntime,
    started: Instant,
    pace: u32,
    opening: AtomicBool,
}

impl LinkRuntime {
    /// A runtime for one connection that is about to open, whose clock runs so many times as fast as time.
    pub fn new(pace: u32) -> Arc<Self> {
        let tokio = TokioRuntime;
        let started = tokio.now();
        Arc::new(Self { tokio, started, pace: pace.max(1), opening: AtomicBool::new(true) })
    }

    /// The connection is open, or given up: no more quick ticks.
    pub fn opened(&self) {
        self.opening.store(false, Ordering::Relaxed);
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
        self.tokio.wrap_udp_socket(socket)
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
        self.started + self.tokio.now().duration_since(self.started) * self.pace
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        let duration = duration / self.pace;
        let opening = self.opening.load(Ordering::Relaxed);
        self.tokio.sleep(if opening { duration.min(OPENING_TICK) } else { duration })
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.tokio.interval(period / self.pace)
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

    #[tokio::test(start_paused = true)]
    async fn a_fast_clock_runs_and_wakes_so_many_times_as_fast() {
        let runtime = LinkRuntime::new(10);
        runtime.opened();
        let (before, started) = (runtime.now(), tokio::time::Instant::now());
        runtime.sleep(Duration::from_secs(1)).await;
        assert_eq!(started.elapsed().as_millis(), 100);
        assert!(runtime.now() >= before);
    }
}
