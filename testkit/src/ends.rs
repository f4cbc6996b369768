//! The two ends of a session as programs: a server that listens, and its clients.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use serde_json::Value;

use crate::program::{Ended, LIMIT, Program, command};
use crate::report::{ReportFile, only_session};

/// A server program that listens.
pub struct Server {
    /// The program.
    pub program: Program,
    /// Address at which it listens.
    pub address: String,
}

impl Server {
    /// Starts a server without graphics on a free port of this machine.
    pub fn start(options: &[&str]) -> Self {
        Self::listening(Program::start(with(command("server"), &[&["--no-graphics"], options].concat())))
    }

    /// Wraps a server started with [`with`]: waits until it listens, and reads its address.
    pub fn listening(program: Program) -> Self {
        let line = program.stderr.wait_for("listening on ");
        Self { address: address(&line).expect("an address").to_owned(), program }
    }

    /// Starts a client without graphics for this server.
    pub fn client(&self, options: &[&str]) -> Program {
        client(&self.address, options)
    }

    /// Opens a bare signaling connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the server listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        stream
    }

    /// Opens a page's WebSocket for signaling.
    pub fn connect_page(&self) -> TcpStream {
        let (mut page, host) = (self.connect(), &self.address);
        let request = format!(
            "GET /signaling HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        page.write_all(request.as_bytes()).expect("sent");
        // Bytes of the WebSocket belong behind the whole answer.
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            page.read_exact(&mut byte).expect("an answer");
            head.extend(byte);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        page
    }

    /// Waits for the end of the server.
    pub fn end(self) -> Ended {
        self.program.end()
    }
}

/// The first address in a server's line "listening on …".
pub fn address(line: &str) -> Option<&str> {
    line.split("listening on ").nth(1)?.split([',', ' ']).next()
}

/// The server's command with these options. It listens on a free port of this machine unless `--listen` is among them.
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

/// Runs a session to its end, as fast as it goes, and returns its report.
#[track_caller]
pub fn session(server: &[&str], client: &[&str]) -> Value {
    let report = ReportFile::new();
    let server = Server::start(&[&["--once", "--fps", "max", "--seed", "7", "--json", report.name()], server].concat());
    server.client(client).end().expect(0).says("the server said bye: finished");
    server.end().expect(0);
    only_session(&report.read()).clone()
}

/// A free address of this machine: nobody listens on it.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

/// A client program that listens.
pub struct ListeningClient {
    /// The program.
    pub program: Program,
    /// Address at which it listens.
    pub address: String,
}

impl ListeningClient {
    /// Starts a client without graphics on a free port of this machine.
    pub fn start(options: &[&str]) -> Self {
        let mut client = command("client");
        client.args(["--listen", "127.0.0.1:0", "--no-graphics"]).args(options);
        let program = Program::start(client);
        let line = program.stderr.wait_for("listening on ");
        Self { address: address(&line).expect("an address").to_owned(), program }
    }

    /// Starts a server without graphics that calls this client.
    pub fn called(&self, options: &[&str]) -> Program {
        calling(&self.address, options)
    }

    /// Opens a bare signaling connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the client listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        stream
    }

    /// Tells it to stop and waits for its end.
    pub fn stop(mut self) -> Ended {
        self.program.signal("INT");
        self.program.end()
    }
}

/// Starts a server without graphics that calls the client at this address.
pub fn calling(client: &str, options: &[&str]) -> Program {
    let mut server = command("server");
    server.args(["--dial", client, "--no-graphics"]).args(options);
    Program::start(server)
}
