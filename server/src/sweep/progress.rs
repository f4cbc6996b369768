//! The progress of a sweep: a line at the bottom of a terminal, or a log line at intervals.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared::shell::status::{Status, StatusLine};
use tracing::info;

use super::work::Done;

/// Interval between two updates of a terminal's line.
const LINE: Duration = Duration::from_millis(200);

/// Interval between two lines of a log.
const LOG: Duration = Duration::from_secs(10);

/// Shows the progress of a sweep.
pub(super) struct Progress<'a> {
    all: u64,
    done: &'a Mutex<Done>,
    is_quiet: bool,
    began: Instant,
    is_over: Mutex<bool>,
    ended: Condvar,
}

impl<'a> Progress<'a> {
    /// The progress of a sweep of `all` trials, which begins now.
    pub(super) fn start(all: u64, done: &'a Mutex<Done>, is_quiet: bool) -> Self {
        Self { all, done, is_quiet, began: Instant::now(), is_over: Mutex::new(false), ended: Condvar::new() }
    }

    /// Shows it until [`Self::end`].
    pub(super) fn tick(&self) {
        let line = (!self.is_quiet && StatusLine::is_possible()).then(StatusLine::show);
        let interval = if line.is_some() { LINE } else { LOG };
        while self.goes_on(interval) {
            let done = self.done.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let status = status(&done, self.all, self.began.elapsed());
            match &line {
                Some(line) => line.set(&status),
                None => info!("{}", status.text),
            }
        }
    }

    /// Ends [`Self::tick`].
    pub(super) fn end(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ended.notify_all();
    }

    fn goes_on(&self, interval: Duration) -> bool {
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        match self.ended.wait_timeout_while(is_over, interval, |is_over| !*is_over) {
            Ok((is_over, _)) => !*is_over,
            Err(_) => false,
        }
    }
}

fn status(done: &Done, all: u64, elapsed: Duration) -> Status {
    let finished = done.all();
    let mut text = format!("{finished} of {all} trials");
    if done.failed > 0 {
        text += &format!(", {} failed", done.failed);
    }
    // Trials that were done before took no time.
    let ran = done.run + done.failed;
    if ran > 0 && elapsed > Duration::ZERO {
        let rate = ran as f64 / elapsed.as_secs_f64();
        let left = (all - finished.min(all)) as f64 / rate;
        text += &format!(", {rate:.1} trials/s, {} left", rounded(left));
    }
    Status { done: Some((finished, all)), text }
}

/// A time in whole seconds, minutes or hours.
pub(super) fn rounded(seconds: f64) -> String {
    match seconds {
        _ if !seconds.is_finite() => "?".into(),
        _ if seconds < 1.0 => "less than 1 s".into(),
        _ if seconds < 120.0 => format!("{seconds:.0} s"),
        _ if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_trials_that_were_run() {
        let done = Done { run: 20, known: 70, failed: 0, ..Done::default() };
        let status = status(&done, 100, Duration::from_secs(10));
        assert_eq!(status.text, "90 of 100 trials, 2.0 trials/s, 5 s left");
        assert_eq!(status.done, Some((90, 100)));
    }

    #[test]
    fn times_have_the_unit_that_suits_them() {
        assert_eq!([0.2, 59.6, 600.0, 9_000.0].map(rounded), ["less than 1 s", "60 s", "10 min", "2.5 h"]);
    }
}
