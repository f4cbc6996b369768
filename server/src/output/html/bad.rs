//! A bad frame, in words.

use super::text::{number, short};
use crate::output::worst::{Rings, Values};
use crate::score::record::FrameRecord;
use crate::task::TaskName;

/// One of the worst frames of a run.
#[derive(Clone, Debug)]
pub(super) struct Bad {
    pub(super) session: u64,
    pub(super) id: u64,
    pub(super) source_index: u64,
    /// What is wrong with its answer.
    pub(super) what: String,
    pub(super) rings: Rings,
}

impl Bad {
    pub(super) fn new(task: TaskName, session: u64, record: &FrameRecord, values: &Values) -> Self {
        let residual = values.residual.unwrap_or_default();
        let what = match (task.name(), values.error) {
            _ if values.is_missed => "missed: the answer was none".into(),
            _ if values.is_false => "false positive: there is no ball".into(),
            (_, Some([dx, dy])) => {
                format!("error {}\u{202f}px ({}, {})", short(residual), number(dx, 2), number(dy, 2))
            }
            ("count", _) => {
                let counted = residual.abs();
                format!("{counted} {}", if residual > 0.0 { "too many" } else { "too few" })
            }
            _ => format!("PSNR {}\u{202f}dB", short(residual)),
        };
        Self { session, id: record.id, source_index: record.source_index, what, rings: values.rings() }
    }
}
