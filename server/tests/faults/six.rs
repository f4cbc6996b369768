//! A network of IPv6 alone, between two namespaces.

use testkit::ends::{Server, with};
use testkit::namespaces::{self, Pair};
use testkit::program::{Program, command};
use testkit::report::rows;

#[test]
fn with_ipv6_alone_all_frames_are_answered_over_every_link() {
    if !namespaces::available() {
        return;
    }
    let pair = Pair::new(["fd99::1/64", "fd99::2/64"]);
    for link in ["webrtc", "tcp", "grpc"] {
        let options = ["--no-graphics", "--listen", "[fd99::1]:9200", "--once", "--frames", "30"];
        let server = Server::listening(Program::start(pair.inside(0, &with(command("server"), &options))));
        let mut client = command("client");
        client.args([&server.address, "--no-graphics", "--link", link]);
        let client = Program::start(pair.inside(1, &client)).end().expect(0);
        let server = server.end().expect(0);
        assert_eq!(rows(&client.stdout).len(), 30, "{link}");
        for said in [client.stderr, server.stderr] {
            assert!(!said.iter().any(|line| line.contains("buffer")), "a false warning over {link}: {said:#?}");
        }
    }
}
