//! Listening at every address of a host name, on one port.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::net::{TcpListener, TcpStream, lookup_host};
use tracing::{debug, warn};

use crate::shell::descriptors::{is_out_of_descriptors, with_advice};
use crate::shell::exit::Exit;
use crate::shell::threads;

/// If any port will do, the number of ports to try until one is free at all addresses.
const PORT_ATTEMPTS: usize = 16;

/// Listens at HOST:PORT, at every address of the host. Port 0 picks a free port, the same at every address.
///
/// # Errors
/// If the port is taken at one of the addresses, or none of them belongs to this machine.
pub async fn listen(name: &str) -> io::Result<Vec<TcpListener>> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    // The look-up of a name is a thread.
    if name.parse::<SocketAddr>().is_err() {
        threads::has_room()?;
    }
    for address in lookup_host(name).await? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    let mut attempt = 1;
    loop {
        match listen_at(&addresses).await {
            Err(error) if is_taken(&error) && addresses.iter().all(|address| address.port() == 0) => {
                attempt += 1;
                if attempt > PORT_ATTEMPTS {
                    return Err(error);
                }
            }
            outcome => return outcome,
        }
    }
}

/// Accepts the next connection at any of these addresses. Safe to cancel.
///
/// # Errors
/// If the system refuses, for example because no descriptors are left.
pub async fn accept(listeners: &mut [TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|cx| poll_accept(listeners, cx)).await
}

/// The addresses take turns at being polled first.
fn poll_accept(listeners: &mut [TcpListener], cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
    for place in 0..listeners.len() {
        if let Poll::Ready(accepted) = listeners[place].poll_accept(cx) {
            listeners.rotate_left(place + 1);
            return Poll::Ready(accepted);
        }
    }
    Poll::Pending
}

/// Listens at all of these addresses that belong to this machine. If the first has port 0, the others use the port
/// that it gets.
async fn listen_at(addresses: &[SocketAddr]) -> io::Result<Vec<TcpListener>> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut wrong = None;
    for &address in addresses {
        let port = listeners.first().and_then(|first| first.local_addr().ok()).map(|first| first.port());
        let address = SocketAddr::new(address.ip(), port.unwrap_or(address.port()));
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if is_taken(&error) => return Err(error),
            // A name may have addresses of other machines, or of a family that is disabled on this one.
            Err(error) => {
                debug!("cannot also listen at {address}: {error}");
                wrong = Some((address, error));
            }
        }
    }
    match wrong {
        Some((_, error)) if listeners.is_empty() => Err(error),
        Some((address, error)) => {
            warn!("cannot also listen at {address}: {error}");
            Ok(listeners)
        }
        None if listeners.is_empty() => Err(io::Error::new(ErrorKind::NotFound, "the name has no address")),
        None => Ok(listeners),
    }
}

/// The error and exit code of the program `what` (`server` or `client`) if it cannot listen at the given address.
pub fn cannot_listen(asked: &str, error: &io::Error, what: &str) -> (String, Exit) {
    match error.kind() {
        ErrorKind::AddrInUse => (
            format!("{asked} is taken: another {what} may be running; choose another port with --listen"),
            Exit::NoPeer,
        ),
        _ if is_out_of_descriptors(error) => (format!("cannot listen on {asked}: {}", with_advice(error)), Exit::Other),
        _ => (
            format!(
                "cannot listen on {asked}: {error}; name an address of this machine and a port that is free to you"
            ),
            Exit::Usage,
        ),
    }
}

fn is_taken(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrInUse
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
        listeners.iter().map(|listener| listener.local_addr().unwrap()).collect()
    }

    /// Two addresses of this machine, whichever address families it has.
    fn two() -> [SocketAddr; 2] {
        ["127.0.0.1:0".parse().unwrap(), "127.0.0.2:0".parse().unwrap()]
    }

    #[tokio::test]
    async fn every_address_is_listened_at_with_one_port() {
        let listeners = listen_at(&two()).await.unwrap();
        let [first, second] = addresses(&listeners)[..] else { panic!("not two") };
        assert_eq!((first.port(), second.ip()), (second.port(), two()[1].ip()));
        assert_ne!(first.port(), 0);
    }

    #[tokio::test]
    async fn a_port_counts_as_taken_if_it_is_taken_at_one_address() {
        let taken = TcpListener::bind(two()[1]).await.unwrap().local_addr().unwrap();
        let holder = TcpListener::bind(taken).await.unwrap();
        let port = holder.local_addr().unwrap().port();
        let error = listen_at(&two().map(|address| SocketAddr::new(address.ip(), port))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn an_address_of_another_machine_does_not_affect_the_others() {
        let foreign = "192.0.2.1:0".parse().unwrap();
        let listeners = listen_at(&[foreign, two()[0]]).await.unwrap();
        assert_eq!(addresses(&listeners)[0].ip(), two()[0].ip());
        assert!(listen_at(&[foreign]).await.is_err());
    }

    #[tokio::test]
    async fn localhost_means_all_its_addresses() {
        let known: Vec<_> = lookup_host("localhost:0").await.unwrap().collect();
        let mut expected: Vec<_> = Vec::new();
        for address in known {
            if TcpListener::bind(address).await.is_ok() && !expected.contains(&address.ip()) {
                expected.push(address.ip());
            }
        }
        let heard = listen("localhost:0").await.unwrap();
        assert_eq!(addresses(&heard).iter().map(SocketAddr::ip).collect::<Vec<_>>(), expected);
    }
}
