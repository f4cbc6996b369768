//! The result of a program that has ended.

use std::time::Duration;

/// Exit code and output of a program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` if a signal ended the program.
    pub code: Option<i32>,
    /// All lines of standard output.
    pub stdout: Vec<String>,
    /// All lines of standard error.
    pub stderr: Vec<String>,
    /// Time from the start, or from the last [`Program::signal`](super::Program::signal), to the end.
    pub elapsed: Duration,
}

impl Ended {
    /// All that it said: standard output, then standard error.
    pub fn said(&self) -> String {
        self.stdout.iter().chain(&self.stderr).map(|line| format!("{line}\n")).collect()
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code; stdout: {:#?}, stderr: {:#?}", self.stdout, self.stderr);
        self
    }

    /// Asserts that a line of standard error contains `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.iter().any(|line| line.contains(text)), "no \"{text}\" in {:#?}", self.stderr);
        self
    }
}
