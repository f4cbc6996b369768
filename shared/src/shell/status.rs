//! A status line at the bottom of a terminal, drawn on stderr by the crate `indicatif`.
//!
//! Log lines, rows and summaries appear above it: everything that writes to a terminal uses `above`, which hides the
//! line meanwhile. A paused terminal blocks the thread that draws, so a thread that must not block must not draw.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::standard::Target;

/// Maximum number of draws per second. Nobody could read more, and each takes about 20 µs from a session on the same
/// core.
const RATE: u8 = 5;

/// Width of the bar, in characters.
const BAR: usize = 10;

/// The line that is currently on the terminal.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The content of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How much is done, and of how much, if known.
    pub done: Option<(u64, u64)>,
    /// The text. It is cut to the width of the terminal.
    pub text: String,
}

/// A line on the terminal, until this is dropped. There is one at a time.
#[derive(Debug)]
pub struct StatusLine(ProgressBar);

impl StatusLine {
    /// Whether a line can be shown: stderr is a terminal that can move its cursor.
    pub fn is_possible() -> bool {
        Target::Stderr.is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Shows a line without a text.
    pub fn show() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(RATE));
        // invariant: the template is one that the crate reads.
        bar.set_style(ProgressStyle::with_template("{wide_msg}").expect("a template"));
        *shown() = Some(bar.clone());
        Self(bar)
    }

    /// Changes the content of the line, and draws it.
    pub fn set(&self, status: &Status) {
        // One change is one draw.
        self.0.set_message(status.to_string());
    }
}

impl fmt::Display for Status {
    /// The text, after a bar if the total is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((done, of)) = self.done {
            let part = done.min(of) as f64 / of.max(1) as f64;
            let filled = (part * BAR as f64) as usize;
            let head = if filled < BAR { ">" } else { "" };
            write!(f, "[{:BAR$}] ", "=".repeat(filled) + head)?;
        }
        f.write_str(&self.text)
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        *shown() = None;
        self.0.finish_and_clear();
    }
}

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    // The bar is replaced in one step.
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wraps an output so that its lines appear above the status line if it is a terminal.
pub(super) fn above(output: Box<dyn Write + Send>, target: Target) -> Box<dyn Write + Send> {
    if target.is_terminal() { Box::new(Above(output)) } else { output }
}

/// Writes whole lines, above the status line.
struct Above(Box<dyn Write + Send>);

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bar = shown().clone();
        match bar {
            Some(bar) => {
                // The status line cannot follow an incomplete line.
                let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
                bar.suspend(|| self.0.write(&bytes[..whole]))
            }
            None => self.0.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::Kept;
    use super::*;

    #[test]
    fn the_bar_fills_as_the_work_is_done() {
        let said = |done| Status { done: Some((done, 20)), text: "x".into() }.to_string();
        assert_eq!(
            [0, 10, 19, 20, 30].map(said),
            ["[>         ] x", "[=====>    ] x", "[=========>] x", "[==========] x", "[==========] x"]
        );
        assert_eq!(Status { done: Some((0, 0)), text: "x".into() }.to_string(), "[>         ] x");
        assert_eq!(Status { done: None, text: "x".into() }.to_string(), "x");
    }

    #[test]
    fn with_a_status_line_only_whole_lines_are_written_and_without_one_anything() {
        let kept = Kept::default();
        let mut above = Above(Box::new(kept.clone()));
        assert_eq!(above.write(b"one\nha").unwrap(), 6);
        let line = StatusLine::show();
        line.set(&Status { done: Some((1, 2)), text: "half".into() });
        assert_eq!(above.write(b"lf\ntwo\nthr").unwrap(), 7);
        drop(line);
        assert_eq!(above.write(b"three").unwrap(), 5);
        assert_eq!(kept.bytes(), b"one\nhalf\ntwo\nthree");
    }
}
