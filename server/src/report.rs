//! `server report`: completes the folder of a run, and says what it found.

use std::io::{self, Write};
use std::path::Path;

use shared::shell::exit::Exit;
use shared::shell::standard::unless_reader_left;
use tracing::{error, warn};

use crate::output::folder::renew::{RenewError, Renewed, renew};
use crate::output::mcap::Repaired;
use crate::output::report::IncompleteReason;
use crate::{sweep, tune};

/// Renews the folder of a run, or makes the page of a sweep's or a search's.
pub fn run(folder: &Path) -> Exit {
    if tune::is_folder(folder) {
        return tune::report(folder);
    }
    if sweep::is_folder(folder) {
        return sweep::report(folder);
    }
    Exit::unless_failed(renew(folder).map(|renewed| said(&renewed)), RenewError::is_usage)
}

/// Says what a folder had, and what is in it now.
fn said(renewed: &Renewed) -> Exit {
    if renewed.torn_bytes > 0 {
        warn!("the last row of frames.csv was torn: its {} bytes are cut off", renewed.torn_bytes);
    }
    if !renewed.had_report {
        warn!("there is no readable report: figures that do not follow from the frames are unknown");
    }
    match &renewed.recording {
        Ok(None) => {}
        Ok(Some(Repaired { messages, cut_bytes })) => warn!(
            "run.mcap broke off: its {messages} messages are kept, and the {cut_bytes} bytes after the last whole chunk are \
             cut off"
        ),
        Err(wrong) => error!("run.mcap cannot be completed: {wrong}. It is left as it is, and all else is complete"),
    }
    match unless_reader_left(writeln!(io::stdout(), "{}", describe(renewed))) {
        Ok(()) if renewed.recording.is_err() => Exit::Other,
        Ok(()) => Exit::Fine,
        Err(wrong) => {
            error!("cannot write to stdout: {wrong}");
            Exit::Other
        }
    }
}

fn describe(Renewed { frames, broken_off, incomplete, .. }: &Renewed) -> String {
    let what = match incomplete {
        None => "complete".into(),
        Some(incomplete) => {
            let reason = match incomplete.reason {
                IncompleteReason::NotWritten => "incomplete".into(),
                _ => format!("broken off in {broken_off} sessions"),
            };
            match incomplete.not_written {
                0 => reason,
                missing => format!("{reason}, {missing} more frames were not written"),
            }
        }
    };
    format!("{frames} frames, {what}: wrote report.json, report.html and frames.parquet")
}
