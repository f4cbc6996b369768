//! Starts that do not succeed at once: names with several addresses, full servers, and links that break.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use testkit::program::{Program, command};

/// Starts a client of this server.
fn client(address: &str, wait: &str) -> Program {
    let mut client = command("client");
    client.args([address, "--no-graphics", "--wait", wait]);
    Program::start(client)
}

/// Treats each visitor with `treat`, once it has sent its first line. Returns the address and the number of visitors.
fn listener(treat: impl Fn(usize, TcpStream) + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    let came = Arc::new(AtomicUsize::new(0));
    let count = came.clone();
    thread::spawn(move || {
        for visitor in listener.incoming().map_while(Result::ok) {
            let _ = BufReader::new(&visitor).read_line(&mut String::new());
            treat(count.fetch_add(1, Ordering::Relaxed), visitor);
        }
    });
    (address, came)
}

/// Refuses the first visitor with this line, and all later ones for good.
fn refusing(first: &'static str) -> (String, Arc<AtomicUsize>) {
    listener(move |visit, mut visitor| {
        let last = "{\"type\":\"error\",\"reason\":\"closed on Sundays\"}\n";
        let _ = visitor.write_all(if visit == 0 { first } else { last }.as_bytes());
    })
}

#[test]
fn a_refusal_that_may_pass_is_followed_by_another_attempt() {
    let (address, came) = refusing("{\"type\":\"error\",\"reason\":\"full\",\"retry\":true}\n");
    let ended = client(&address, "30s").end().expect(3).says("it refused: full; trying again");
    assert!(ended.stderr.iter().any(|line| line.ends_with("it refused: closed on Sundays")), "{ended:#?}");
    assert_eq!(came.load(Ordering::Relaxed), 2);
}

#[test]
fn without_a_wait_there_is_exactly_one_attempt() {
    let (address, came) = refusing("{\"type\":\"error\",\"reason\":\"full\",\"retry\":true}\n");
    client(&address, "0s").end().expect(3).says("it refused: full");
    assert_eq!(came.load(Ordering::Relaxed), 1);
}

#[test]
fn a_connection_that_closes_before_the_offer_is_followed_by_another_attempt() {
    let (address, came) = refusing("");
    client(&address, "30s").end().expect(3).says("closed on Sundays");
    assert_eq!(came.load(Ordering::Relaxed), 2);
}

#[test]
fn an_offer_made_before_the_hello_was_heard_is_ignored_and_the_next_is_answered() {
    // A server sends an offer to a stranger, then another one when the stranger turns out to be a client. Only the
    // second is to be answered.
    let (address, _) = listener(|_, mut visitor| {
        let early = "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\na=x-plumb:1 mtu=1400 stranger\\r\\n\"}\n";
        let fresh = "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\na=x-plumb:1 mtu=1400\\r\\n\"}\n";
        let _ = visitor.write_all([early, fresh].concat().as_bytes());
        std::mem::forget(visitor);
    });
    // The second offer is not a browser's, and the client says so, which shows that it was read.
    client(&address, "0s").end().expect(3).says("WebRTC");
}

#[test]
fn each_tried_address_is_named_with_its_error() {
    let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address").port();
    let ended = client(&format!("localhost:{port}"), "0s").end().expect(3);
    let said = ended.stderr.join("\n");
    assert!(said.contains(&format!("no server at localhost:{port}: ")), "{said}");
    assert!(said.contains(&format!("127.0.0.1:{port}: Connection refused")), "{said}");
}
