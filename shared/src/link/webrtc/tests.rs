//! Both sides of a link, opened over a real signaling connection.

use std::time::Duration;

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};

use crate::admission::{Fingerprint, Fingerprints, Identity, Nonces, Token};
use crate::door::admission::Admission;
use crate::door::lines::{Signaling, SignalingError};
use crate::door::signal::{Introduction, Signal};
use crate::link::{Lane, Link, LinkEvent, MESSAGE_SIZE};
use crate::protocol::message::Role;

use super::error::HandshakeError;
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
async fn a_peer_that_has_no_socket_says_so_and_that_a_later_attempt_may_succeed() {
    let (ours, theirs) = pair().await;
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let without = LinkSettings { ports: Some(port..=port), ..settings() };
    let offering = settings();
    let (listening, dialling) = tokio::join!(listen(ours, &offering), dial(theirs, &without));
    let (listening, dialling) = (listening.err().expect("no link"), dialling.err().expect("no link"));
    assert_eq!(listening.to_string(), format!("it refused: {dialling}"));
    assert!(dialling.to_string().contains("no free UDP port") && listening.may_pass(), "{listening}");
}

#[tokio::test]
async fn a_bye_in_place_of_any_line_is_a_peer_that_leaves() {
    for reason in [None, Some("the camera was unplugged".to_owned())] {
        let bye = Signal::Bye { reason: reason.clone() };
        let (ours, mut theirs) = pair().await;
        let offering = settings();
        let (listening, _) = tokio::join!(listen(ours, &offering), theirs.send(&bye));
        let (mut ours, theirs) = pair().await;
        let (_, dialling) = tokio::join!(ours.send(&bye), dial(theirs, &offering));
        for error in [listening, dialling].map(|link| link.err().expect("no link")) {
            assert!(error.may_pass(), "{error}");
            match (&reason, &error) {
                (Some(reason), error) => assert_eq!(error.to_string(), format!("it refused: {reason}")),
                (None, HandshakeError::Signaling(SignalingError::Closed)) => {}
                (None, error) => panic!("{error}"),
            }
        }
    }
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

const TOKEN: &[u8] = b"a token of tests";

/// A source with this token: takes a hello, proves itself, and offers a link.
async fn source(mut signaling: Signaling, token: &[u8], is_bound: bool) -> Result<Link, HandshakeError> {
    let Ok(Signal::Hello(hello)) = signaling.receive().await else { panic!("no hello") };
    let mut proven = Admission::of(Token::of(token)).admit_sink(&mut signaling, &hello).await?;
    if let Some(proven) = &mut proven {
        proven.is_bound = is_bound;
    }
    listen(signaling, &LinkSettings { proven, ..settings() }).await
}

/// A sink with this token: says hello, proves itself, and answers the offer.
async fn sink(mut signaling: Signaling, token: &[u8], is_bound: bool) -> Result<Link, HandshakeError> {
    let admission = Admission::of(Token::of(token));
    let nonce = admission.nonce().unwrap();
    let hello = Introduction { nonce: nonce.map(|nonce| nonce.to_string()), ..Introduction::new(Vec::new()) };
    signaling.send(&Signal::Hello(hello)).await?;
    let mut proven = admission.admit_source(&mut signaling, nonce).await?;
    if let Some(proven) = &mut proven {
        proven.is_bound = is_bound;
    }
    dial(signaling, &LinkSettings { proven, ..settings() }).await
}

/// Sits between a sink and a source without their token: passes on their proofs, and puts its own certificates into
/// their descriptions. Returns the first frame that it reads, which it passes on.
async fn in_the_middle(mut to_source: Signaling, mut to_sink: Signaling) -> Option<BytesMut> {
    to_source.send(&to_sink.receive().await.ok()?).await.ok()?;
    to_sink.send(&to_source.receive().await.ok()?).await.ok()?;
    to_source.send(&to_sink.receive().await.ok()?).await.ok()?;
    let Ok(Signal::Offer { sdp }) = to_source.receive().await else { return None };
    let (as_sink, answer) = opening::answer(&settings(), sdp).await.unwrap();
    let (mut as_source, offer) = opening::offer(&settings()).await.unwrap();
    to_sink.send(&Signal::Offer { sdp: offer }).await.ok()?;
    let Ok(Signal::Answer { sdp, proof }) = to_sink.receive().await else { return None };
    as_source.accept(sdp, None).await.unwrap();
    to_source.send(&Signal::Answer { sdp: answer, proof }).await.ok()?;
    let Ok(proof @ Signal::Proof { .. }) = to_source.receive().await else { return None };
    to_sink.send(&proof).await.ok()?;
    let (as_sink, as_source) = tokio::join!(as_sink.opened(), as_source.opened());
    let (mut from_source, sink) = (as_sink.ok()?.link(to_source), as_source.ok()?.link(to_sink));
    let LinkEvent::Message(Lane::Frames, frame) = from_source.next().await else { return None };
    sink.sender().send(Lane::Frames, BytesMut::from(&frame[..])).await.ok()?;
    // Stays until both ends have what they need.
    tokio::time::sleep(Duration::from_millis(500)).await;
    Some(BytesMut::from(&frame[..]))
}

/// What a source and a sink with one token get, and what a peer in the middle reads, if it is there.
async fn with_a_peer_in_the_middle(is_bound: bool) -> (Result<Link, HandshakeError>, bool, Option<BytesMut>) {
    let ((source_end, to_source), (sink_end, to_sink)) = (pair().await, pair().await);
    let middle = tokio::spawn(in_the_middle(to_source, to_sink));
    let sink = tokio::spawn(async move {
        let Ok(mut link) = sink(sink_end, TOKEN, is_bound).await else { return false };
        matches!(link.next().await, LinkEvent::Message(Lane::Frames, frame) if &frame[..] == b"frame")
    });
    let source = source(source_end, TOKEN, is_bound).await;
    if let Ok(source) = &source {
        source.sender().send(Lane::Frames, BytesMut::from("frame")).await.unwrap();
    }
    let read = middle.await.unwrap();
    (source, sink.await.unwrap(), read)
}

#[tokio::test]
async fn a_peer_in_the_middle_of_the_signaling_gets_no_link_and_reads_no_frame() {
    let (source, sink_has_the_frame, read) = with_a_peer_in_the_middle(true).await;
    let wrong = source.err().expect("no link").to_string();
    assert!(wrong.contains("is not for this link"), "{wrong}");
    assert!(!sink_has_the_frame && read.is_none());
}

#[tokio::test]
async fn the_same_peer_in_the_middle_reads_every_frame_if_the_proofs_do_not_cover_the_certificates() {
    let (source, sink_has_the_frame, read) = with_a_peer_in_the_middle(false).await;
    assert!(source.is_ok() && sink_has_the_frame);
    assert_eq!(read.as_deref(), Some(&b"frame"[..]));
}

#[tokio::test]
async fn two_ends_with_one_token_open_a_link_and_with_two_tokens_none() {
    let (ours, theirs) = pair().await;
    let (source_link, sink_link) = tokio::join!(source(ours, TOKEN, true), sink(theirs, TOKEN, true));
    let (source_link, mut sink_link) = (source_link.unwrap(), sink_link.unwrap());
    source_link.sender().send(Lane::Frames, BytesMut::from("frame")).await.unwrap();
    assert!(matches!(sink_link.next().await, LinkEvent::Message(Lane::Frames, frame) if &frame[..] == b"frame"));

    let (ours, theirs) = pair().await;
    let (source_link, sink_link) = tokio::join!(source(ours, TOKEN, true), sink(theirs, b"another of tests", true));
    let (source, sink) = (source_link.err().expect("no link"), sink_link.err().expect("no link"));
    assert_eq!(sink.to_string(), "the proof fails: the two ends have different tokens");
    assert_eq!(source.to_string(), "it refused: the proof fails: the two ends have different tokens");
}

/// Sits between a sink and a source, and holds their token: proves itself to each of them as the other. Returns whether
/// the sink has opened a link to it.
async fn holder_in_the_middle(mut to_source: Signaling, mut to_sink: Signaling) -> Option<()> {
    let token = Token::of(TOKEN);
    let said = to_sink.receive().await.ok()?;
    let Signal::Hello(Introduction { nonce: Some(sink), .. }) = &said else { return None };
    let sink = sink.parse().ok()?;
    to_source.send(&said).await.ok()?;
    let said = to_source.receive().await.ok()?;
    let Signal::Challenge { nonce, .. } = &said else { return None };
    let nonces = Nonces { source: nonce.parse().ok()?, sink };
    to_sink.send(&said).await.ok()?;
    to_source.send(&to_sink.receive().await.ok()?).await.ok()?;
    let Signal::Offer { sdp: offered } = to_source.receive().await.ok()? else { return None };
    let (_as_sink, answer) = opening::answer(&settings(), offered.clone()).await.unwrap();
    let (as_source, offer) = opening::offer(&settings()).await.unwrap();
    let between = |source: &str, sink: &str| {
        let of = |sdp: &str| Fingerprint::of_description(sdp).unwrap();
        Fingerprints { source: of(source), sink: of(sink) }
    };
    to_sink.send(&Signal::Offer { sdp: offer.clone() }).await.ok()?;
    let Signal::Answer { sdp: answered, .. } = to_sink.receive().await.ok()? else { return None };
    let proof = token.prove(Role::Sink, &nonces, Some(&between(&offered, &answer))).to_string();
    to_source.send(&Signal::Answer { sdp: answer, proof: Some(proof) }).await.ok()?;
    let Signal::Proof { signature, .. } = to_source.receive().await.ok()? else { return None };
    let proof = token.prove(Role::Source, &nonces, Some(&between(&offer, &answered))).to_string();
    to_sink.send(&Signal::Proof { proof, signature }).await.ok()?;
    let mut as_source = as_source;
    as_source.accept(answered, None).await.unwrap();
    as_source.opened().await.ok().map(|_| ())
}

#[tokio::test]
async fn a_holder_of_the_token_in_the_middle_cannot_pass_for_the_named_server() {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::read_or_make(&folder.path().join("identity")).unwrap();
    for meant in [None, Some(identity.id())] {
        let ((mut source_end, to_source), (mut sink_end, to_sink)) = (pair().await, pair().await);
        let middle = tokio::spawn(holder_in_the_middle(to_source, to_sink));
        let server = Admission::with(Token::of(TOKEN), Some(identity.clone()), None);
        tokio::spawn(async move {
            let Ok(Signal::Hello(hello)) = source_end.receive().await else { panic!("no hello") };
            let proven = server.admit_sink(&mut source_end, &hello).await.unwrap();
            let _ = listen(source_end, &LinkSettings { proven, ..settings() }).await;
        });
        let client = Admission::with(Token::of(TOKEN), None, meant);
        let nonce = client.nonce().unwrap();
        let hello = Introduction { nonce: nonce.map(|nonce| nonce.to_string()), ..Introduction::new(Vec::new()) };
        sink_end.send(&Signal::Hello(hello)).await.unwrap();
        let proven = client.admit_source(&mut sink_end, nonce).await.unwrap();
        let link = dial(sink_end, &LinkSettings { proven, ..settings() }).await;
        match meant {
            // All holders of the token are equal.
            None => assert!(link.is_ok() && middle.await.unwrap().is_some()),
            Some(_) => {
                let wrong = link.err().expect("no link").to_string();
                assert!(wrong.contains("is not for this link"), "{wrong}");
            }
        }
    }
}

/// Opens a link whose descriptions are changed on their way to the other end.
async fn opened(offered: impl Fn(&str) -> String, answered: impl Fn(&str) -> String) {
    let (mut listening, offer) = opening::offer(&settings()).await.unwrap();
    let (dialling, answer) = opening::answer(&settings(), offered(&offer)).await.unwrap();
    listening.accept(answered(&answer), None).await.unwrap();
    let (listening, dialling) = tokio::join!(listening.opened(), dialling.opened());
    assert!(listening.is_ok() && dialling.is_ok());
}

#[tokio::test]
async fn an_answer_that_claims_the_clients_role_still_opens_the_link() {
    opened(str::to_owned, |answer| Setup::Active.put(answer)).await;
}

#[tokio::test]
async fn an_answer_without_a_role_opens_the_link() {
    opened(str::to_owned, |answer| answer.replace("a=setup:passive\r\n", "")).await;
}

#[tokio::test]
async fn an_offer_that_leaves_the_choice_of_role_opens_the_link() {
    opened(|offer| offer.replace("a=setup:active", "a=setup:actpass"), str::to_owned).await;
}

#[tokio::test]
async fn an_offer_of_the_old_form_opens_the_link() {
    let old = |offer: &str| {
        let offer = offer.replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000");
        offer.replace("a=sctp-port:5000", "a=sctpmap:5000 webrtc-datachannel 65535")
    };
    opened(old, old).await;
}
