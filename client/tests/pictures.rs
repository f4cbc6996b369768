//! Answers that are pictures wait for the link, in bounded memory, and the session goes on meanwhile.

use bytes::{Bytes, BytesMut};
use client::pipeline::image_payload;
use client::session::{Action, Detection, End, Session};
use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::link::Lane;
use shared::protocol::encoding::{Encoding, StreamEncoding};
use shared::protocol::message::{self, Control, Delivery, Hello, Ping};
use shared::time::Micros;
use testkit::greeting::server_hello;

/// The largest message: a picture takes six.
const MESSAGE_SIZE: usize = 600;

/// The window of the server's hello.
const WINDOW: usize = 8;

fn say(session: &mut Session, control: &Control) {
    let bytes: Bytes = message::control_bytes(control).expect("a message").freeze();
    session.message(Lane::Control, &bytes, Micros(0));
}

fn greeted(hello: Hello) -> Session {
    let mut session = Session::new(MESSAGE_SIZE, Micros(0));
    say(&mut session, &Control::Hello(hello));
    session
}

/// What the session does until it waits: the number of pictures it splits, and the other messages it sends.
fn actions(session: &mut Session) -> (Vec<Vec<BytesMut>>, Vec<BytesMut>) {
    let (mut pictures, mut others) = (Vec::new(), Vec::new());
    loop {
        match session.poll(Micros(1)) {
            Action::SendPicture(pieces) => pictures.push(pieces),
            Action::Send(_, bytes) => others.push(bytes),
            Action::Wait(_) => return (pictures, others),
            _ => {}
        }
    }
}

fn detected(session: &mut Session, frame: u64) {
    let size = Size { width: 64, height: 48 };
    let payload = image_payload(size, PixelFormat::Gray8, vec![7; size.pixels()], Encoding::Raw);
    let at = Micros(0);
    session.detected(Detection { frame, received: at, started: at, finished: at, payload }, at);
}

#[test]
fn one_picture_is_sent_at_a_time_and_a_window_of_pictures_waits() {
    let mut session = greeted(server_hello("image", StreamEncoding::Raw));
    actions(&mut session);
    detected(&mut session, 0);
    let (pictures, _) = actions(&mut session);
    assert_eq!((pictures.len(), pictures[0].len()), (1, 6));
    // If a server sends more frames than its window, the extra frames get no answer.
    (1..=WINDOW as u64 + 3).for_each(|frame| detected(&mut session, frame));
    assert_eq!(session.ignored_messages(), 3);
    for _ in 0..WINDOW {
        assert!(actions(&mut session).0.is_empty(), "the link is busy");
        session.picture_sent();
        assert_eq!(actions(&mut session).0.len(), 1);
    }
    session.picture_sent();
    assert!(actions(&mut session).0.is_empty());
}

#[test]
fn a_ping_is_answered_while_a_picture_is_on_its_way() {
    let mut session = greeted(server_hello("image", StreamEncoding::Raw));
    detected(&mut session, 0);
    actions(&mut session);
    say(&mut session, &Control::Ping(Ping { id: 5 }));
    let (pictures, others) = actions(&mut session);
    assert!(pictures.is_empty());
    assert!(matches!(message::decode_control(&others[0]), Ok(Control::Pong(pong)) if pong.id == 5));
}

#[test]
fn no_picture_is_sent_after_the_end() {
    let mut session = greeted(server_hello("image", StreamEncoding::Raw));
    actions(&mut session);
    detected(&mut session, 0);
    session.stop();
    assert!(actions(&mut session).0.is_empty());
}

#[test]
fn a_server_that_wants_pictures_in_live_delivery_is_refused_with_the_reason() {
    let mut hello = server_hello("image", StreamEncoding::Raw);
    hello.stream.iter_mut().for_each(|stream| stream.delivery = Delivery::Live);
    let mut session = greeted(hello);
    let end = loop {
        match session.poll(Micros(1)) {
            Action::Close(end) => break end,
            Action::Wait(_) => panic!("no end"),
            _ => {}
        }
    };
    assert!(matches!(end, End::Rejected { reason } if reason.contains("needs reliable delivery")));
}
