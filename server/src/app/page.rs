//! What browsers see of a run, and where.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use serde_json::json;
use tracing::{info, warn};

use crate::browser::{Access, Pages};
use crate::cli::Local;
use crate::gate::Judge;
use crate::run::RunSpec;
use crate::source::StreamFormat;

/// The pages of a run.
pub(super) fn pages(spec: &RunSpec, local: &Local, format: StreamFormat, judge: &Arc<Judge>) -> Arc<Pages> {
    let (sent, delivered) = (&spec.sent, &spec.delivered);
    let task = sent.task.unwrap_or_default();
    let run = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "task": task,
        "size": format.size.to_string(),
        "pixel": format.pixel.to_string(),
        "fps": spec.rate().to_string(),
        "window": delivered.window,
        "encoding": delivered.encoding,
        "frames": sent.frames,
        "once": delivered.once,
    });
    let machine = hostname::get().ok().map(|name| name.to_string_lossy().into_owned());
    let allowed = local.allow_host.as_ref().map_or(&[][..], |names| &names.0);
    Pages::new(Access::new(machine, allowed, local.dashboard), run, task, judge.clone(), local.look)
}

/// Says where the page is, unless people follow the run elsewhere. If it is shown beyond this machine, says what it shows.
pub(super) fn tell(address: SocketAddr, is_open: bool, is_elsewhere: bool) {
    if is_open {
        warn!("--dashboard: whoever reaches http://{address}/ sees frames, truth and figures");
    } else if let Some(address) = of_this_machine(address).filter(|_| !is_elsewhere) {
        info!("for a browser on this machine: http://{address}/");
    }
}

/// The address by which this machine reaches itself over its loopback; `None` if it does not.
fn of_this_machine(address: SocketAddr) -> Option<SocketAddr> {
    let loopback = match address {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    match address.ip() {
        ip if ip.is_loopback() => Some(address),
        ip if ip.is_unspecified() => Some(SocketAddr::new(loopback, address.port())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_where_this_machine_reaches_itself() {
        for (listening, expected) in [
            ("127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("0.0.0.0:80", Some("127.0.0.1:80")),
            ("[::]:80", Some("[::1]:80")),
            ("192.0.2.7:80", None),
        ] {
            let address = of_this_machine(listening.parse().unwrap()).map(|address| address.to_string());
            assert_eq!(address.as_deref(), expected);
        }
    }
}
