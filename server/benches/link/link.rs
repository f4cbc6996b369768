//! The bare link: this repository's data channels with the programs' message sizes and window, and nothing else. It is
//! the most that our pipeline could reach.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use shared::door::lines::Signaling;
use shared::link::webrtc::{self, LinkSettings};
use shared::link::{Lane, LinkClosed, LinkEvent, LinkSender};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::sleep_until;

use crate::frames;
use crate::options::EndOptions;
use crate::source::{ANSWER_BYTES, Answers, WINDOW};

/// Timeout for the last answers, and for the close.
const END_LIMIT: Duration = Duration::from_secs(2);

/// Bytes of a message that are reserved for a fragment's header.
const HEADER_BYTES: usize = 32;

/// Runs either end on one thread, as the programs do.
pub(crate) fn run(end: &EndOptions) -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match end.port {
            None => source(end).await,
            Some(port) => sink(port, end).await,
        }
    })
}

fn settings(end: &EndOptions) -> LinkSettings {
    LinkSettings { addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)], mtu: end.mtu, ..Default::default() }
}

async fn source(end: &EndOptions) -> Result<(), Box<dyn Error>> {
    let frames = frames::read(&end.frames, end.frame_bytes)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?.port());
    let signaling = Signaling::new(listener.accept().await?.0);
    let mut link = webrtc::listen(signaling, &settings(end)).await?;
    let room = Arc::new(Semaphore::new(WINDOW));
    let (sent, mut unanswered) = unbounded_channel();
    let over = Instant::now() + Duration::from_secs_f64(end.seconds);
    let sending =
        Sending { link: link.sender(), frames, message: link.max_message_size() - HEADER_BYTES, fps: end.fps };
    tokio::spawn(sending.run(over, room.clone(), sent));
    let mut answers = Answers::new();
    while let Ok(LinkEvent::Message(Lane::Answers, _)) =
        tokio::time::timeout_at((over + END_LIMIT).into(), link.next()).await
    {
        // The lane is reliable and ordered, so the answer belongs to the oldest unanswered frame.
        if let Ok(sent) = unanswered.try_recv() {
            answers.add(sent);
            room.add_permits(1);
        }
        if Instant::now() >= over && room.available_permits() == WINDOW {
            break;
        }
    }
    println!("{}", serde_json::to_string(&answers.figures())?);
    link.sender().close_within(END_LIMIT).await;
    Ok(())
}

/// Sends frames while the window has room.
struct Sending {
    link: LinkSender,
    frames: Vec<Vec<u8>>,
    /// Maximum number of bytes per message.
    message: usize,
    fps: Option<f64>,
}

impl Sending {
    async fn run(self, over: Instant, room: Arc<Semaphore>, sent: UnboundedSender<Instant>) -> Result<(), LinkClosed> {
        let start = Instant::now();
        for (index, frame) in self.frames.iter().cycle().enumerate() {
            if let Some(fps) = self.fps {
                sleep_until((start + Duration::from_secs_f64(index as f64 / fps)).into()).await;
            }
            let Ok(place) = room.acquire().await else { break };
            if Instant::now() >= over {
                break;
            }
            place.forget();
            // The receiver lives as long as the link.
            let _ = sent.send(Instant::now());
            let messages: Vec<BytesMut> = frame.chunks(self.message).map(BytesMut::from).collect();
            if self.fps.is_none() {
                self.link.send_all(Lane::Frames, messages).await?;
                continue;
            }
            for message in messages {
                self.link.send(Lane::Frames, message).await?;
            }
        }
        Ok(())
    }
}

async fn sink(port: u16, end: &EndOptions) -> Result<(), Box<dyn Error>> {
    let signaling = Signaling::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?);
    let mut link = webrtc::dial(signaling, &settings(end)).await?;
    let sender = link.sender();
    let mut missing = end.frame_bytes;
    while let LinkEvent::Message(Lane::Frames, message) = link.next().await {
        missing = missing.saturating_sub(message.len());
        if missing == 0 {
            missing = end.frame_bytes;
            sender.send(Lane::Answers, BytesMut::from(&[1; ANSWER_BYTES][..])).await?;
        }
    }
    Ok(())
}
