//! The runtime of a link's connection: tokio, with sockets and a clock of our own.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tracing::{debug, warn};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime, TokioRuntime,
};

use super::buffers::enlarge;
use super::fragments;
use super::guard::{Breach, Conduct, Gate};
use super::mtu::packets_at_once;
use super::pace::{PacedClock, Profile, SharedClock};
use super::progress::Progress;
use super::socket::LinkSocket;

/// Interval at which the driver is woken while a connection opens. DTLS and SCTP send their first packets from a timer
/// that otherwise ticks every 200 ms, so opening would take 600 ms instead of 20 ms.
const OPENING_TICK: Duration = Duration::from_millis(1);

/// Interval at which the driver is woken on an open link whose clock runs fast, so that it keeps up with the pace.
const FAST_TICK: Duration = Duration::from_millis(10);

/// Interval at which the driver is woken while the clock shows real time, so that the clock notices a silence.
const STEADY_TICK: Duration = Duration::from_millis(60);

/// tokio with large socket buffers, quick ticks while a connection opens, and a clock that may run faster than real
/// time.
#[derive(Debug)]
pub(super) struct LinkRuntime {
    tokio: TokioRuntime,
    clock: SharedClock,
    most_segments: usize,
    opening: AtomicBool,
    progress: Progress,
    signaling: Option<IpAddr>,
    conduct: Conduct,
}

impl LinkRuntime {
    /// A runtime for one connection that is about to open. Its clock follows this profile, and its SCTP packets have up
    /// to `mtu` bytes. `signaling` is where the peer's signaling connection ends.
    pub(super) fn new(
        pace: Profile,
        mtu: u32,
        progress: Progress,
        signaling: Option<IpAddr>,
        conduct: Conduct,
    ) -> Arc<Self> {
        let tokio = TokioRuntime;
        let clock = SharedClock::new(PacedClock::new(pace, tokio.now()));
        let most_segments = packets_at_once(mtu);
        let opening = AtomicBool::new(true);
        Arc::new(Self { tokio, clock, most_segments, opening, progress, signaling, conduct })
    }

    /// Ends the quick ticks: the connection is open, or was given up.
    pub(super) fn opened(&self) {
        self.opening.store(false, Ordering::Relaxed);
        self.clock.lock().opened(self.tokio.now());
    }
}

impl Runtime for LinkRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        let conduct = self.conduct.clone();
        self.tokio.spawn(Box::pin(async move {
            // After a panic the connection is only closed.
            if AssertUnwindSafe(future).catch_unwind().await.is_err() {
                conduct.note(Breach::Panic);
            }
        }))
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        match enlarge(&socket) {
            Ok(granted) => debug!("receive buffer of {} KiB", granted >> 10),
            Err(error) => warn!("cannot enlarge the buffers of a UDP socket: {error}"),
        }
        let options = socket.try_clone()?;
        let socket = self.tokio.wrap_udp_socket(socket)?;
        if let Err(error) = fragments::allow(&options) {
            debug!("cannot allow packets to be fragmented: {error}");
        }
        let (clock, progress, gate) = (self.clock.clone(), self.progress.clone(), Gate::new(self.signaling));
        Ok(Arc::new(LinkSocket::new(socket, self.most_segments, clock, progress, gate)))
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
        self.clock.lock().at(self.tokio.now())
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        let pace = self.clock.lock().pace(self.tokio.now());
        let most = match self.opening.load(Ordering::Relaxed) {
            true => OPENING_TICK,
            false if pace > 1 => FAST_TICK,
            false => STEADY_TICK,
        };
        self.tokio.sleep((duration / pace).min(most))
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.tokio.interval(period / self.clock.lock().pace(self.tokio.now()))
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
            let segments = LinkRuntime::new(Profile::reliable(1), mtu, Progress::new(), None, Conduct::new())
                .wrap_udp_socket(socket)
                .unwrap()
                .max_gso_segments();
            // Of 1300 bytes, 49 segments would be 65,513.
            assert!((1..=64).contains(&segments) && segments as u32 * (mtu + 37) <= 65_507, "{segments} of {mtu}");
        }
    }
}
