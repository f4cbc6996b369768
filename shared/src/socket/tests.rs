//! Sockets inside TLS, and in the clear.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::link::Kind;
use crate::tls::testing::{sockets, streams};

/// Both ends of a connection, inside TLS and in the clear.
async fn pairs() -> [(Socket, Socket); 2] {
    let (ours, theirs) = streams().await;
    [sockets(Kind::Tcp).await, (ours.into(), theirs.into())]
}

#[tokio::test]
async fn megabytes_go_both_ways_at_the_same_time() {
    for (ours, theirs) in pairs().await {
        let sent: Vec<u8> = (0..5_000_000u32).map(|place| (place >> 8) as u8 ^ place as u8).collect();
        let half = |socket: Socket| {
            let (mut reader, mut writer) = socket.split();
            let (sent, wanted) = (sent.clone(), sent.clone());
            let writing = tokio::spawn(async move {
                writer.write_all(&sent).await.unwrap();
                writer.flush().await.unwrap();
            });
            async move {
                let mut read = Vec::new();
                reader.read_to_end(&mut read).await.unwrap();
                assert!(read == wanted, "{} bytes", read.len());
                writing.await.unwrap();
            }
        };
        tokio::join!(half(ours), half(theirs));
    }
}

#[tokio::test]
async fn peeking_does_not_consume_bytes() {
    for (mut ours, mut theirs) in pairs().await {
        ours.write_all(b"PR").await.unwrap();
        ours.flush().await.unwrap();
        let mut seen = [0; 4];
        assert_eq!(theirs.peek(&mut seen).await.unwrap(), 2);
        ours.write_all(b"I * HTTP").await.unwrap();
        ours.flush().await.unwrap();
        while theirs.peek(&mut seen).await.unwrap() < 4 {
            tokio::task::yield_now().await;
        }
        assert_eq!(&seen, b"PRI ");
        let mut read = [0; 10];
        theirs.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"PRI * HTTP");
        drop(ours);
        assert_eq!(theirs.peek(&mut seen).await.unwrap(), 0, "the end");
    }
}

#[tokio::test]
async fn ending_one_direction_leaves_the_other_open_and_halves_can_be_reunited() {
    for (ours, theirs) in pairs().await {
        let (mut reader, writer) = ours.split();
        let (mut their_reader, mut their_writer) = theirs.split();
        drop(writer);
        assert_eq!(their_reader.read(&mut [0; 8]).await.unwrap(), 0);
        their_writer.write_all(b"still here").await.unwrap();
        their_writer.flush().await.unwrap();
        let mut read = [0; 10];
        reader.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"still here");
        let mut whole = their_reader.reunite(their_writer).unwrap();
        whole.write_all(b"and whole").await.unwrap();
        whole.shutdown().await.unwrap();
        let mut rest = String::new();
        reader.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "and whole");
    }
}

#[tokio::test]
async fn bytes_that_the_connection_does_not_accept_are_held_and_written_later() {
    let (ours, mut theirs) = sockets(Kind::Tcp).await;
    let block = vec![7; 60_000];
    let mut written = 0;
    loop {
        match ours.try_write_vectored(&[IoSlice::new(&block)]) {
            Ok(bytes) => written += bytes,
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                break;
            }
        }
    }
    assert!((1..=65_536).contains(&ours.held()), "{}", ours.held());
    let mut read = vec![0; written];
    let flushed = async {
        while ours.try_flush().is_err() {
            ours.writable().await.unwrap();
        }
    };
    let (_, all) = tokio::join!(flushed, theirs.read_exact(&mut read));
    all.unwrap();
    assert!(read.iter().all(|byte| *byte == 7) && ours.held() == 0);
}
