//! Logging: one line an event on stderr, so that stdout holds rows alone.

use std::io::IsTerminal;

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging: warnings with `quiet`, else what people should know, and more with each `verbose`.
///
/// Libraries are heard from the second `-v` on: their warnings are about packets, not about what to do.
pub fn start(program: &'static str, verbose: u8, quiet: bool) {
    let (ours, theirs) = match (quiet, verbose) {
        (true, _) => (LevelFilter::WARN, LevelFilter::OFF),
        (false, 0) => (LevelFilter::INFO, LevelFilter::OFF),
        (false, 1) => (LevelFilter::DEBUG, LevelFilter::OFF),
        (false, 2) => (LevelFilter::TRACE, LevelFilter::WARN),
        (false, _) => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    // The server's embedded client says nothing of its own unless asked: the server's lines tell the same.
    let embedded = if verbose > 0 { ours } else { LevelFilter::WARN };
    let targets = ["shared", "client", "server"]
        .map(|target| (target, if target == program || target == "shared" { ours } else { embedded }));
    let filter = Targets::new().with_default(theirs).with_targets(targets);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // stderr may be gone; a line lost is better than a panic or an endless complaint about it.
        .log_internal_errors(false)
        .event_format(Line { program });
    // A second start, as in tests, keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}

/// `server: the message`, with the level where it is not plain information.
struct Line {
    program: &'static str,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &tracing_subscriber::fmt::FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> std::fmt::Result {
        let (label, colour) = match *event.metadata().level() {
            Level::ERROR => ("error: ", "\x1b[31m"),
            Level::WARN => ("warning: ", "\x1b[33m"),
            Level::INFO => ("", ""),
            Level::DEBUG => ("debug: ", "\x1b[2m"),
            Level::TRACE => ("trace: ", "\x1b[2m"),
        };
        let (colour, plain) = if writer.has_ansi_escapes() { (colour, "\x1b[0m") } else { ("", "") };
        write!(writer, "{}: {colour}{label}{plain}", self.program)?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
