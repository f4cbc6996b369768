//! Collects the data for the page, frame by frame.

use shared::geometry::Size;

use super::bad::Bad;
use super::session::SessionFrames;
use crate::output::worst::{Crop, KeptCrop, Rank, Ranking, Reader, Rings};
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
    pub(super) worst: Ranking<Bad>,
    /// Pictures of the worst frames that were answered so far.
    crops: Ranking<Crop>,
    pub(super) frames: u64,
}

impl Gathered {
    /// Starts empty, for frames of this size.
    pub(in crate::output) fn new(spec: RunSpec, task: TaskName) -> Self {
        let (reader, sessions) = (Reader::of(task), Vec::new());
        Self { spec, task, reader, sessions, worst: Ranking::default(), crops: Ranking::default(), frames: 0 }
    }

    /// Size of the frames.
    pub(in crate::output) fn size(&self) -> Size {
        self.spec.size()
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
        let task = self.task;
        if let Some(rank) = Rank::of(task, session, record.id, &values) {
            self.worst.add(rank, || Bad::new(task, session, record, &values));
        }
    }

    /// Keeps the picture of a frame if it is among the worst so far. The frame itself may come later.
    pub(in crate::output) fn keep(&mut self, kept: KeptCrop) {
        self.crops.add(kept.rank, || kept.crop);
    }

    /// The pictures that are kept, with the frames that they show.
    pub(in crate::output) fn crops(&self) -> impl Iterator<Item = (&Rank, &Crop)> {
        self.crops.kept()
    }

    /// The picture of this frame, if it is kept.
    pub(super) fn crop(&self, bad: &Bad) -> Option<&Crop> {
        self.crops.of_frame(bad.session, bad.id)
    }

    /// Looks for the pictures of the worst frames elsewhere: `find` gets a frame's session, its id, and where truth and
    /// estimate are.
    pub(in crate::output) fn find_crops(&mut self, find: impl Fn(&Rank, &Rings) -> Option<Crop>) {
        for (rank, bad) in self.worst.kept() {
            if let Some(crop) = find(rank, &bad.rings) {
                self.crops.add(*rank, || crop);
            }
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
