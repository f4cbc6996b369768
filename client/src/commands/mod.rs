//! Commands to a running client, from lines on its stdin and from keys: the next frame, quit, quit both.
//!
//! `lines` turns bytes into commands and `reading` reads them from stdin. A [`Commander`] gives commands from any thread,
//! and the session takes them from [`Commands`].

mod lines;
mod reading;

use shared::shell::stop::{Stop, Stopper, stop_pair};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tracing::{debug, warn};

pub use lines::{Lines, NotACommand};
pub use reading::read_lines;

/// Maximum number of requests for a frame that wait until the session takes them. The session itself asks ahead
/// ([`AHEAD`](crate::session::AHEAD)), so a few are enough.
const WAITING: usize = 16;

/// A command to the client, from a person or a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `n`: ask the server for the next frame.
    Next,
    /// `q`: end this client. The server goes on.
    Quit,
    /// `x`: end this client and the server.
    QuitBoth,
}

/// Gives commands.
#[derive(Clone, Debug)]
pub struct Commander {
    next: Sender<()>,
    both: Stopper,
    stopper: Stopper,
    /// Whether frames come only on request.
    pull: bool,
}

/// Takes commands.
#[derive(Debug)]
pub struct Commands {
    next: Receiver<()>,
    both: Stop,
}

/// A commander and its commands. `stopper` ends the client; `pull` says whether frames come only on request.
pub fn commands(stopper: Stopper, pull: bool) -> (Commander, Commands) {
    let (next, requests) = mpsc::channel(WAITING);
    let (both, wished) = stop_pair();
    (Commander { next, both, stopper, pull }, Commands { next: requests, both: wished })
}

impl Commander {
    /// Gives a command. A request for a frame blocks while too many others wait. Returns whether the session takes
    /// further commands.
    pub fn give(&self, command: Command) -> bool {
        match command {
            Command::Next if self.pull => self.next.blocking_send(()).is_ok(),
            other => self.give_now(other),
        }
    }

    /// Gives the command of a key, if it has one. A request for a frame has no effect while too many others wait.
    pub fn press(&self, key: char) {
        match key.to_ascii_lowercase() {
            'n' => self.give_now(Command::Next),
            'x' => self.give_now(Command::QuitBoth),
            _ => true,
        };
    }

    fn give_now(&self, command: Command) -> bool {
        match command {
            Command::Next if !self.pull => {
                warn!(kind = "n", "n has no effect: frames come unasked, unless the client is started with --pull");
            }
            Command::Next => {
                if self.next.try_send(()).is_err() {
                    debug!("n has no effect: too many frames are asked for already");
                }
            }
            Command::Quit => self.stopper.stop(),
            Command::QuitBoth => self.both.stop(),
        }
        command == Command::Next
    }
}

impl Commands {
    /// A receiver that never gets a command.
    pub fn none() -> Self {
        commands(stop_pair().0, false).1
    }

    /// Waits for a command: to end both or, if `may_ask`, to ask for a frame. Safe to cancel.
    pub async fn taken(&mut self, may_ask: bool) -> Command {
        let Self { next, both } = self;
        tokio::select! {
            () = both.stopped() => Command::QuitBoth,
            Some(()) = next.recv(), if may_ask => Command::Next,
        }
    }

    /// Waits until the client and the server are to end. Safe to cancel.
    pub async fn quit_both(&mut self) {
        self.both.stopped().await;
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn every_request_counts_and_waits_until_it_is_taken() {
        let (commander, mut commands) = commands(stop_pair().0, true);
        let giving = thread::spawn(move || (0..100).all(|_| commander.give(Command::Next)));
        for _ in 0..100 {
            assert_eq!(commands.taken(true).await, Command::Next);
        }
        assert!(giving.join().unwrap());
    }

    #[test]
    fn a_command_that_nobody_takes_any_more_is_refused() {
        let (commander, commands) = commands(stop_pair().0, true);
        drop(commands);
        assert!(!commander.give(Command::Next));
    }

    #[test]
    fn keys_are_commands_in_either_case_and_q_is_left_to_the_window() {
        let (stopper, _stop) = stop_pair();
        let (commander, mut commands) = commands(stopper.clone(), true);
        "Nn?q".chars().for_each(|key| commander.press(key));
        assert_eq!([commands.next.try_recv(), commands.next.try_recv()], [Ok(()), Ok(())]);
        assert!(commands.next.try_recv().is_err() && !stopper.is_stopped() && !commander.both.is_stopped());
        commander.press('X');
        assert!(commander.both.is_stopped() && !stopper.is_stopped());
        assert!(!commander.give(Command::Quit) && stopper.is_stopped());
    }
}
