//! The two ends of a session as programs: a server that listens, and clients of it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use crate::program::{Ended, LIMIT, Program, command};

/// A server that listens.
pub struct Server {
    /// The program.
    pub program: Program,
    /// Where it listens.
    pub address: String,
}

impl Server {
    /// Starts a server without graphics on a free port of this machine.
    pub fn start(options: &[&str]) -> Self {
        Self::listening(Program::start(with(command("server"), &[&["--no-graphics"], options].concat())))
    }

    /// Reads where a server started with [`with`] listens.
    pub fn listening(program: Program) -> Self {
        let line = program.stderr.wait_for("listening on ");
        Self { address: address(&line).expect("an address").to_owned(), program }
    }

    /// Starts a client of this server without graphics.
    pub fn client(&self, options: &[&str]) -> Program {
        client(&self.address, options)
    }

    /// Opens a bare signaling connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the server listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        stream
    }

    /// Waits until it ends.
    pub fn end(self) -> Ended {
        self.program.end()
    }
}

/// The first address in the line with which a server says that it listens.
pub fn address(line: &str) -> Option<&str> {
    line.split("listening on ").nth(1)?.split([',', ' ']).next()
}

/// The server's command, on a free port of this machine unless the options say otherwise.
pub fn with(mut server: Command, options: &[&str]) -> Command {
    if !options.contains(&"--listen") {
        server.args(["--listen", "127.0.0.1:0"]);
    }
    server.args(options);
    server
}

/// Starts a client without graphics.
pub fn client(address: &str, options: &[&str]) -> Program {
    let mut client = command("client");
    client.args([address, "--no-graphics"]).args(options);
    Program::start(client)
}

/// An address on which nobody listens.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}
