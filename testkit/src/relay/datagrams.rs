//! Relays frames and answers over UDP.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::{io, thread};

use super::way::{CHECK_INTERVAL, Way, lock};

/// Largest UDP datagram, in bytes.
const MAX_DATAGRAM: usize = 65_535;

/// Real addresses of the two ends, once their descriptions have named them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    /// Address of the server.
    pub(super) server: Option<SocketAddr>,
    /// Address of the client.
    pub(super) client: Option<SocketAddr>,
}

/// A socket on loopback with a read timeout of [`CHECK_INTERVAL`].
pub(super) fn socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(CHECK_INTERVAL))?;
    Ok(socket)
}

/// Sender and receiver of a direction's datagrams.
type Direction = fn(Ends) -> (Option<SocketAddr>, Option<SocketAddr>);

/// Passes on the datagrams of one direction, as the impairments say, until the relay is dropped.
pub(super) fn pass_on(
    from: &Arc<UdpSocket>,
    to: &Arc<UdpSocket>,
    way: &Arc<Way>,
    ends: &Arc<Mutex<Ends>>,
    direction: Direction,
    is_over: &Arc<AtomicBool>,
) {
    let (from, taking, taking_ends, over) = (from.clone(), way.clone(), ends.clone(), is_over.clone());
    thread::spawn(move || {
        let mut datagram = vec![0; MAX_DATAGRAM];
        while !over.load(Ordering::Relaxed) {
            let Ok((length, sender)) = from.recv_from(&mut datagram) else { continue };
            // Only the address in the description is relayed.
            if direction(*lock(&taking_ends)).0 == Some(sender) {
                taking.take(&datagram[..length]);
            }
        }
    });
    let (to, way, ends, over) = (to.clone(), way.clone(), ends.clone(), is_over.clone());
    thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            let datagram = way.next();
            if let (Some(datagram), Some(end)) = (datagram, direction(*lock(&ends)).1) {
                // An end that is gone refuses datagrams, as on a real network.
                let _ = to.send_to(&datagram, end);
            }
        }
    });
}
