//! Reads commands from stdin.

use std::io::{ErrorKind, Read};
use std::thread;
use std::time::Duration;

use tracing::{debug, warn};

use super::{Commander, Lines, NotACommand};
use crate::commands::Command;

/// Pause before the next attempt to read from a non-blocking stdin, which some parent processes leave behind.
const PAUSE: Duration = Duration::from_millis(20);

/// Reads commands from `input` on a thread of its own, until its end or until a command ends the client.
///
/// A request for a frame is read only when there is room for it, so a program that writes without end fills no memory.
pub fn read_lines(input: impl Read + Send + 'static, commander: Commander) {
    let reading = move || {
        if let Err(error) = read(input, &commander) {
            warn!("cannot read commands from stdin: {error}; the session goes on without them");
        }
    };
    // The thread is never joined: a read cannot be ended from outside.
    if let Err(error) = thread::Builder::new().name("commands".into()).spawn(reading) {
        warn!("no commands from stdin: {error}");
    }
}

fn read(mut input: impl Read, commander: &Commander) -> std::io::Result<()> {
    let (mut lines, mut bytes) = (Lines::default(), [0; 1024]);
    loop {
        match input.read(&mut bytes) {
            Ok(0) => {
                debug!("stdin has ended: no further commands from there");
                obey(lines.finish(), commander);
                return Ok(());
            }
            Ok(count) => {
                if !bytes[..count].iter().all(|byte| obey(lines.push(*byte), commander)) {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
}

/// Passes on the command of a line, if the line was complete. Returns whether to read on.
fn obey(said: Option<Result<Command, NotACommand>>, commander: &Commander) -> bool {
    match said {
        None => true,
        Some(Ok(command)) => commander.give(command),
        Some(Err(wrong)) => {
            warn!(kind = "command", "{wrong}");
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::shell::stop::stop_pair;

    use super::*;
    use crate::commands::commands;

    #[test]
    fn nothing_is_read_after_the_command_that_ends_the_client() {
        let (stopper, _stop) = stop_pair();
        let (commander, _commands) = commands(stopper.clone(), true);
        let mut input = &b"n\nwhat?\nq\nx\n"[..];
        read(&mut input, &commander).unwrap();
        assert!(stopper.is_stopped());
    }

    #[test]
    fn the_end_of_stdin_ends_nothing() {
        let (stopper, _stop) = stop_pair();
        let (commander, _commands) = commands(stopper.clone(), true);
        read(&b"n\nn\n"[..], &commander).unwrap();
        assert!(!stopper.is_stopped());
    }
}
