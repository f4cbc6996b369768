//! What the signaling connection reveals about the path: which addresses to bind, and how large packets may be.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use socket2::SockRef;
use tokio::net::TcpStream;

use super::mtu::{LEAST_MTU, LOOPBACK_MTU, NETWORK_MTU, RECORD_OVERHEAD};

/// Bytes by which a TCP segment exceeds the largest SCTP packet on the same path: UDP's header (8) and its DTLS
/// record's overhead (37) against TCP's header (20, more with options). The ends of the signaling connection have
/// agreed on a segment size that fits the path, so it also reveals the smaller packets of a tunnel.
const SEGMENT_SURPLUS: u32 = 8 + RECORD_OVERHEAD - 20;

/// Addresses to bind for a Plumb peer whose TCP connection ends here: the local one, and one more if that is loopback, for
/// peers that gather no loopback address (aiortc) or are behind a proxy (a published port).
pub fn local_addresses(local: SocketAddr) -> Vec<IpAddr> {
    let local = local.ip().to_canonical();
    let other = if local.is_loopback() { other_address(local.is_ipv4()) } else { None };
    [Some(local), other].into_iter().flatten().collect()
}

/// Addresses to bind for a browser, or a stranger that may be one, whose TCP connection ends here: one, and not loopback if
/// the machine has another.
///
/// Firefox gathers no loopback address. Its checks from another address to 127.0.0.1 are never answered, and with both
/// addresses offered, half of its links ended up on that pair. Every peer that reaches this machine's loopback reaches its
/// other address too, and within the machine the packets take the same way.
pub fn one_address(local: SocketAddr) -> Vec<IpAddr> {
    let local = local.ip().to_canonical();
    let other = if local.is_loopback() { other_address(local.is_ipv4()) } else { None };
    // Nothing can be bound at an address of an interface that is down.
    let other = other.filter(|address| UdpSocket::bind((*address, 0)).is_ok());
    vec![other.unwrap_or(local)]
}

/// Largest SCTP packet on the path of this signaling connection, to a peer that takes as much as we do.
pub fn path_mtu(stream: &TcpStream) -> io::Result<u32> {
    let segment = SockRef::from(stream).tcp_mss().ok();
    Ok(mtu_between(stream.local_addr()?, stream.peer_addr()?, segment))
}

/// SCTP packet size between these two, whose TCP connection sends segments of this size.
fn mtu_between(local: SocketAddr, peer: SocketAddr, segment: Option<u32>) -> u32 {
    let (local, peer) = (local.ip().to_canonical(), peer.ip().to_canonical());
    // The kernel also uses the loopback device between an address of this machine and itself.
    if local == peer || (local.is_loopback() && peer.is_loopback()) {
        return LOOPBACK_MTU;
    }
    let held = segment.map_or(NETWORK_MTU, |segment| segment.saturating_sub(SEGMENT_SURPLUS));
    held.clamp(LEAST_MTU, NETWORK_MTU)
}

fn other_address(v4: bool) -> Option<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    let usable = |address: &IpAddr| address.is_ipv4() == v4 && !address.is_loopback() && !is_link_local(*address);
    interfaces.into_iter().map(|interface| interface.ip()).find(usable)
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mtu(local: &str, peer: &str, segment: Option<u32>) -> u32 {
        mtu_between(SocketAddr::new(local.parse().unwrap(), 1), SocketAddr::new(peer.parse().unwrap(), 2), segment)
    }

    #[test]
    fn a_browser_is_offered_loopback_only_if_there_is_nothing_else() {
        let (loopback, elsewhere) = (SocketAddr::from(([127, 0, 0, 1], 1)), SocketAddr::from(([192, 0, 2, 7], 1)));
        let others = &local_addresses(loopback)[1..];
        assert_eq!(one_address(loopback), if others.is_empty() { vec![loopback.ip()] } else { others.to_vec() });
        assert_eq!((one_address(elsewhere), local_addresses(elsewhere)), (vec![elsewhere.ip()], vec![elsewhere.ip()]));
    }

    #[test]
    fn packets_are_large_within_the_machine_and_fit_the_path_elsewhere() {
        assert_eq!(mtu("127.0.0.1", "127.0.0.1", Some(32_768)), 16_000);
        assert_eq!(mtu("::1", "::1", None), 16_000);
        assert_eq!(mtu("10.0.0.1", "10.0.0.1", None), 16_000);
        assert_eq!(mtu("10.0.0.1", "10.0.0.2", Some(1448)), 1400);
        assert_eq!(mtu("10.0.0.1", "10.0.0.2", Some(8948)), 1400, "jumbo frames may end after the first hop");
        // WireGuard's 1420: 1368 with time stamps; 1343 + 37 + 8 + 20 = 1408 bytes in all.
        assert_eq!(mtu("10.0.0.1", "10.0.0.2", Some(1368)), 1343);
        assert_eq!(mtu("fd00::1", "fd00::2", Some(1208)), 1183, "IPv6's least, 1280: 1183 + 37 + 8 + 40 = 1268");
        assert_eq!(mtu("10.0.0.1", "10.0.0.2", Some(0)), LEAST_MTU);
        assert_eq!(mtu("10.0.0.1", "10.0.0.2", None), 1400);
    }
}
