//! A TCP connection to a host name, over whichever of its addresses answers first.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use thiserror::Error;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{sleep_until, timeout};

use crate::shell::descriptors::is_out_of_descriptors;
use crate::shell::threads;
use crate::time::MonotonicClock;

use super::race::{Race, Step};

/// Timeout of a name lookup: a resolver asks twice, for five seconds each (resolv.conf(5)).
const LOOKUP_LIMIT: Duration = Duration::from_secs(10);

/// Timeout of a connection attempt to one address: a lost SYN is repeated after a second (RFC 6298).
const ADDRESS_LIMIT: Duration = Duration::from_secs(2);

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum Unreachable {
    /// The name has no address, or the lookup failed.
    #[error("the name cannot be looked up: {0}")]
    Name(io::Error),
    /// The lookup timed out.
    #[error("the name was not looked up within {} s: the resolver is silent", LOOKUP_LIMIT.as_secs())]
    Resolver,
    /// No address of the name accepted a connection.
    #[error("{}", Tried(.0))]
    Addresses(Vec<(SocketAddr, AddressError)>),
    /// The given address did not accept a connection.
    #[error(transparent)]
    Address(AddressError),
}

/// The outcome of a connection attempt.
#[derive(Debug, Error)]
pub enum AddressError {
    /// The address refused, or cannot be reached.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The address did not answer in time.
    #[error("no answer within {} s", ADDRESS_LIMIT.as_secs())]
    Silent,
}

impl Unreachable {
    /// Whether this process, not the server, is at fault: it has no file descriptors left.
    pub fn is_out_of_descriptors(&self) -> bool {
        match self {
            Self::Name(error) => is_out_of_descriptors(error),
            Self::Resolver => false,
            Self::Address(error) => error.is_out_of_descriptors(),
            Self::Addresses(tried) => tried.iter().any(|(_, error)| error.is_out_of_descriptors()),
        }
    }
}

impl AddressError {
    fn is_out_of_descriptors(&self) -> bool {
        matches!(self, Self::Io(error) if is_out_of_descriptors(error))
    }
}

/// The addresses tried, each with its outcome.
struct Tried<'a>(&'a [(SocketAddr, AddressError)]);

impl fmt::Display for Tried<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("the name has no address"),
            tried => {
                let said: Vec<_> = tried.iter().map(|(address, error)| format!("{address}: {error}")).collect();
                f.write_str(&said.join("; "))
            }
        }
    }
}

/// Connects to HOST:PORT. All addresses of the host are tried in parallel, and the first to answer wins.
///
/// # Errors
/// The addresses tried, each with its outcome.
pub async fn connect(server: &str) -> Result<TcpStream, Unreachable> {
    if let Ok(address) = server.parse() {
        return attempt(address).await.1.map_err(Unreachable::Address);
    }
    // A look-up is a thread.
    threads::has_room().map_err(Unreachable::Name)?;
    let addresses = timeout(LOOKUP_LIMIT, lookup_host(server)).await;
    let addresses = addresses.map_err(|_| Unreachable::Resolver)?.map_err(Unreachable::Name)?;
    first_of(addresses).await
}

/// Connects to the first of these addresses that answers.
async fn first_of(addresses: impl IntoIterator<Item = SocketAddr>) -> Result<TcpStream, Unreachable> {
    let clock = MonotonicClock::start();
    let mut race = Race::new(addresses, clock.now());
    let (mut attempts, mut failed) = (FuturesUnordered::new(), Vec::new());
    loop {
        let next = match race.poll(clock.now()) {
            Step::Connect(address) => {
                attempts.push(attempt(address));
                continue;
            }
            Step::Wait(next) => next.map(|next| clock.instant(next)),
            Step::Lost => return Err(Unreachable::Addresses(failed)),
        };
        let head_start = async {
            match next {
                Some(next) => sleep_until(next.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some((address, outcome)) = attempts.next() => match outcome {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    race.failed(clock.now());
                    failed.push((address, error));
                }
            },
            () = head_start => {}
        }
    }
}

async fn attempt(address: SocketAddr) -> (SocketAddr, Result<TcpStream, AddressError>) {
    let outcome = match timeout(ADDRESS_LIMIT, TcpStream::connect(address)).await {
        Ok(connected) => connected.map_err(AddressError::Io),
        Err(_) => Err(AddressError::Silent),
    };
    (address, outcome)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// An address with no listener.
    async fn nobody() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
    }

    #[tokio::test]
    async fn the_second_address_is_reached_if_the_first_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let stream = first_of([nobody().await, there]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), there);
    }

    #[tokio::test]
    async fn each_address_tried_is_named_with_its_outcome() {
        let (one, other) = (nobody().await, nobody().await);
        let error = first_of([one, other]).await.unwrap_err().to_string();
        for address in [one, other] {
            assert!(error.contains(&format!("{address}: Connection refused")), "{error}");
        }
        assert_eq!(first_of([]).await.unwrap_err().to_string(), "the name has no address");
    }

    #[test]
    fn silence_is_distinguished_from_a_name_without_an_address() {
        let silent = Unreachable::Addresses(vec![(([192, 0, 2, 1], 80).into(), AddressError::Silent)]);
        assert_eq!(silent.to_string(), "192.0.2.1:80: no answer within 2 s");
    }
}
