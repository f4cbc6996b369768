//! Both sides of a link, opened over a real signaling connection.

use std::time::Duration;

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};

use crate::door::lines::Signaling;
use crate::door::signal::Signal;
use crate::link::{Lane, Link, LinkEvent, MESSAGE_SIZE};

use super::handshake::dial;
use super::mtu::LOOPBACK_MTU;
use super::offering::listen;
use super::opening;
use super::settings::LinkSettings;
use super::setup::Setup;

fn settings() -> LinkSettings {
    LinkSettings { addresses: vec![[127, 0, 0, 1].into()], mtu: Some(LOOPBACK_MTU), ..Default::default() }
}

/// Both ends of a signaling connection.
async fn pair() -> (Signaling, Signaling) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (theirs, ours) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (Signaling::new(ours.unwrap().0), Signaling::new(theirs.unwrap()))
}

/// The listening end and the dialling end of one link.
async fn ends() -> (Link, Link) {
    let (ours, theirs) = pair().await;
    let settings = settings();
    let (listening, dialling) = tokio::join!(listen(ours, &settings), dial(theirs, &settings));
    (listening.unwrap(), dialling.unwrap())
}

/// Forwards lines, with another fingerprint in descriptions.
async fn tamper(mut from: Signaling, mut to: Signaling) {
    loop {
        let (line, comes_from_first) = tokio::select! {
            line = from.receive() => (line, true),
            line = to.receive() => (line, false),
        };
        let line = match line {
            Ok(Signal::Offer { sdp }) => Signal::Offer { sdp: another_fingerprint(&sdp) },
            Ok(line) => line,
            Err(_) => return,
        };
        let _ = if comes_from_first { to.send(&line).await } else { from.send(&line).await };
    }
}

fn another_fingerprint(sdp: &str) -> String {
    let at = sdp.find("a=fingerprint:sha-256 ").expect("a fingerprint") + "a=fingerprint:sha-256 ".len();
    format!("{}{}{}", &sdp[..at], "00:11", &sdp[at + "00:11".len()..])
}

#[tokio::test]
async fn a_certificate_other_than_the_described_one_is_named_in_the_error() {
    let ((ours, one), (theirs, other)) = (pair().await, pair().await);
    tokio::spawn(tamper(one, other));
    let settings = LinkSettings { addresses: vec![[127, 0, 0, 1].into()], ..Default::default() };
    let (listening, dialling) = tokio::join!(listen(ours, &settings), dial(theirs, &settings));
    // The dialling end checks the fingerprint and gives up first. It sends the reason to the other end.
    let (listening, dialling) = (listening.err().expect("no link"), dialling.err().expect("no link"));
    let said = format!("{listening} / {dialling}");
    assert!(said.contains("fingerprint") && !said.contains("UDP blocked"), "{said}");
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

/// Opens a link whose descriptions are changed on their way to the other end.
async fn opened(offered: impl Fn(&str) -> String, answered: impl Fn(&str) -> String) {
    let (mut listening, offer) = opening::offer(&settings()).await.unwrap();
    let (dialling, answer) = opening::answer(&settings(), offered(&offer)).await.unwrap();
    listening.accept(answered(&answer)).await.unwrap();
    let (listening, dialling) = tokio::join!(listening.opened(), dialling.opened());
    assert!(listening.is_ok() && dialling.is_ok());
}

#[tokio::test]
async fn an_answer_that_claims_the_clients_role_all_the_same_opens() {
    opened(str::to_owned, |answer| Setup::Active.put(answer)).await;
}

#[tokio::test]
async fn an_answer_that_claims_no_role_opens() {
    opened(str::to_owned, |answer| answer.replace("a=setup:passive\r\n", "")).await;
}

#[tokio::test]
async fn an_offer_that_leaves_the_choice_opens() {
    opened(|offer| offer.replace("a=setup:active", "a=setup:actpass"), str::to_owned).await;
}

#[tokio::test]
async fn an_offer_of_the_old_form_opens() {
    let old = |offer: &str| {
        let offer = offer.replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000");
        offer.replace("a=sctp-port:5000", "a=sctpmap:5000 webrtc-datachannel 65535")
    };
    opened(old, old).await;
}
