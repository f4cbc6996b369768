//! A client that listens, with sources that are only a connection.

use std::num::NonZeroUsize;

use shared::door::admission::Admission;
use shared::link::Kind;
use shared::shell::stop::stop_pair;
use shared::tls::Tls;
use testkit::ends::free_address;
use testkit::program::LIMIT;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;
use crate::config::Server;
use crate::pipeline::PipelineChoice;
use crate::view::View;
use crate::workers::Policy;

/// Has no view for any session.
struct NoViews;

impl Views for NoViews {
    fn of(&self, session: u64) -> Box<dyn View> {
        panic!("the test wants this panic, in session {session}")
    }
}

fn config() -> Config {
    Config {
        server: Server::Any,
        wait: Wait::Forever,
        link: Kind::Webrtc,
        admission: Admission::default(),
        tls: Tls::default(),
        sctp_mtu: None,
        pull: false,
        pipeline: PipelineChoice::auto(),
        workers: NonZeroUsize::MIN,
        policy: Policy::Every,
    }
}

/// Calls the client as a source does, opens a link over TCP, and waits until the client closes it.
async fn call(address: &str) {
    let stream = loop {
        match TcpStream::connect(address).await {
            Ok(stream) => break stream,
            // It does not listen yet.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    };
    let mut source = BufReader::new(stream);
    source.write_all(b"{\"type\":\"hello\",\"plumb\":1,\"role\":\"source\",\"link\":\"tcp\"}\n").await.unwrap();
    source.read_line(&mut String::new()).await.unwrap();
    source.write_all(b"{\"type\":\"link\",\"link\":\"tcp\"}\n").await.unwrap();
    // A reset closes it too.
    let _ = source.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn a_fault_in_a_session_ends_a_client_of_one_and_is_a_failure_of_any() {
    for once in [true, false] {
        let address = free_address().to_string();
        let (stopper, stop) = stop_pair();
        let listening = Listening { address: address.clone(), once, wait: Wait::Forever };
        let calling = async {
            call(&address).await;
            if !once {
                stopper.stop();
            }
        };
        let both = async { tokio::join!(serve(&listening, config(), Box::new(NoViews), stop), calling) };
        let (exit, ()) = timeout(LIMIT, both).await.expect("it ends");
        assert_eq!(exit, Exit::Other, "once: {once}");
    }
}

#[tokio::test]
async fn whoever_waits_for_one_session_learns_of_the_fault_that_ended_it() {
    let address = free_address().to_string();
    let (_stopper, stop) = stop_pair();
    let session = one_session(address.clone(), Wait::Forever, config(), Box::new(NoViews), stop);
    let both = async { tokio::join!(session, call(&address)) };
    let (ended, ()) = timeout(LIMIT, both).await.expect("it ends");
    assert!(matches!(ended, Err(SessionError::Fault)), "{:?}", ended.err());
}
