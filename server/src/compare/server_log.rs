//! The log of a server that was started: the address at which it listens, and why it ended.

use std::io::{BufRead, BufReader, Read};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use shared::text::Escaped;
use tracing::warn;

/// How long to wait for the last lines of a server that has ended. They are in the pipe already.
const LAST_LINES: Duration = Duration::from_secs(1);

/// What comes before the address in the log.
const LISTENING: &str = "listening on ";

/// How a line begins that says what went wrong: of the log, and of the reader of the command line.
const ERRORS: [&str; 2] = ["server: error: ", "error: "];

/// The log of a server.
pub(crate) struct ServerLog {
    /// The address at which the server listens, once it does.
    pub(crate) address: Receiver<String>,
    /// The last error, once the log has ended.
    wrong: Receiver<String>,
}

impl ServerLog {
    /// Reads a log to its end. Errors in it are logged again.
    pub(super) fn read(log: impl Read + Send + 'static) -> Self {
        let ((found, address), (said, wrong)) = (bounded(1), bounded(1));
        let read = move || {
            let mut last = None;
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                if let Some((_, rest)) = line.split_once(LISTENING) {
                    // Only the first address is asked for.
                    let _ = found.try_send(rest.split([',', ' ']).next().unwrap_or_default().to_owned());
                } else if let Some(error) = ERRORS.iter().find_map(|start| line.strip_prefix(start)) {
                    warn!("{}", Escaped(error));
                    last = Some(error.to_owned());
                }
            }
            if let Some(last) = last {
                // Nobody may ask.
                let _ = said.try_send(last);
            }
        };
        // If the thread cannot be started, the run still goes on, and its end is noticed.
        let _ = thread::Builder::new().name("round".into()).spawn(read);
        Self { address, wrong }
    }

    /// How a server ended that has this exit code; `None` for a signal. With the last error of its log.
    pub(crate) fn end(&self, code: Option<i32>) -> String {
        let code = code.map_or("a signal".into(), |code| format!("exit code {code}"));
        match self.wrong.recv_timeout(LAST_LINES) {
            Ok(wrong) => format!("{code} ({wrong})"),
            Err(_) => code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &'static str) -> ServerLog {
        ServerLog::read(text.as_bytes())
    }

    #[test]
    fn the_end_of_a_server_has_the_last_error_of_its_log() {
        let of_log = log("server: warning: slow\nserver: error: one\nserver: error: no room for a.csv\n");
        assert_eq!(of_log.end(Some(4)), "exit code 4 (no room for a.csv)");
        let of_options = log("error: --warmup: \"x\" is not a number\n\nFor more information, try '--help'.\n");
        assert_eq!(of_options.end(Some(2)), "exit code 2 (--warmup: \"x\" is not a number)");
        assert_eq!(log("server: an error: is no error\n").end(None), "a signal");
    }

    #[test]
    fn the_address_is_that_at_which_the_server_listens() {
        let log = log("server: listening on 127.0.0.1:4711, for one client\n");
        assert_eq!(log.address.recv().as_deref(), Ok("127.0.0.1:4711"));
    }
}
