//! The metadata of a stream is bounded in memory, whatever the length of the server's hello.

use client::session::{Action, End, Session};
use shared::link::Lane;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::message::{self, Control, Meta, MetaValue};
use shared::time::Micros;
use testkit::greeting::server_hello;

/// The end of a session with a server that says this about its stream; `None` if the session goes on.
fn end_of(meta: Meta) -> Option<End> {
    let mut hello = server_hello("ack", StreamEncoding::Raw);
    hello.stream.iter_mut().for_each(|stream| stream.meta = Some(meta.clone()));
    let mut session = Session::new(600, Micros(0));
    let bytes = message::control_bytes(&Control::Hello(hello)).expect("a message").freeze();
    session.message(Lane::Control, &bytes, Micros(0));
    loop {
        match session.poll(Micros(1)) {
            Action::Close(end) => return Some(end),
            Action::Wait(_) => return None,
            Action::Greeted { stream, .. } => assert_eq!(stream.meta.as_ref(), Some(&meta)),
            _ => {}
        }
    }
}

fn text(bytes: usize) -> MetaValue {
    MetaValue::Text("x".repeat(bytes))
}

#[test]
fn a_hello_with_too_much_metadata_is_refused_with_the_reason() {
    let many = |keys: usize| (0..keys).map(|key| (format!("k{key}"), MetaValue::Bool(true))).collect();
    for (meta, why) in [
        (Meta::from([("a".into(), text(5_000))]), "its hello has metadata of 5006 bytes: at most 4096 are allowed"),
        (many(65), "its hello has metadata of 65 keys: at most 64 are allowed"),
    ] {
        let end = end_of(meta);
        assert!(matches!(&end, Some(End::Rejected { reason }) if reason == why), "{end:?}");
    }
    for meta in [Meta::new(), Meta::from([("a\u{1b}".into(), text(4_000))]), many(64)] {
        assert!(end_of(meta).is_none());
    }
}
