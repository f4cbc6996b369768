//! A network of IPv6 alone, between two namespaces.

use testkit::ends::{Server, with};
use testkit::namespaces::{self, Pair};
use testkit::program::{Ended, Program, command};
use testkit::report::rows;

use crate::LINKS;

/// Runs 30 frames with these arguments for the server and the client. Returns the ends of client and server.
fn run(server: &[&str], client: &[&str]) -> [Ended; 2] {
    let pair = Pair::new(["fd99::1/64", "fd99::2/64"]);
    let options = [&["--no-graphics", "--listen", "[fd99::1]:9200", "--once", "--frames", "30"], server].concat();
    let server = Server::listening(Program::start(pair.inside(0, &with(command("server"), &options))));
    let mut at_client = command("client");
    at_client.arg("--no-graphics").args(client);
    let client = Program::start(pair.inside(1, &at_client)).end().expect(0);
    let server = server.end().expect(0);
    assert_eq!(rows(&client.stdout).len(), 30);
    [client, server]
}

#[test]
fn with_ipv6_alone_all_frames_are_answered_over_every_link() {
    if !namespaces::available() {
        return;
    }
    for link in LINKS {
        for ended in run(&["--no-announce"], &["[fd99::1]:9200", "--link", link]) {
            let said = ended.stderr;
            assert!(!said.iter().any(|line| line.contains("buffer")), "a false warning over {link}: {said:#?}");
        }
    }
}

#[test]
fn with_ipv6_alone_a_client_without_an_address_finds_a_server_that_is_announced() {
    if !namespaces::available() {
        return;
    }
    run(&[], &["--wait", "20s"]);
}
