//! The relay's sockets and threads: signaling by TCP, frames and answers by UDP, a set of them for each session.
//!
//! Threads rather than a runtime: a thread wakes within a tenth of a millisecond of its time, tokio's timers within one.

use std::io::{self, BufRead, BufReader, Write};
use std::iter::Sum;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::line::{Counts, Line};
use super::weather::Weather;

/// How often a thread that waits for datagrams looks whether the relay is gone.
const LOOK: Duration = Duration::from_millis(50);

/// The largest datagram there is.
const MAX_DATAGRAM: usize = 65_535;

/// Words of a candidate's line (RFC 8839, section 5.1).
const CANDIDATE_ADDRESS: usize = 4;
const CANDIDATE_PORT: usize = 5;

/// The weather of both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Both {
    /// Server → client.
    pub(crate) to_client: Weather,
    /// Client → server.
    pub(crate) to_server: Weather,
}

/// A relay that listens for clients of one server on this machine, until dropped.
pub(crate) struct Relay {
    /// Where clients connect instead of to the server.
    pub(crate) address: SocketAddr,
    sessions: Arc<Mutex<Sessions>>,
    is_over: Arc<AtomicBool>,
}

/// A client that tries again, as its link did not open, makes another session: what comes of one goes out of it.
struct Sessions {
    seed: u64,
    weather: Both,
    ways: Vec<Ways>,
}

/// Both directions of a session.
#[derive(Clone)]
struct Ways {
    to_client: Arc<Way>,
    to_server: Arc<Way>,
}

/// A direction.
struct Way {
    line: Mutex<Line>,
    news: Condvar,
}

impl Relay {
    /// A relay for the server that listens at `server`.
    pub(crate) fn start(server: &str, seed: u64, weather: Both) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let sessions = Arc::new(Mutex::new(Sessions { seed, weather, ways: Vec::new() }));
        let is_over = Arc::new(AtomicBool::new(false));
        let (server, begun, over) = (server.to_owned(), sessions.clone(), is_over.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                match TcpStream::connect(&server) {
                    Ok(server) => {
                        let ways = lock(&begun).begin();
                        signaling(client, server, &ways, &over).expect("sockets of this machine");
                    }
                    // As a client would find it without us.
                    Err(_) => drop(client),
                }
            }
        });
        Self { address, sessions, is_over }
    }

    /// From now on the weather is another.
    pub(crate) fn change(&self, weather: Both) {
        let mut sessions = lock(&self.sessions);
        sessions.weather = weather;
        for ways in &sessions.ways {
            ways.to_client.line().change(weather.to_client);
            ways.to_server.line().change(weather.to_server);
        }
    }

    /// What happened so far, server → client and client → server.
    pub(crate) fn counts(&self) -> (Counts, Counts) {
        let sessions = lock(&self.sessions);
        let sum = |way: fn(&Ways) -> &Way| sessions.ways.iter().map(|ways| way(ways).line().counts()).sum();
        (sum(|ways| &ways.to_client), sum(|ways| &ways.to_server))
    }
}

impl Sessions {
    /// Another session, in the weather of now.
    fn begin(&mut self) -> Ways {
        // Sessions and directions are as independent of each other as their seeds.
        let seed = 2 * (self.seed + self.ways.len() as u64);
        let way = |seed, weather| Arc::new(Way { line: Mutex::new(Line::new(seed, weather)), news: Condvar::new() });
        let ways =
            Ways { to_client: way(seed, self.weather.to_client), to_server: way(seed + 1, self.weather.to_server) };
        self.ways.push(ways.clone());
        ways
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, one| Self {
            taken: sum.taken + one.taken,
            dropped: sum.dropped + one.dropped,
            duplicated: sum.duplicated + one.duplicated,
            held: sum.held + one.held,
            delivered: sum.delivered + one.delivered,
        })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the one who accepts.
        let _ = TcpStream::connect(self.address);
    }
}

