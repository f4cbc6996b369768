use std::time::Duration;

use bytes::BytesMut;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::*;
use crate::link::{Lane, LinkEvent};
use crate::socket::Socket;
use crate::tls::testing::{sockets, streams};

fn linked(socket: impl Into<Socket>) -> Link {
    link(Signaling::new(socket), 1 << 20).unwrap()
}

async fn pair() -> (Link, Link) {
    let (ours, theirs) = streams().await;
    (linked(ours), linked(theirs))
}

/// The next message, after whatever announces it.
async fn message(link: &mut Link) -> Option<(Lane, Vec<u8>)> {
    loop {
        match timeout(Duration::from_secs(10), link.next()).await.expect("an event") {
            LinkEvent::Message(lane, bytes) => return Some((lane, bytes.to_vec())),
            LinkEvent::Arriving => {}
            LinkEvent::Closed | LinkEvent::Broken(_) => return None,
            other => panic!("{other:?}"),
        }
    }
}

/// Lanes take turns, but a large message is never one of control.
fn lane(place: usize, size: usize) -> Lane {
    if size > framing::MAX_SMALL { Lane::Frames } else { Lane::ALL[place % 3] }
}

#[tokio::test]
async fn messages_of_all_sizes_arrive_as_they_were_sent() {
    all_sizes_arrive(pair().await).await;
}

#[tokio::test]
async fn messages_of_all_sizes_arrive_inside_tls_and_are_acknowledged() {
    let (ours, theirs) = sockets(Kind::Tcp).await;
    all_sizes_arrive((linked(ours), linked(theirs))).await;
}

async fn all_sizes_arrive((ours, mut theirs): (Link, Link)) {
    let sizes = [0, 1, 100, 8_186, 8_187, 8_188, 70_000, 1 << 20];
    let sender = ours.sender();
    let sending = tokio::spawn(async move {
        for (place, size) in sizes.into_iter().cycle().take(40).enumerate() {
            let message = BytesMut::from(&vec![place as u8; size][..]);
            sender.send(lane(place, size), message).await.unwrap();
        }
    });
    let mut got = Vec::new();
    for _ in 0..40 {
        got.push(message(&mut theirs).await.unwrap());
    }
    sending.await.unwrap();
    // A control message may overtake others.
    got.sort_by_key(|(_, bytes)| bytes.first().copied());
    let mut sent: Vec<_> = sizes
        .into_iter()
        .cycle()
        .take(40)
        .enumerate()
        .map(|(place, size)| (lane(place, size), vec![place as u8; size]))
        .collect();
    sent.sort_by_key(|(_, bytes)| bytes.first().copied());
    assert!(got == sent);
}

#[tokio::test]
async fn a_control_message_overtakes_frames_that_wait() {
    let (ours, mut theirs) = pair().await;
    let sender = ours.sender();
    let frames = tokio::spawn({
        let sender = sender.clone();
        async move {
            for _ in 0..20 {
                sender.send(Lane::Frames, BytesMut::zeroed(1 << 20)).await.unwrap();
            }
        }
    });
    // Both kernel buffers are full when a frame waits for room.
    while sender.buffered(Lane::Frames).await < 2 << 20 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    sender.send(Lane::Control, BytesMut::from(&b"ping"[..])).await.unwrap();
    let mut before = 0;
    while message(&mut theirs).await.unwrap().0 == Lane::Frames {
        before += 1;
    }
    assert!(before < 20, "{before} frames came first");
    frames.abort();
}

