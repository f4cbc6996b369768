//! The names of all options of both programs. They are a promise, and each program must know the other's, so as not to
//! warn of its variables where both share an environment.
//!
//! `server/tests/help.rs` and `client/tests/help.rs` hold them against the command lines.

/// Those of the server and its subcommands.
pub const SERVER: &[&str] = &[
    "run",
    "print-run",
    "source",
    "task",
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

/// Those of the client and its subcommands, their other names, and what is given without a name.
pub const CLIENT: &[&str] = &[
    "server",
    "wait",
    "sctp-mtu",
    "pipeline",
    "detector",
    "min-radius",
    "max-radius",
    "workers",
    "policy",
    "no-graphics",
    "detect-json",
    "verbose",
    "quiet",
];

/// Those of our own tests.
pub(super) const TESTS: &[&str] = &["write-schema"];
