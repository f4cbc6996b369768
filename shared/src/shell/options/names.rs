//! The names of all options of both programs. Users rely on them. Each program must know the other's names, so that it
//! does not warn about its variables in a shared environment.
//!
//! `server/tests/help.rs` and `client/tests/help.rs` compare them with the command lines.

/// Options of the server and its subcommands.
pub const SERVER: &[&str] = &[
    "run",
    "print-run",
    "source",
    "loop",
    "truth",
    "task",
    "balls",
    "overlap",
    "size",
    "pixel",
    "fps",
    "frames",
    "duration",
    "seed",
    "speed",
    "radius",
    "border",
    "camera",
    "contrast",
    "background",
    "invert",
    "occlude",
    "empty-rate",
    "exposure",
    "blur",
    "vignette",
    "shot-noise",
    "noise",
    "gamma",
    "jpeg",
    "link",
    "window",
    "deadline",
    "delivery",
    "encoding",
    "sctp-mtu",
    "loopback",
    "once",
    "wait",
    "listen",
    "no-announce",
    "advertise",
    "udp-port",
    "no-graphics",
    "json",
    "csv",
    "verbose",
    "quiet",
];

/// Options of the client and its subcommands, their aliases, and positional arguments.
pub const CLIENT: &[&str] = &[
    "server",
    "wait",
    "sctp-mtu",
    "pipeline",
    "detector",
    "pipeline-timeout",
    "min-radius",
    "max-radius",
    "workers",
    "policy",
    "no-graphics",
    "detect-all",
    "detect-json",
    "verbose",
    "quiet",
];

/// Options of Plumb's own tests.
pub(super) const TESTS: &[&str] = &["write-schema"];