/// Relays a session's signaling; descriptions name our sockets in place of the ends' own.
fn signaling(client: TcpStream, server: TcpStream, ways: &Ways, is_over: &Arc<AtomicBool>) -> io::Result<()> {
    let (facing_client, facing_server) = (socket()?, socket()?);
    let ends = Arc::new(Mutex::new(Ends::default()));
    let relay = |from: TcpStream, to: TcpStream, facing: SocketAddr, end: fn(&mut Ends) -> &mut Option<SocketAddr>| {
        let ends = ends.clone();
        thread::spawn(move || {
            let _ = lines(&from, &to, |description| {
                let (rewritten, own) = rewritten(description, facing);
                *end(&mut lock(&ends)) = own;
                rewritten
            });
            // One end's last line is the other's.
            let _ = to.shutdown(Shutdown::Write);
        });
    };
    relay(server.try_clone()?, client.try_clone()?, facing_client.local_addr()?, |ends| &mut ends.server);
    relay(client, server, facing_server.local_addr()?, |ends| &mut ends.client);
    let (facing_client, facing_server) = (Arc::new(facing_client), Arc::new(facing_server));
    datagrams(&facing_server, &facing_client, &ways.to_client, &ends, |ends| (ends.server, ends.client), is_over);
    datagrams(&facing_client, &facing_server, &ways.to_server, &ends, |ends| (ends.client, ends.server), is_over);
    Ok(())
}

/// Where the two ends really are, once their descriptions said so.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    server: Option<SocketAddr>,
    client: Option<SocketAddr>,
}

/// Passes lines on; descriptions through `rewrite`.
fn lines(from: &TcpStream, mut to: &TcpStream, mut rewrite: impl FnMut(&str) -> String) -> io::Result<()> {
    for line in BufReader::new(from).lines() {
        let line = line?;
        let signal: Option<Value> = serde_json::from_str(&line).ok();
        let passed = match signal {
            Some(mut signal) if signal["sdp"].is_string() => {
                signal["sdp"] = rewrite(signal["sdp"].as_str().unwrap_or_default()).into();
                signal.to_string()
            }
            _ => line,
        };
        to.write_all(format!("{passed}\n").as_bytes())?;
    }
    Ok(())
}

/// The description with one candidate, ours, in place of the one on loopback, and that one's address.
fn rewritten(description: &str, ours: SocketAddr) -> (String, Option<SocketAddr>) {
    let mut own = None;
    let mut rewrite = |line: &str| -> Option<String> {
        if !line.starts_with("a=candidate:") {
            return Some(line.to_owned());
        }
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let address = format!("{}:{}", words.get(CANDIDATE_ADDRESS)?, words.get(CANDIDATE_PORT)?);
        let address: SocketAddr = address.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback())?;
        if own.replace(address).is_some() {
            return None;
        }
        words[CANDIDATE_ADDRESS] = ours.ip().to_string();
        words[CANDIDATE_PORT] = ours.port().to_string();
        Some(words.join(" "))
    };
    let lines: Vec<String> = description.split("\r\n").filter_map(&mut rewrite).collect();
    (lines.join("\r\n"), own)
}

/// Passes datagrams of one direction on, as the weather has it, until the relay is gone.
fn datagrams(
    from: &Arc<UdpSocket>,
    to: &Arc<UdpSocket>,
    way: &Arc<Way>,
    ends: &Arc<Mutex<Ends>>,
    direction: fn(Ends) -> (Option<SocketAddr>, Option<SocketAddr>),
    is_over: &Arc<AtomicBool>,
) {
    let (from, taking, taking_ends, over) = (from.clone(), way.clone(), ends.clone(), is_over.clone());
    thread::spawn(move || {
        let mut datagram = vec![0; MAX_DATAGRAM];
        while !over.load(Ordering::Relaxed) {
            let Ok((length, sender)) = from.recv_from(&mut datagram) else { continue };
            // An end's other addresses are not the relay's business.
            if direction(*lock(&taking_ends)).0 == Some(sender) {
                taking.line().take(&datagram[..length], Instant::now());
                taking.news.notify_one();
            }
        }
    });
    let (to, way, ends, over) = (to.clone(), way.clone(), ends.clone(), is_over.clone());
    thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            let datagram = way.next();
            if let (Some(datagram), Some(end)) = (datagram, direction(*lock(&ends)).1) {
                // An end that is gone refuses; so would a network.
                let _ = to.send_to(&datagram, end);
            }
        }
    });
}

impl Way {
    fn line(&self) -> MutexGuard<'_, Line> {
        lock(&self.line)
    }

    /// The next datagram when it is due; `None` now and then, to look whether all is over.
    fn next(&self) -> Option<Vec<u8>> {
        let mut line = self.line();
        if let Some(datagram) = line.deliver(Instant::now()) {
            return Some(datagram);
        }
        let wait = line.next_due().map_or(LOOK, |due| due.saturating_duration_since(Instant::now()).min(LOOK));
        line = self.news.wait_timeout(line, wait).unwrap_or_else(PoisonError::into_inner).0;
        line.deliver(Instant::now())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(LOOK))?;
    Ok(socket)
}
