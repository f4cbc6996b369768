//! Keys of a terminal on POSIX systems.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use signal_hook::consts::{SIGCONT, SIGQUIT, SIGTSTP};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;
use tracing::{debug, info};

use crate::shell::standard::Target;
use crate::shell::stop::Stopper;

/// How often a program in the background checks whether it is in the foreground again.
const LOOK: Duration = Duration::from_millis(250);

/// The terminal whose modes are changed at present.
static CHANGED: Mutex<Option<Terminal>> = Mutex::new(None);

/// Restores the terminal's modes, if they are changed: for a process that ends at once.
pub(in crate::shell) fn restore() {
    let changed = CHANGED.lock().unwrap_or_else(PoisonError::into_inner);
    changed.iter().for_each(Terminal::restore);
}

/// A terminal that delivers its keys at once, until this is dropped.
#[derive(Debug)]
pub struct Keys {
    terminal: Terminal,
    signals: Handle,
}

/// The terminal's modes.
#[derive(Clone, Debug)]
struct Terminal {
    before: Termios,
    watched: Termios,
}

impl Keys {
    /// Lets `q` tell `stopper`, if rows go to a terminal and a person is at its keyboard.
    pub fn watch(target: Target, stopper: &Stopper) -> Option<Self> {
        if !(io::stdin().is_terminal() && target.is_terminal() && is_in_foreground()) {
            return None;
        }
        let watched = watch(stopper.clone());
        watched.inspect_err(|error| debug!("cannot read keys from the terminal: {error}")).ok()
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.signals.close();
        self.terminal.restore();
        *CHANGED.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn watch(stopper: Stopper) -> io::Result<Keys> {
    let terminal = Terminal::new()?;
    let mut signals = Signals::new([SIGQUIT, SIGTSTP, SIGCONT])?;
    let (handle, of_signals) = (signals.handle(), terminal.clone());
    let follow = move || signals.forever().for_each(|signal| of_signals.follow(signal));
    thread::Builder::new().name("key signals".into()).spawn(follow)?;
    *CHANGED.lock().unwrap_or_else(PoisonError::into_inner) = Some(terminal.clone());
    terminal.watch();
    let keys = Keys { terminal, signals: handle };
    thread::Builder::new().name("keys".into()).spawn(move || read(&stopper))?;
    info!("q ends the run");
    Ok(keys)
}

impl Terminal {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut watched = before.clone();
        // The keyboard still sends its signals.
        watched.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        watched.special_codes[SpecialCodeIndex::VMIN] = 1;
        watched.special_codes[SpecialCodeIndex::VTIME] = 0;
        Ok(Self { before, watched })
    }

    fn watch(&self) {
        set(&self.watched);
    }

    fn restore(&self) {
        set(&self.before);
    }

    /// Restores the terminal, then does what the signal does by default. SIGCONT watches the terminal again.
    fn follow(&self, signal: i32) {
        if signal == SIGCONT {
            return self.watch();
        }
        self.restore();
        // The program ends or stops here. If it cannot, the terminal's modes are still restored.
        let _ = emulate_default_handler(signal);
    }
}

/// Sets modes at once: waiting for pending output could take for ever on a paused terminal. A terminal that another
/// program controls is left alone.
fn set(modes: &Termios) {
    if is_in_foreground() {
        let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
    }
}

fn is_in_foreground() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// Reads keys until `q`, or until the terminal is gone.
fn read(stopper: &Stopper) {
    let mut keys = [0; 16];
    loop {
        // In the background, a read would stop the whole program (SIGTTIN).
        if !is_in_foreground() {
            thread::sleep(LOOK);
        } else if is_readable() {
            match rustix::io::read(stdin(), &mut keys) {
                Ok(0) | Err(_) => return,
                Ok(count) if keys[..count].iter().any(|key| key.eq_ignore_ascii_case(&b'q')) => return stopper.stop(),
                Ok(_) => {}
            }
        }
    }
}

fn is_readable() -> bool {
    let limit = Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK.subsec_nanos()) };
    let stdin = stdin();
    poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&limit)).is_ok_and(|ready| ready > 0)
}
