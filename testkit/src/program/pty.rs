//! A program at a terminal of its own, as a person has it: with keys, a size and a pause.

#![allow(unsafe_code, reason = "terminals")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread;

use super::limit::{LIMIT, poll};

/// Written behind the last output of a program, to know when all of it is on the screen. No program writes it.
const LAST: &str = "<the end of the screen>";

/// A program whose input and outputs are a terminal.
pub struct AtTerminal {
    child: Child,
    keyboard: File,
    /// Our own descriptor of the program's side of the terminal, for reading its modes.
    terminal: OwnedFd,
    screen: Arc<Mutex<String>>,
}

impl AtTerminal {
    /// Starts a program in a session of its own, at a terminal with this many columns.
    pub fn start(mut command: Command, columns: u16) -> Self {
        let (master, terminal) = open(columns).expect("a terminal");
        let side = || terminal.try_clone().expect("a descriptor");
        command.stdin(side()).stdout(side()).stderr(side());
        // The tests themselves may run without a terminal, as in CI.
        if command.get_envs().all(|(name, _)| name != "TERM") {
            command.env("TERM", "xterm");
        }
        // SAFETY: both calls are async-signal-safe (signal-safety(7)), and touch no memory of ours.
        unsafe {
            command.pre_exec(|| match libc::setsid() >= 0 && libc::ioctl(0, libc::TIOCSCTTY, 0) == 0 {
                true => Ok(()),
                false => Err(io::Error::last_os_error()),
            })
        };
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let keyboard = File::from(master);
        let screen = Arc::new(Mutex::new(String::new()));
        let (shown, from) = (screen.clone(), keyboard.try_clone().expect("a descriptor"));
        thread::spawn(move || gather(from, &shown));
        Self { child, keyboard, terminal, screen }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("a keyboard");
    }

    /// Waits until the screen has shown this.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        let found = poll(|| self.screen().lines().find(|line| line.contains(text)).map(str::to_owned));
        found.unwrap_or_else(|| panic!("no \"{text}\" on the screen:\n{}", self.screen()))
    }

    /// All it has shown.
    pub fn screen(&self) -> String {
        self.screen.lock().unwrap().replace(LAST, "")
    }

    /// Whether keys are shown and wait for the end of a line, as they do in a shell.
    pub fn is_as_shells_have_it(&self) -> bool {
        // SAFETY: the descriptor is ours, and the structure is filled before it is read.
        let modes = unsafe {
            let mut modes = std::mem::zeroed::<libc::termios>();
            assert_eq!(libc::tcgetattr(self.terminal.as_raw_fd(), &mut modes), 0, "no modes");
            modes
        };
        modes.c_lflag & (libc::ICANON | libc::ECHO) == libc::ICANON | libc::ECHO
    }

    /// Sends a signal, such as `libc::SIGTERM`.
    pub fn signal(&self, signal: i32) {
        // SAFETY: no memory is involved; the child is ours and not waited for, so its id is not another's.
        assert_eq!(unsafe { libc::kill(self.child.id().cast_signed(), signal) }, 0, "no signal");
    }

    /// Waits until it ends; its exit code, `None` when a signal ended it.
    #[track_caller]
    pub fn end(&mut self) -> Option<i32> {
        let status = poll(|| self.child.try_wait().expect("our own child"));
        let code = status.unwrap_or_else(|| panic!("no end within {LIMIT:?}:\n{}", self.screen())).code();
        self.gather_the_rest();
        code
    }

    /// Waits until all that the program has written is on the screen: until what we write behind it is.
    fn gather_the_rest(&self) {
        let side = self.terminal.try_clone().expect("a descriptor");
        // SAFETY: the descriptor is ours, and the call touches no memory.
        let flags = unsafe { libc::fcntl(side.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        // A paused terminal takes nothing, and shows nothing more.
        if flags == 0 && File::from(side).write_all(LAST.as_bytes()).is_ok() {
            poll(|| self.screen.lock().unwrap().contains(LAST).then_some(())).expect("the rest of the screen");
        }
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open(columns: u16) -> io::Result<(OwnedFd, OwnedFd)> {
    let (mut master, mut terminal) = (-1, -1);
    let size = libc::winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the pointers are to values that live as long as the call; null stands for what is not wanted.
    unsafe {
        if libc::openpty(&mut master, &mut terminal, std::ptr::null_mut(), std::ptr::null(), &size) != 0 {
            return Err(io::Error::last_os_error());
        }
        for descriptor in [master, terminal] {
            libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
        }
        // Both descriptors are open and owned by nobody else.
        Ok((OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(terminal)))
    }
}

fn gather(mut from: File, screen: &Mutex<String>) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        screen.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
}
