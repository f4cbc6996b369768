//! Peers that send what no honest WebRTC peer sends. Another session keeps all its frames, the next client is served,
//! the server stops at once, and its memory is bounded. The same holds for a client that calls such a server.
//!
//! The peer is `programs/hostile_peer.py`, on aiortc.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use testkit::ends::{self, Server};
use testkit::program::{Ended, Program};
use testkit::python::Packages;
use testkit::report::{ReportFile, rows, sessions};

/// Frames of the other session: 10 s, which is longer than most attacks take.
const FRAMES: usize = 600;

/// Memory that a peer may cost beyond its session, in kB: what docs/security.md says, with room for the allocator.
const MEMORY_KB: u64 = 96 << 10;

/// How long a stop may take: what the programs promise, and the start of the shell that sends the signal.
const STOPS_WITHIN: Duration = Duration::from_millis(1_500);

static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| Packages::Aiortc.test_python(env!("CARGO_TARGET_TMPDIR")));

/// A hostile peer: a client of this server, or a server itself ("listen").
fn hostile(place: &str, attack: &str) -> Program {
    let mut command = Command::new(&*PYTHON);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/hostile_peer.py");
    command.arg(script).args([place, attack]);
    Program::start(command)
}

/// The most memory that a process has had, in kB. `None` once it has ended.
fn most_memory(program: &Program) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse().expect("a number"))
}

/// A server in a session, and the most memory that it has used so far.
struct Busy {
    server: Server,
    client: Program,
    report: ReportFile,
    memory: u64,
}

impl Busy {
    fn start() -> Self {
        LazyLock::force(&PYTHON);
        let report = ReportFile::new();
        let frames = FRAMES.to_string();
        let server = Server::start(&["--frames", &frames, "--fps", "60", "--json", report.name()]);
        let client = server.client(&[]);
        server.program.stdout.wait_for_count(10);
        let memory = most_memory(&server.program).expect("it runs");
        Self { server, client, report, memory }
    }

    fn attack(&self, attack: &str) -> Ended {
        hostile(&self.server.address, attack).end().expect(0)
    }

    fn grown(&self) -> u64 {
        most_memory(&self.server.program).expect("it runs") - self.memory
    }

    /// Checks that the next client is served, that the first one has all its frames, and that the server stops.
    #[track_caller]
    fn stays_unharmed(self) {
        let grown = self.grown();
        assert!(grown < MEMORY_KB, "the server took {grown} kB more");
        let next = self.server.client(&["--wait", "0s"]);
        next.stdout.wait_for_count(10);
        drop(next);
        assert_eq!(rows(&self.client.end().expect(0).stdout).len(), FRAMES);
        stops(&self.server);
        let report = self.report.read();
        let first = sessions(&report).iter().find(|session| session["frames"]["circle"] == FRAMES);
        assert!(first.is_some_and(|session| session["frames"]["lost"] == 0), "{report:#}");
    }
}

