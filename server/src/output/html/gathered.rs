//! Collects the data for the page, frame by frame.

use super::session::{Reader, SessionFrames, Values};
use super::text::{number, short};
use super::worst::{Bad, Worst};
use crate::run::RunSpec;
use crate::score::record::FrameRecord;
use crate::task::TaskName;

/// Sessions that have charts: the first ones that sent a frame. More would not fit into a page of 1 MB.
pub(super) const CHARTED: usize = 6;

/// The data that the page shows of a run's frames. Its memory does not grow with their number.
#[derive(Debug)]
pub(in crate::output) struct Gathered {
    pub(super) spec: RunSpec,
    pub(super) task: TaskName,
    reader: Reader,
    pub(super) sessions: Vec<SessionFrames>,
    pub(super) worst: Worst,
    pub(super) frames: u64,
}

impl Gathered {
    /// Starts empty, for frames of this size.
    pub(in crate::output) fn new(spec: RunSpec, task: TaskName) -> Self {
        Self { spec, task, reader: Reader::of(task), sessions: Vec::new(), worst: Worst::default(), frames: 0 }
    }

    /// Adds a frame. Frames of the warm-up are ignored.
    pub(in crate::output) fn add(&mut self, session: u64, record: &FrameRecord) {
        if record.warmup {
            return;
        }
        self.frames += 1;
        let values = self.reader.read(record);
        if let Some(frames) = self.session(session) {
            frames.add(record, &values);
        }
        let (badness, task) = (badness(self.task, &values), self.task);
        if let Some(badness) = badness {
            self.worst.add(badness, || bad(task, session, record, &values, badness));
        }
    }

    fn session(&mut self, number: u64) -> Option<&mut SessionFrames> {
        // The frame most likely belongs to the latest session.
        let place = self.sessions.iter().rposition(|frames| frames.number == number);
        if place.is_none() && self.sessions.len() < CHARTED {
            let size = self.spec.size();
            self.sessions.push(SessionFrames::new(number, [size.width.into(), size.height.into()]));
            return self.sessions.last_mut();
        }
        place.map(|place| &mut self.sessions[place])
    }
}

/// How bad a frame is; larger is worse. `None` if it is not known. A small PSNR is bad.
fn badness(task: TaskName, values: &Values) -> Option<f64> {
    if values.is_missed || values.is_false {
        return Some(f64::INFINITY);
    }
    let residual = values.residual?;
    Some(if task.name() == "image" { 1e3 - residual } else { residual.abs() })
}

fn bad(task: TaskName, session: u64, record: &FrameRecord, values: &Values, badness: f64) -> Bad {
    let residual = values.residual.unwrap_or_default();
    let what = match (task.name(), values.error) {
        _ if values.is_missed => "missed: the answer was none".into(),
        _ if values.is_false => "false positive: there is no ball".into(),
        (_, Some([dx, dy])) => format!("error {}\u{202f}px ({}, {})", short(residual), number(dx, 2), number(dy, 2)),
        ("count", _) => {
            let counted = residual.abs();
            format!("{counted} {}", if residual > 0.0 { "too many" } else { "too few" })
        }
        _ => format!("PSNR {}\u{202f}dB", short(residual)),
    };
    Bad {
        session,
        id: record.id,
        source_index: record.source_index,
        badness,
        what,
        truth: values.truth.map(|at| (at, values.radius)),
        estimate: values.estimate.map(|at| (at, values.estimated_radius)),
    }
}
