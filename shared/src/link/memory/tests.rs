//! What each end of a link in memory sees of the other.

use std::time::Duration;

use futures_util::FutureExt;

use super::*;

/// Timeout of waits that must end.
const LIMIT: Duration = Duration::from_secs(10);

async fn ends() -> (Link, Link) {
    let (mut listener, dialer) = endpoint();
    let ours = dialer.dial().unwrap();
    (ours, listener.accept().await.unwrap())
}

/// What arrives until the link is closed.
async fn all(link: &mut Link) -> Vec<(Lane, Vec<u8>)> {
    let mut messages = Vec::new();
    while let LinkEvent::Message(lane, message) = link.next().await {
        messages.push((lane, message.to_vec()));
    }
    messages
}

fn message(bytes: usize) -> BytesMut {
    BytesMut::zeroed(bytes)
}

#[tokio::test]
async fn messages_arrive_in_order_on_their_lanes_both_ways_without_a_copy() {
    let (mut here, mut there) = ends().await;
    let (from_here, from_there) = (here.sender(), there.sender());
    for (from, to) in [(from_here, &mut there), (from_there, &mut here)] {
        for number in 0..100u8 {
            let sent = BytesMut::from(&[number][..]);
            let memory = sent.as_ptr();
            let lane = Lane::ALL[usize::from(number) % 3];
            from.send(lane, sent).await.unwrap();
            let LinkEvent::Message(on, came) = to.next().await else { panic!("closed") };
            assert_eq!((on, &came[..], came.as_ptr()), (lane, &[number][..], memory));
        }
    }
}

#[tokio::test]
async fn a_full_lane_waits_until_the_peer_takes_a_message_and_does_not_delay_other_lanes() {
    let (here, mut there) = ends().await;
    let sender = here.sender();
    for _ in 0..16 {
        sender.send(Lane::Frames, message(MESSAGE_SIZE)).await.unwrap();
    }
    assert_eq!(sender.buffered(Lane::Frames).await, SEND_BUFFER);
    assert!(!sender.try_send(Lane::Frames, message(1)).await.unwrap());
    assert!(sender.try_send(Lane::Control, message(1)).await.unwrap());
    let mut waiting = Box::pin(sender.send(Lane::Frames, message(MESSAGE_SIZE)));
    assert!((&mut waiting).now_or_never().is_none());
    assert!(matches!(there.next().await, LinkEvent::Message(Lane::Frames, _)));
    tokio::time::timeout(LIMIT, waiting).await.expect("there is room").unwrap();
    for _ in 0..17 {
        there.next().await;
    }
    assert_eq!([sender.buffered(Lane::Frames).await, sender.buffered(Lane::Control).await], [0, 0]);
}

#[tokio::test]
async fn a_message_larger_than_the_buffer_is_sent_alone() {
    let (here, mut there) = ends().await;
    here.sender().send(Lane::Frames, message(2 * SEND_BUFFER)).await.unwrap();
    assert!(!here.sender().try_send(Lane::Frames, message(1)).await.unwrap());
    assert!(matches!(there.next().await, LinkEvent::Message(_, large) if large.len() == 2 * SEND_BUFFER));
    assert!(here.sender().try_send(Lane::Frames, message(1)).await.unwrap());
}

#[tokio::test]
async fn a_send_that_is_given_up_leaves_nothing_in_the_buffer() {
    let (here, mut there) = ends().await;
    here.sender().send(Lane::Answers, message(SEND_BUFFER)).await.unwrap();
    assert!(here.sender().send(Lane::Answers, message(5)).now_or_never().is_none());
    there.next().await;
    assert_eq!(here.sender().buffered(Lane::Answers).await, 0);
}

#[tokio::test]
async fn the_peer_reads_what_was_sent_before_it_reads_of_the_end() {
    let (mut here, mut there) = ends().await;
    let sender = here.sender();
    sender.send(Lane::Frames, message(7)).await.unwrap();
    sender.send(Lane::Control, BytesMut::from("bye")).await.unwrap();
    sender.close_within(Duration::ZERO).await;
    sender.close_within(Duration::ZERO).await;
    assert_eq!(all(&mut there).await, [(Lane::Frames, vec![0; 7]), (Lane::Control, b"bye".to_vec())]);
    for end in [&mut here, &mut there] {
        for _ in 0..2 {
            assert!(matches!(end.next().await, LinkEvent::Closed));
        }
        assert!(end.sender().send(Lane::Control, message(1)).await.is_err());
        assert!(end.sender().try_send(Lane::Control, message(1)).await.is_err());
    }
}

#[tokio::test]
async fn a_close_waits_for_the_control_lane_but_not_for_ever() {
    let (here, mut there) = ends().await;
    here.sender().send(Lane::Control, BytesMut::from("bye")).await.unwrap();
    let sender = here.sender();
    let closing = tokio::spawn(async move { sender.close_within(LIMIT).await });
    tokio::task::yield_now().await;
    assert!(!closing.is_finished());
    assert_eq!(all(&mut there).await, [(Lane::Control, b"bye".to_vec())]);
    tokio::time::timeout(LIMIT, closing).await.expect("it was read").unwrap();
}

#[tokio::test]
async fn dropping_an_end_closes_the_link_even_while_a_send_waits() {
    let (here, there) = ends().await;
    let sender = here.sender();
    sender.send(Lane::Frames, message(SEND_BUFFER)).await.unwrap();
    let mut waiting = Box::pin(sender.send(Lane::Frames, message(1)));
    assert!((&mut waiting).now_or_never().is_none());
    drop(there);
    assert!(waiting.await.is_err());
}

#[tokio::test]
async fn an_event_is_not_lost_to_a_wait_that_was_given_up() {
    let (here, mut there) = ends().await;
    for number in 0..10u8 {
        assert!(there.next().now_or_never().is_none());
        here.sender().send(Lane::Control, BytesMut::from(&[number][..])).await.unwrap();
        let LinkEvent::Message(_, message) = there.next().await else { panic!("closed") };
        assert_eq!(message[..], [number]);
    }
}

#[tokio::test]
async fn dialing_nobody_fails_and_a_listener_ends_with_its_dialers() {
    let (mut listener, dialer) = endpoint();
    let link = dialer.clone().dial().unwrap();
    drop((dialer, link));
    assert!(listener.accept().await.is_some());
    assert!(listener.accept().await.is_none());
    let (listener, dialer) = endpoint();
    drop(listener);
    assert_eq!(dialer.dial().err(), Some(NobodyListens));
}

#[test]
fn ends_on_two_threads_carry_more_than_the_buffers_hold() {
    let (mut listener, dialer) = endpoint();
    let run = |work: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::spawn(move || runtime.block_on(work))
    };
    let sending = run(Box::pin(async move {
        let link = dialer.dial().unwrap();
        for _ in 0..100 {
            link.sender().send(Lane::Frames, message(MESSAGE_SIZE)).await.unwrap();
        }
    }));
    let receiving = run(Box::pin(async move {
        let mut link = listener.accept().await.unwrap();
        assert_eq!(all(&mut link).await.len(), 100);
    }));
    sending.join().unwrap();
    receiving.join().unwrap();
}
