//! Two network namespaces of this machine that are joined by a cable: what real programs do when it is cut, or when there
//! is no IPv4.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::program::unset_options;

/// Number of the next pair of this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The interface of either side.
const CABLE: &str = "cable";

/// Whether namespaces can be made here. Where they cannot, says so.
///
/// # Panics
/// If they cannot, and `CI` is `true`.
pub fn available() -> bool {
    let probe = "[ $(id -u) = 0 ] && command -v iptables && ip netns add plumb-$$ && ip netns del plumb-$$";
    let made = Command::new("sh").args(["-c", probe]).output().is_ok_and(|output| output.status.success());
    assert!(made || std::env::var("CI").as_deref() != Ok("true"), "no network namespaces here");
    if !made {
        eprintln!("skipped: network namespaces need root, ip and iptables");
    }
    made
}

/// Two namespaces and the cable between them. They are removed when this is dropped.
pub struct Pair {
    names: [String; 2],
}

impl Pair {
    /// Makes both, with these addresses on the cable, such as `10.99.10.1/24`. There is no other network in them.
    ///
    /// # Panics
    /// If [`available`] is false.
    pub fn new(addresses: [&str; 2]) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let pair = Self { names: ["a", "b"].map(|side| format!("plumb-{}-{number}-{side}", std::process::id())) };
        for name in &pair.names {
            ip(&["netns", "add", name]);
            ip(&["-n", name, "link", "set", "lo", "up"]);
        }
        let [a, b] = &pair.names;
        ip(&["-n", a, "link", "add", CABLE, "type", "veth", "peer", "name", CABLE, "netns", b]);
        for (name, address) in pair.names.iter().zip(addresses) {
            let add = ["-n", name, "addr", "add", address, "dev", CABLE];
            // An address of IPv6 would be checked for duplicates first.
            let nodad: &[&str] = if address.contains(':') { &["nodad"] } else { &[] };
            ip(&[&add[..], nodad].concat());
            ip(&["-n", name, "link", "set", CABLE, "up"]);
        }
        pair
    }

    /// The same command inside one of the namespaces, 0 or 1.
    pub fn inside(&self, side: usize, command: &Command) -> Command {
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &self.names[side]]).arg(command.get_program()).args(command.get_args());
        unset_options(&mut inside);
        inside
    }

    /// Cuts the cable: what is sent is lost, and nobody is told.
    pub fn cut(&self) {
        self.filter("-A");
    }

    /// Mends the cable.
    pub fn mend(&self) {
        self.filter("-D");
    }

    fn filter(&self, change: &str) {
        for name in &self.names {
            run(Command::new("ip")
                .args(["netns", "exec", name, "iptables", "-w", change, "INPUT", "-i", CABLE, "-j", "DROP"]));
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

fn ip(arguments: &[&str]) {
    run(Command::new("ip").args(arguments));
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
