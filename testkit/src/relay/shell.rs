//! The relay's sockets and threads: signaling over TCP, frames and answers over UDP, with one set per session.
//!
//! It uses threads, not an async runtime. A thread wakes within 0.1 ms of its time, a tokio timer within 1 ms.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::datagrams::{self, Ends};
use super::impairments::Impairments;
use super::line::Counts;
use super::signaling;
use super::way::{Way, Ways, lock};

/// The impairments of both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Both {
    /// Server → client.
    pub to_client: Impairments,
    /// Client → server.
    pub to_server: Impairments,
}

/// A relay that listens on this machine for the clients of one server, until it is dropped.
pub struct Relay {
    /// Address that clients connect to instead of the server's.
    pub address: SocketAddr,
    sessions: Arc<Mutex<Sessions>>,
    is_over: Arc<AtomicBool>,
}

/// The sessions so far. A client that retries because its link did not open makes another session. Datagrams stay
/// within their session.
struct Sessions {
    seed: u64,
    impairments: Both,
    ways: Vec<Ways>,
}

impl Relay {
    /// A relay for the server that listens at `server`.
    pub fn start(server: &str, seed: u64, impairments: Both) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let sessions = Arc::new(Mutex::new(Sessions { seed, impairments, ways: Vec::new() }));
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
                        relay(client, server, &ways, &over).expect("sockets of this machine");
                    }
                    // The client sees a closed connection, as without the relay.
                    Err(_) => drop(client),
                }
            }
        });
        Self { address, sessions, is_over }
    }

    /// Changes the impairments of all sessions from now on.
    pub fn change(&self, impairments: Both) {
        let mut sessions = lock(&self.sessions);
        sessions.impairments = impairments;
        for ways in &sessions.ways {
            ways.to_client.line().change(impairments.to_client);
            ways.to_server.line().change(impairments.to_server);
        }
    }

    /// Counts so far: server → client, and client → server.
    pub fn counts(&self) -> (Counts, Counts) {
        let sessions = lock(&self.sessions);
        let sum = |way: fn(&Ways) -> &Way| sessions.ways.iter().map(|ways| way(ways).line().counts()).sum();
        (sum(|ways| &ways.to_client), sum(|ways| &ways.to_server))
    }
}

impl Sessions {
    /// Starts another session with the current impairments.
    fn begin(&mut self) -> Ways {
        // Each session and direction has its own seed, so that they are independent.
        let seed = 2 * (self.seed + self.ways.len() as u64);
        let way = |seed, impairments| Arc::new(Way::new(seed, impairments));
        let ways = Ways {
            to_client: way(seed, self.impairments.to_client),
            to_server: way(seed + 1, self.impairments.to_server),
        };
        self.ways.push(ways.clone());
        ways
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts connections.
        let _ = TcpStream::connect(self.address);
    }
}

/// Relays a session. Descriptions name the relay's sockets instead of the ends' own.
fn relay(client: TcpStream, server: TcpStream, ways: &Ways, is_over: &Arc<AtomicBool>) -> io::Result<()> {
    let (facing_client, facing_server) = (datagrams::socket()?, datagrams::socket()?);
    let ends = Arc::new(Mutex::new(Ends::default()));
    let relay_lines =
        |from: TcpStream, to: TcpStream, facing: SocketAddr, end: fn(&mut Ends) -> &mut Option<SocketAddr>| {
            let ends = ends.clone();
            thread::spawn(move || {
                let _ = signaling::pass_on(&from, &to, |description| {
                    let (rewritten, own) = signaling::rewritten(description, facing);
                    *end(&mut lock(&ends)) = own;
                    rewritten
                });
                // When one end closes its connection, the other end sees that too.
                let _ = to.shutdown(Shutdown::Write);
            });
        };
    relay_lines(server.try_clone()?, client.try_clone()?, facing_client.local_addr()?, |ends| &mut ends.server);
    relay_lines(client, server, facing_server.local_addr()?, |ends| &mut ends.client);
    let (facing_client, facing_server) = (Arc::new(facing_client), Arc::new(facing_server));
    datagrams::pass_on(
        &facing_server,
        &facing_client,
        &ways.to_client,
        &ends,
        |ends| (ends.server, ends.client),
        is_over,
    );
    datagrams::pass_on(
        &facing_client,
        &facing_server,
        &ways.to_server,
        &ends,
        |ends| (ends.client, ends.server),
        is_over,
    );
    Ok(())
}
