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

#[test]
fn while_a_large_message_arrives_the_server_hears_that_the_client_is_alive() {
    let mut session = Session::new(MESSAGE_SIZE, Micros(0));
    session.message(Lane::Control, &hello(), Micros(0));
    let mut pings = Vec::new();
    // Nothing but parts of one message for 40 s, four times per second.
    for part in 1..=160 {
        let now = Micros(part * 250_000);
        session.arriving(now);
        while let action @ (Action::Send(..) | Action::Greeted { .. } | Action::Close(_)) = session.poll(now) {
            match action {
                Action::Send(Lane::Control, bytes) => match message::decode_control(&bytes).expect("a message") {
                    Control::Ping(ping) => pings.push(ping.id),
                    other => assert!(matches!(other, Control::Hello(_)), "{other:?}"),
                },
                Action::Close(end) => panic!("{end:?}"),
                _ => {}
            }
        }
    }
    assert_eq!(pings, (0..160).collect::<Vec<_>>());
}
