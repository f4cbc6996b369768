//! Frames and answers through the relay, by UDP.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::{io, thread};

use super::way::{LOOK, Way, lock};

/// The largest datagram there is.
const MAX_DATAGRAM: usize = 65_535;

/// Where the two ends really are, once their descriptions said so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    /// The server's.
    pub(super) server: Option<SocketAddr>,
    /// The client's.
    pub(super) client: Option<SocketAddr>,
}

/// A socket that waits for so long at a time.
pub(super) fn socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(LOOK))?;
    Ok(socket)
}

/// Sender and receiver of a direction's datagrams.
type Direction = fn(Ends) -> (Option<SocketAddr>, Option<SocketAddr>);

/// Passes datagrams of one direction on, as the weather has it, until the relay is gone.
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
            // An end's other addresses are not the relay's business.
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
                // An end that is gone refuses; so would a network.
                let _ = to.send_to(&datagram, end);
            }
        }
    });
}