/// Checks that a server stops as soon as it is told to.
#[track_caller]
fn stops(server: &Server) {
    let told = Instant::now();
    let pid = server.program.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().is_ok_and(|status| status.success()));
    while Path::new("/proc").join(&pid).join("exe").read_link().is_ok() {
        assert!(told.elapsed() < STOPS_WITHIN, "the server goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs an attack on a server. Returns what the server said and what the peer did.
#[track_caller]
fn contained(attack: &str, breach: &str) {
    let busy = Busy::start();
    let peer = busy.attack(attack);
    assert!(peer.stdout.iter().any(|line| line == "closed"), "{peer:#?}");
    busy.server.program.stderr.wait_for(breach);
    busy.stays_unharmed();
}

#[test]
fn a_peer_that_skips_two_thousand_million_packets_is_cut_off() {
    contained("forward-tsn", "skipped more packets than it can have sent");
}

#[test]
fn a_server_attacked_by_two_peers_stops_when_it_is_told_to() {
    let busy = Busy::start();
    let attacks = [(); 2].map(|()| hostile(&busy.server.address, "forward-tsn"));
    for attack in &attacks {
        attack.stdout.wait_for("done");
    }
    stops(&busy.server);
}

#[test]
fn a_message_without_end_is_cut_off() {
    contained("endless", "a message without end");
}

#[test]
fn a_message_without_end_behind_a_gap_is_cut_off() {
    contained("gap", "a message without end");
}

#[test]
fn a_message_in_endless_small_pieces_is_cut_off() {
    contained("pieces", "too many small pieces");
}

#[test]
fn five_hundred_channels_are_cut_off() {
    contained("channels", "too many data channels");
}

#[test]
fn a_broken_abort_ends_only_the_session() {
    contained("abort", "a broken packet (SCTP, chunk type 6)");
}

#[test]
fn a_broken_error_ends_only_the_session() {
    contained("error", "a broken packet (SCTP, chunk type 9)");
}

#[test]
fn a_thousand_acknowledgements_of_the_same_packets_delay_nobody() {
    let busy = Busy::start();
    busy.attack("sacks");
    busy.stays_unharmed();
}

/// A handful of checks for each of the two sockets of a peer: to this machine's address and to loopback.
#[track_caller]
fn are_few(checks: &Ended) {
    let said = checks.stdout.iter().find_map(|line| line.strip_prefix("checks ")).expect("a number of checks");
    let count: u32 = said.parse().expect("a number");
    assert!((1..=24).contains(&count), "{count} checks went to a machine that asked for none");
}

#[test]
fn a_machine_that_a_peer_names_as_its_own_gets_few_checks() {
    let busy = Busy::start();
    are_few(&busy.attack("candidates"));
    busy.stays_unharmed();
}

/// The UDP sockets of a process, in IPv4. (A stranger would try all ports; here that would hit other tests.)
fn udp_sockets(program: &Program) -> Vec<SocketAddr> {
    let process = PathBuf::from(format!("/proc/{}", program.id()));
    let files = std::fs::read_dir(process.join("fd")).expect("it runs");
    let open: Vec<_> = files.filter_map(|file| file.ok()?.path().read_link().ok()).collect();
    let table = std::fs::read_to_string(process.join("net/udp")).expect("it runs");
    let socket = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let is_its = open.contains(&PathBuf::from(format!("socket:[{}]", words.get(9)?)));
        let (address, port) = words.get(1)?.split_once(':')?;
        let address = Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?.swap_bytes());
        is_its.then_some(SocketAddr::new(address.into(), u16::from_str_radix(port, 16).ok()?))
    };
    table.lines().skip(1).filter_map(socket).collect()
}

/// A forged change of keys from a third address: record type 20, version, epoch 1, a high number, one byte.
const CHANGE_CIPHER_SPEC: [u8; 14] = [20, 254, 253, 0, 1, 0, 0, 0x10, 0, 0, 0, 0, 1, 1];

/// A forged alert, of the first epoch: fatal, unexpected message.
const ALERT: [u8; 15] = [21, 254, 253, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 2, 2, 10];

#[test]
fn forged_datagrams_from_a_third_address_end_no_session() {
    let busy = Busy::start();
    let third = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let sockets = udp_sockets(&busy.server.program);
    assert!(!sockets.is_empty(), "a session has sockets");
    for datagram in [&CHANGE_CIPHER_SPEC[..], &ALERT] {
        for socket in &sockets {
            third.send_to(datagram, socket).expect("sent");
        }
    }
    busy.stays_unharmed();
}

/// A client that calls a hostile server which does this.
#[track_caller]
fn client_is_unharmed(attack: &str, breach: &str) {
    LazyLock::force(&PYTHON);
    let server = hostile("listen", attack);
    let line = server.stdout.wait_for("listening on ");
    let client = ends::client(ends::address(&line).expect("an address"), &["--wait", "0s"]);
    server.stdout.wait_for("done");
    client.stderr.wait_for(breach);
    // It ends after such a breach, and may have ended already.
    let memory = most_memory(&client);
    assert!(memory.is_none_or(|kb| kb < 2 * MEMORY_KB), "the client took {memory:?} kB");
    client.end().expect(3);
}

#[test]
fn a_client_outlives_what_a_hostile_server_sends() {
    for (attack, breach) in [
        ("forward-tsn", "skipped more packets than it can have sent"),
        ("endless", "a message without end"),
        ("gap", "a message without end"),
        ("pieces", "too many small pieces"),
        ("channels", "too many data channels"),
        ("abort", "a broken packet"),
        ("error", "a broken packet"),
    ] {
        client_is_unharmed(attack, breach);
    }
}

#[test]
fn a_machine_that_a_server_names_as_its_own_gets_few_checks() {
    LazyLock::force(&PYTHON);
    let server = hostile("listen", "candidates");
    let line = server.stdout.wait_for("listening on ");
    let client = ends::client(ends::address(&line).expect("an address"), &["--wait", "0s"]);
    are_few(&server.end().expect(0));
    client.end().expect(3);
}
