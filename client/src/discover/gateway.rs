//! The default gateway. In a container, that is the machine the container runs on.

use std::fs;
use std::net::Ipv4Addr;

/// The IPv4 default gateway, if the system names it (Linux does).
pub(super) fn default_gateway() -> Option<Ipv4Addr> {
    parse(&fs::read_to_string("/proc/net/route").ok()?)
}

/// Parses the kernel's routing table (proc(5), `/proc/net/route`): destination and gateway in hexadecimal, in the
/// machine's byte order.
fn parse(routes: &str) -> Option<Ipv4Addr> {
    routes.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (destination, gateway) = (fields.next()?, fields.next()?);
        let gateway = u32::from_str_radix(gateway, 16).ok()?;
        (destination == "00000000" && gateway != 0).then(|| Ipv4Addr::from(gateway.to_ne_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    #[test]
    #[cfg(target_endian = "little")]
    fn the_default_route_names_the_gateway() {
        let routes = format!(
            "{HEADER}eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
             eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        );
        assert_eq!(parse(&routes), Some(Ipv4Addr::new(172, 17, 0, 1)));
    }

    #[test]
    fn without_a_default_route_there_is_none() {
        assert_eq!(parse(""), None);
        assert_eq!(parse(HEADER), None);
        assert_eq!(parse(&format!("{HEADER}eth0\t00000000\tnonsense\n")), None);
    }
}
