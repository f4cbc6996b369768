//! A dashboard's WebSocket: sends the latest figures, or the latest picture, whenever they change and the page keeps up.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use shared::door::websocket::{MessageWriter, Opcode, WebSocket};
use shared::shell::threads;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Pages;
use crate::limited::Taken;
use crate::output::watched::Watching;

/// Shortest interval between two messages: at most ten pictures a second.
const INTERVAL: Duration = Duration::from_millis(100);

/// Longest time that a page may take to read a message.
const LIMIT: Duration = Duration::from_secs(10);

/// What a dashboard's socket shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// Figures.
    Figures,
    /// Pictures.
    Frames,
}

/// A dashboard's socket.
#[derive(Debug)]
pub(crate) struct Dashboard {
    pub(crate) pages: Arc<Pages>,
    pub(crate) shows: Shows,
    /// The session to show; `None` for whichever goes on.
    pub(crate) session: Option<u64>,
    pub(crate) place: Taken,
}

impl Dashboard {
    /// Sends until the page closes the socket, or does not read.
    pub(crate) async fn run(self, socket: WebSocket) {
        let Self { pages, shows, session: asked, place } = self;
        let (mut reader, writer) = socket.split();
        let changed = pages.changed.subscribe();
        let mut sending = Sending { pages: &pages, shows, asked, writer, changed, watching: None, sent: None };
        tokio::select! {
            // A page sends nothing but its close.
            _ = reader.receive() => {}
            // The page is gone, or too slow.
            _ = sending.run() => {}
        }
        drop(place);
    }
}

struct Sending<'a> {
    pages: &'a Pages,
    shows: Shows,
    asked: Option<u64>,
    writer: MessageWriter,
    changed: watch::Receiver<()>,
    watching: Option<Watching>,
    /// Session and frame of the last picture.
    sent: Option<(u64, u64)>,
}

impl Sending<'_> {
    async fn run(&mut self) -> io::Result<()> {
        loop {
            self.changed.mark_unchanged();
            timeout(LIMIT, self.send()).await??;
            sleep(INTERVAL).await;
            if self.changed.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    async fn send(&mut self) -> io::Result<()> {
        let session = self.pages.state().shown(self.asked);
        self.watch(session.unwrap_or_default());
        match self.shows {
            Shows::Figures => {
                let figures = self.pages.state().figures(session);
                self.writer.send(Opcode::Text, figures.as_bytes()).await
            }
            Shows::Frames => {
                let Some(session) = session else { return Ok(()) };
                let before = self.sent.filter(|sent| sent.0 == session).map(|sent| sent.1);
                let Some(shot) = self.pages.state().shot(session, before) else { return Ok(()) };
                self.sent = Some((session, shot.record.id));
                // Not on a thread of the sessions.
                threads::has_room()?;
                let message = tokio::task::spawn_blocking(move || shot.message()).await?;
                self.writer.send(Opcode::Binary, &message).await
            }
        }
    }

    /// Asks for the reports and pictures of this session, and no longer for those of another.
    fn watch(&mut self, session: u64) {
        if self.watching.as_ref().is_none_or(|watching| watching.session() != session) {
            self.watching = Some(self.pages.watched.watch(session));
        }
    }
}
