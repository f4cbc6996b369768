//! Raw TCP: the same bytes with the same window, and nothing else. It is the most that the machine could carry.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::frames;
use crate::options::EndOptions;
use crate::source::{ANSWER_BYTES, Answers, WINDOW};

/// Runs either end.
pub(crate) fn run(end: &EndOptions) -> Result<(), Box<dyn Error>> {
    match end.port {
        None => source(end),
        Some(port) => sink(port, end.frame_bytes),
    }
}

fn source(end: &EndOptions) -> Result<(), Box<dyn Error>> {
    let frames = frames::read(&end.frames, end.frame_bytes)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    // A frame holds a slot of this channel from before its first byte is sent until its answer has arrived.
    let (sent, unanswered) = sync_channel(WINDOW);
    let writer = thread::spawn({
        let (stream, end) = (stream.try_clone()?, end.clone());
        move || send(stream, &frames, &end, &sent)
    });
    let answers = receive(stream, &unanswered)?;
    writer.join().map_err(|_| "the writer panicked")??;
    println!("{}", serde_json::to_string(&answers.figures())?);
    Ok(())
}

fn send(
    mut stream: TcpStream,
    frames: &[Vec<u8>],
    end: &EndOptions,
    sent: &SyncSender<Instant>,
) -> std::io::Result<()> {
    let start = Instant::now();
    let over = start + Duration::from_secs_f64(end.seconds);
    for (index, frame) in frames.iter().cycle().enumerate() {
        if let Some(fps) = end.fps {
            let due = start + Duration::from_secs_f64(index as f64 / fps);
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        if Instant::now() >= over || sent.send(Instant::now()).is_err() {
            break;
        }
        stream.write_all(frame)?;
    }
    stream.shutdown(Shutdown::Write)
}

/// Receives answers until the sink has read everything and closes the connection.
fn receive(mut stream: TcpStream, unanswered: &Receiver<Instant>) -> std::io::Result<Answers> {
    let (mut answers, mut answer) = (Answers::new(), [0; ANSWER_BYTES]);
    while stream.read_exact(&mut answer).is_ok() {
        let Ok(sent) = unanswered.recv() else { break };
        answers.add(sent);
    }
    Ok(answers)
}

fn sink(port: u16, frame_bytes: usize) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_nodelay(true)?;
    let mut frame = vec![0; frame_bytes];
    while stream.read_exact(&mut frame).is_ok() {
        stream.write_all(&[1; ANSWER_BYTES])?;
    }
    Ok(())
}
