//! Formats an event as a line: `server: warning: the message`, with the level unless it is plain information.

use std::fmt::{Debug, Write};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use crate::text::Brief;

/// Longest line about a failure that others can cause, in characters.
const FAILURE: usize = 200;

/// Longest other line, in characters: several times a path of 255 bytes and what is wrong with it.
const LONGEST: usize = 1000;

/// The style of lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// The program's name, at the start of each line.
    pub(super) program: &'static str,
    /// Whether the level is coloured.
    pub(super) has_colours: bool,
}

/// Source of an event, and which of several failures reported there it is.
pub(super) type Kind = (Identifier, String);

/// A line without its line end.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    /// At most one line per second is written of this kind.
    pub(super) kind: Option<Kind>,
    /// How many lines of this kind may come at once.
    pub(super) burst: u32,
}

impl Style {
    /// Formats an event. Warnings, and events that name their `kind`, are failures that others can cause again and
    /// again. Events that name a `burst` too are no failures, and usually rare.
    pub(super) fn line(self, event: &Event<'_>) -> Line {
        let mut said = Said::default();
        event.record(&mut said);
        let metadata = event.metadata();
        let level = *metadata.level();
        let is_failure = level == Level::WARN || said.kind.is_some();
        let message = Brief(said.message, if is_failure && said.burst.is_none() { FAILURE } else { LONGEST });
        let kind = is_failure.then(|| (metadata.callsite(), said.kind.unwrap_or_default()));
        let burst = said.burst.and_then(|burst| u32::try_from(burst).ok()).unwrap_or(1);
        Line { text: self.text(level, &message.to_string()), kind, burst }
    }

    /// Formats a warning of the log itself.
    pub(super) fn warning(self, message: &str) -> String {
        self.text(Level::WARN, message)
    }

    fn text(self, level: Level, message: &str) -> String {
        let (label, colour) = match level {
            Level::ERROR => ("error: ", "\x1b[31m"),
            Level::WARN => ("warning: ", "\x1b[33m"),
            Level::INFO => ("", ""),
            Level::DEBUG => ("debug: ", "\x1b[2m"),
            Level::TRACE => ("trace: ", "\x1b[2m"),
        };
        let (colour, plain) = if self.has_colours && !label.is_empty() { (colour, "\x1b[0m") } else { ("", "") };
        format!("{}: {colour}{label}{plain}{message}", self.program)
    }
}

/// The text of an event.
#[derive(Default)]
struct Said {
    message: String,
    kind: Option<String>,
    burst: Option<u64>,
}

impl Visit for Said {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "burst" => self.burst = Some(value),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "kind" => self.kind = Some(value.into()),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            // The place in a library that the event comes from does not help a user.
            name if name.starts_with("log.") => Ok(()),
            name => write!(self.message, " {name}={value:?}"),
        };
    }
}