#[tokio::test]
async fn unread_messages_stay_buffered_and_count_as_acknowledged_once_they_are_read() {
    let (ours, mut theirs) = pair().await;
    let sender = ours.sender();
    while sender.try_send(Lane::Frames, BytesMut::zeroed(300_000)).await.unwrap() {
        tokio::task::yield_now().await;
    }
    let before = sender.acknowledged(&[Lane::Frames]).await;
    assert!(sender.buffered(Lane::Frames).await > 0);
    while sender.buffered(Lane::Frames).await > 0 {
        message(&mut theirs).await.unwrap();
    }
    assert!(sender.acknowledged(&[Lane::Frames]).await > before);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_acknowledgement_of_a_part_of_a_message_counts() {
    // More than both kernels buffer.
    const BYTES: usize = 32 << 20;
    let (ours, mut theirs) = streams().await;
    let link = linked(ours);
    let sender = link.sender();
    sender.send(Lane::Frames, BytesMut::zeroed(BYTES)).await.unwrap();
    assert!(sender.buffered(Lane::Frames).await > 0);
    let (mut piece, mut last) = (vec![0; 1 << 20], sender.acknowledged(&[Lane::Frames]).await);
    for _ in 0..3 {
        let mut read = 0;
        while sender.acknowledged(&[Lane::Frames]).await <= last {
            read += timeout(Duration::from_secs(10), theirs.read(&mut piece)).await.expect("bytes").unwrap();
            assert!(read < BYTES / 4, "{last} bytes acknowledged still");
        }
        last = sender.acknowledged(&[Lane::Frames]).await;
    }
    assert!(last < BYTES as u64, "the message is still on its way");
}

#[tokio::test]
async fn the_end_comes_after_the_last_message() {
    let (ours, mut theirs) = pair().await;
    ours.sender().send(Lane::Control, BytesMut::from(&b"bye"[..])).await.unwrap();
    ours.sender().close_within(Duration::from_secs(1)).await;
    assert_eq!(message(&mut theirs).await, Some((Lane::Control, b"bye".to_vec())));
    assert_eq!(message(&mut theirs).await, None);
    let refused = ours.sender().send(Lane::Control, BytesMut::from(&b"late"[..])).await.unwrap_err();
    assert_eq!(refused.to_string(), "link closed: this end closed it");
}

#[tokio::test]
async fn a_peer_that_claims_4_gib_or_another_lane_ends_the_link_and_costs_no_memory() {
    for header in [[0xff, 0xff, 0xff, 0xff, 1], [0, 0x10, 0, 1, 1], [0, 0, 0, 1, 7]] {
        let (ours, mut theirs) = streams().await;
        let mut link = linked(ours);
        theirs.write_all(&header).await.unwrap();
        assert_eq!(message(&mut link).await, None, "{header:?}");
    }
}

#[tokio::test]
async fn a_message_that_is_cut_short_by_the_end_is_not_delivered() {
    for sent in [&[0u8, 0, 0][..], &[0, 0, 0, 9, 0, 1], &[0, 1, 0, 0, 1, 1, 1]] {
        let (ours, mut theirs) = streams().await;
        let mut link = linked(ours);
        theirs.write_all(sent).await.unwrap();
        drop(theirs);
        assert_eq!(message(&mut link).await, None);
    }
}

#[tokio::test]
async fn the_arrival_of_a_part_is_a_sign_of_life() {
    let (ours, mut theirs) = streams().await;
    let mut link = linked(ours);
    theirs.write_all(&[0, 1, 0, 0, 1]).await.unwrap();
    let next = tokio::spawn(async move { link.next().await });
    while !next.is_finished() {
        theirs.write_all(&[0; 100]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(matches!(next.await.unwrap(), LinkEvent::Arriving));
}

#[tokio::test]
async fn the_end_of_a_link_says_what_broke_it() {
    let cases: [(&[u8], &str); 3] = [
        (&[0xff, 0xff, 0xff, 0xff, 1], "it sent a message of 4294967295 bytes: at most 1048576 are accepted"),
        (&[0, 0, 0, 2, 1, 0], "it closed the link in the middle of a message"),
        (&[0, 1, 0, 0, 1, 0], "it closed the link in the middle of a message"),
    ];
    for (sent, said) in cases {
        let (ours, mut theirs) = streams().await;
        let mut link = linked(ours);
        theirs.write_all(sent).await.unwrap();
        drop(theirs);
        assert!(matches!(link.next().await, LinkEvent::Broken(how) if how == said), "{said}");
        assert!(matches!(link.next().await, LinkEvent::Closed));
    }
}

#[tokio::test]
async fn the_last_message_of_a_peer_counts_even_if_sends_find_the_connection_closed() {
    let (ours, mut theirs) = streams().await;
    let mut link = linked(ours);
    let sender = link.sender();
    sender.send(Lane::Frames, BytesMut::zeroed(1000)).await.unwrap();
    theirs.write_all(&[0, 0, 0, 3, 0, b'b', b'y', b'e']).await.unwrap();
    theirs.readable().await.unwrap();
    // Unread bytes: the kernel answers further ones with a reset.
    drop(theirs);
    for _ in 0..100 {
        sender.send(Lane::Frames, BytesMut::zeroed(100_000)).await.unwrap();
    }
    assert_eq!(message(&mut link).await, Some((Lane::Control, b"bye".to_vec())));
    assert_eq!(message(&mut link).await, None);
}

#[tokio::test]
async fn a_closed_link_releases_its_connection() {
    let (ours, _theirs) = streams().await;
    let outbox = Arc::new(Outbox::new(Socket::from(ours).split().1));
    let writing = tokio::spawn(outbox.clone().write());
    drop(outbox::Closing(outbox.clone()));
    timeout(Duration::from_secs(10), writing).await.expect("it ends").unwrap();
    assert_eq!(Arc::strong_count(&outbox), 1);
}

#[tokio::test]
async fn a_peer_that_never_reads_delays_a_send_but_not_the_end() {
    let (ours, theirs) = streams().await;
    let link = linked(ours);
    let sender = link.sender();
    while sender.try_send(Lane::Frames, BytesMut::zeroed(1 << 20)).await.unwrap() {
        tokio::task::yield_now().await;
    }
    assert!(timeout(Duration::from_millis(50), sender.send(Lane::Frames, BytesMut::zeroed(1))).await.is_err());
    sender.close_within(Duration::from_millis(10)).await;
    drop(theirs);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn bytes_in_any_pieces_make_the_same_messages(
        messages in proptest::collection::vec((0..3usize, proptest::collection::vec(any::<u8>(), 0..20_000)), 1..8),
        pieces in proptest::collection::vec(1..9_000usize, 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (ours, mut theirs) = streams().await;
            let mut link = linked(ours);
            let mut bytes = Vec::new();
            for (lane, message) in &messages {
                bytes.extend(framing::header(Lane::ALL[*lane], message.len()));
                bytes.extend(message);
            }
            tokio::spawn(async move {
                let (mut left, mut sizes) = (&bytes[..], pieces.iter().cycle());
                while !left.is_empty() {
                    let (piece, rest) = left.split_at(left.len().min(*sizes.next().unwrap()));
                    theirs.write_all(piece).await.unwrap();
                    tokio::task::yield_now().await;
                    left = rest;
                }
                let mut end = Vec::new();
                let _ = theirs.read_to_end(&mut end).await;
            });
            for (lane, sent) in messages {
                assert_eq!(message(&mut link).await, Some((Lane::ALL[lane], sent)));
            }
        });
    }
}
