//! A client that was held up reads what has arrived before it decides that the server is gone.

use bytes::Bytes;
use client::session::{Action, End, Session};
use shared::link::{Lane, MESSAGE_SIZE};
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::message::{self, CIRCLE_TASK, Control};
use shared::time::Micros;
use testkit::greeting::server_hello;

fn hello() -> Bytes {
    let hello = server_hello(CIRCLE_TASK, StreamEncoding::Raw);
    message::control_bytes(&Control::Hello(hello)).expect("a hello").freeze()
}

/// How the session ends if it is polled now. `None` if it continues.
fn end(session: &mut Session, now: Micros) -> Option<End> {
    loop {
        match session.poll(now) {
            Action::Close(end) => return Some(end),
            Action::Wait(until) => {
                assert!(until > now, "it spins");
                return None;
            }
            _ => {}
        }
    }
}

#[test]
fn a_hello_that_came_while_the_client_was_held_up_counts() {
    for held_up in [3_900_000, 4_600_000, 5_100_000, 60_000_000] {
        let mut session = Session::new(MESSAGE_SIZE, Micros(0));
        // The session is polled first, as by a thread that resumes.
        assert_eq!(end(&mut session, Micros(held_up)), None);
        session.message(Lane::Control, &hello(), Micros(held_up));
        assert_eq!(end(&mut session, Micros(held_up + 1_000_000)), None, "held up for {held_up} us");
        // Then once more, with nothing read for half a second.
        assert_eq!(end(&mut session, Micros(held_up + 4_000_000)), None);
        assert!(end(&mut session, Micros(held_up + 4_500_000)).is_some());
    }
}
