//! A client that cannot do the server's task says so and leaves.

use client::pipeline::PipelineChoice;
use client::session::{Action, End, Session};
use shared::link::{Lane, MESSAGE_SIZE};
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::message::{self, Control, Stream};
use shared::time::Micros;
use testkit::greeting::server_hello;

const NOW: Micros = Micros(0);

/// A session greeted by a server with this task, and the stream it announced.
fn greeted(task: &str) -> (Session, Stream) {
    let hello = server_hello(task, StreamEncoding::Raw);
    let hello = message::control_bytes(&Control::Hello(hello)).expect("a hello").freeze();
    let mut session = Session::new(MESSAGE_SIZE, NOW);
    session.message(Lane::Control, &hello, NOW);
    loop {
        match session.poll(NOW) {
            Action::Greeted { stream, .. } => return (session, stream),
            Action::Send(..) => {}
            other => panic!("{other:?} before the greeting"),
        }
    }
}

/// The reason in a session's bye, and how the session ends.
fn farewell(session: &mut Session) -> (String, End) {
    let Action::Send(Lane::Control, bytes) = session.poll(NOW) else { panic!("no last word") };
    let Control::Bye(bye) = message::decode_control(&bytes).expect("a control message") else { panic!("no bye") };
    let Action::Close(end) = session.poll(NOW) else { panic!("no end") };
    (bye.reason, end)
}

#[test]
fn a_task_nobody_can_do_ends_the_session_with_a_reason() {
    let (mut session, stream) = greeted("dance");
    let wrong = PipelineChoice::auto().for_task(&stream.task).expect_err("nobody dances").to_string();
    assert!(wrong.contains("\"dance\"") && wrong.contains("circle, count, ack, image"), "{wrong}");
    session.reject(wrong.clone());
    assert_eq!(farewell(&mut session), (wrong.clone(), End::Unable { reason: wrong }));
}

#[test]
fn the_reason_fits_into_a_bye_for_any_name_of_the_task() {
    // As long as a hello allows, and longer when escaped.
    let (mut session, stream) = greeted(&"\u{1}".repeat(256));
    let wrong = PipelineChoice::auto().for_task(&stream.task).expect_err("nobody's task").to_string();
    session.reject(wrong.clone());
    assert_eq!(farewell(&mut session).0, wrong);
}
