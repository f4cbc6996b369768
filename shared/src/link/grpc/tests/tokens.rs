//! Calls between ends that prove a token and an identity.

use super::*;
use crate::admission::{Identity, Token};
use crate::link::Kind;
use crate::tls::testing::sockets;

/// A source that was called inside TLS, and the sink that called it; both with these tokens.
async fn admitted(
    ours: &Admission,
    theirs: &Admission,
) -> (Result<Link, SignalingError>, Result<Link, SignalingError>) {
    let (dialed, accepted) = sockets(Kind::Grpc).await;
    let source = async { Ok(answer_sink(accepted, MAX_PAYLOAD, ours).await?.accept()) };
    tokio::join!(source, call_source(dialed, MAX_PAYLOAD, &[], theirs))
}

/// The same, where the source calls.
async fn admitted_by_the_sink(
    ours: &Admission,
    theirs: &Admission,
) -> (Result<Link, SignalingError>, Result<Link, SignalingError>) {
    let (dialed, accepted) = sockets(Kind::Grpc).await;
    let sink = async { Ok(answer_source(accepted, MAX_PAYLOAD, &[], theirs).await?.accept()) };
    let (source, sink) = tokio::join!(call_sink(dialed, MAX_PAYLOAD, ours), sink);
    (source.map(|(link, _)| link), sink)
}

#[tokio::test]
async fn two_ends_with_one_token_have_a_call_whichever_calls() {
    let token = Admission::of(Token::of(b"a token of tests"));
    for (source, sink) in [admitted(&token, &token).await, admitted_by_the_sink(&token, &token).await] {
        let (source, mut sink) = (source.unwrap(), sink.unwrap());
        source.sender().send(Lane::Control, control_bytes(&hello(Role::Source)).unwrap()).await.unwrap();
        assert_eq!(message(&mut sink).await.expect("a hello").0, Lane::Control);
    }
}

#[tokio::test]
async fn a_token_at_one_end_only_or_another_token_gets_no_call_and_the_reason() {
    let (none, token) = (Admission::default(), Admission::of(Token::of(b"a token of tests")));
    let other = Admission::of(Token::of(b"another of tests"));
    for (ours, theirs, said) in [
        (&token, &none, "the client proves none"),
        (&none, &token, "the server proves none"),
        (&token, &other, "different tokens"),
    ] {
        let (source, sink) = admitted(ours, theirs).await;
        let wrong = sink.err().expect("no call").to_string();
        assert!(source.is_err() && wrong.contains(said), "{wrong}");
        let (source, sink) = admitted_by_the_sink(ours, theirs).await;
        let wrong = source.err().expect("no call").to_string();
        assert!(sink.is_err() && wrong.contains(said), "{wrong}");
    }
}

#[tokio::test]
async fn over_a_call_only_the_named_server_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let identity = |name: &str| Identity::read_or_make(&folder.path().join(name)).unwrap();
    let token = || Token::of(b"a token of tests");
    let server = Admission::with(token(), Some(identity("one")), None);
    let meaning = |id| Admission::with(token(), None, Some(id));
    let (source, sink) = admitted(&server, &meaning(identity("one").id())).await;
    assert!(source.is_ok() && sink.is_ok());
    let (source, sink) = admitted_by_the_sink(&server, &meaning(identity("one").id())).await;
    assert!(source.is_ok() && sink.is_ok());
    let wrong = admitted(&server, &meaning(identity("two").id())).await.1.err().expect("no call").to_string();
    assert!(wrong.contains(&identity("one").id().to_string()), "{wrong}");
    let wrong = admitted_by_the_sink(&server, &meaning(identity("two").id())).await.0.err().expect("no call");
    assert!(wrong.to_string().contains("not the server of --server-id"), "{wrong}");
    let nameless = Admission::of(token());
    let wrong = admitted(&nameless, &meaning(identity("one").id())).await.1.err().expect("no call").to_string();
    assert!(wrong.contains("shows no identity"), "{wrong}");
}
