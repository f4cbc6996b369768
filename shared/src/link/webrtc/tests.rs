//! Both sides of a link, opened over a real signaling connection.

use std::time::Duration;

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};

use crate::door::lines::Signaling;
use crate::link::{Lane, Link, LinkEvent, MESSAGE_SIZE};

use super::handshake::dial;
use super::mtu::LOOPBACK_MTU;
use super::offering::listen;
use super::settings::LinkSettings;

/// The listening and the dialling end of one link.
async fn ends() -> (Link, Link) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (theirs, ours) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let (theirs, ours) = (Signaling::new(theirs.unwrap()), Signaling::new(ours.unwrap().0));
    let settings =
        LinkSettings { addresses: vec![[127, 0, 0, 1].into()], mtu: Some(LOOPBACK_MTU), ..Default::default() };
    let (listening, dialling) = tokio::join!(listen(ours, &settings), dial(theirs, &settings));
    (listening.unwrap(), dialling.unwrap())
}

#[tokio::test]
async fn two_ends_open_a_link_and_messages_cross_it_on_their_lanes() {
    let (mut source, mut sink) = ends().await;
    for lane in Lane::ALL {
        source.sender().send(lane, BytesMut::from(lane.label())).await.unwrap();
        let LinkEvent::Message(on, message) = sink.next().await else { panic!("closed") };
        assert_eq!((on, &message[..]), (lane, lane.label().as_bytes()));
    }
    let large = BytesMut::from(&vec![7; MESSAGE_SIZE][..]);
    sink.sender().send(Lane::Answers, large.clone()).await.unwrap();
    assert!(matches!(source.next().await, LinkEvent::Message(Lane::Answers, message) if message == large));
    source.sender().close_within(Duration::from_millis(200)).await;
    for _ in 0..2 {
        assert!(matches!(source.next().await, LinkEvent::Closed), "for ever");
    }
}
