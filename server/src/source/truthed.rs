//! Adds the truth of a file to the frames of a source that knows none.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use shared::image::Image;
use shared::text::{Brief, Escaped};
use tokio::sync::Notify;

use super::error::SourceError;
use super::figures::SourceFigures;
use super::seam::{Source, SourceFrame, StreamFormat, Supply};
use super::truth_file::TruthFile;
use crate::run::RunSpec;
use crate::task::TaskName;
use crate::truth::Truth;

/// How much of a name to show: enough to recognise it.
const SHOWN_CHARACTERS: usize = 60;

/// The supply with the truth of the run's `--truth`, if it has one.
///
/// # Errors
/// [`SourceError`] if the source knows its truth, if the file is wrong, or if the file is for a different task than the
/// run's.
pub(super) fn with_truth(supply: Box<dyn Supply>, run: &RunSpec) -> Result<Box<dyn Supply>, SourceError> {
    let Some(path) = &run.sent.truth else { return Ok(supply) };
    if supply.knows_truth() {
        let path = Brief(path, SHOWN_CHARACTERS).to_string();
        return Err(SourceError::KnowsTruth { path, source_name: run.sent.source.clone() });
    }
    let file = TruthFile::read(Path::new(path))?;
    let right = file.kind.task();
    match run.sent.task {
        Some(task) if scores_truth(task) && task != right => {
            let header = if right == TaskName::count() { "frame,count" } else { "frame,x,y,radius" };
            Err(SourceError::OtherTruth { task, path: path.clone(), header, right })
        }
        _ => {
            let came = file.frames().map(|_| AtomicBool::new(false)).collect();
            let told = Arc::new(TrackedTruth { path: Escaped(path).to_string(), file, came });
            Ok(Box::new(TruthedSupply { supply, told }))
        }
    }
}

/// Whether a task compares answers with the truth. Others only count and time.
fn scores_truth(task: TaskName) -> bool {
    task == TaskName::default() || task == TaskName::count()
}

/// The truth of a file, and which of its rows were asked for.
#[derive(Debug)]
struct TrackedTruth {
    path: String,
    file: TruthFile,
    /// Whether the frame of each row came, in any session.
    came: Vec<AtomicBool>,
}

impl TrackedTruth {
    fn of(&self, frame: u64) -> Truth {
        let Some((place, truth)) = self.file.find(frame) else { return Truth::Unknown };
        self.came[place].store(true, Ordering::Relaxed);
        truth
    }

    /// Names the rows whose frames never came.
    fn remark(&self) -> Option<String> {
        let rows = self.file.frames().zip(&self.came);
        let mut unused = rows.filter(|(_, came)| !came.load(Ordering::Relaxed)).map(|(frame, _)| frame);
        let first = unused.next()?;
        let frames = match unused.count() {
            0 => "1 row is for a frame that never came".to_owned(),
            more => format!("{} rows are for frames that never came", more + 1),
        };
        Some(format!("{}: {frames}, the first for frame {first}; frames count from 0", self.path))
    }
}

#[derive(Debug)]
struct TruthedSupply {
    supply: Box<dyn Supply>,
    told: Arc<TrackedTruth>,
}

impl Supply for TruthedSupply {
    fn format(&self) -> StreamFormat {
        self.supply.format()
    }

    fn default_task(&self) -> TaskName {
        self.told.file.kind.task()
    }

    fn rate_hz(&self) -> Option<f64> {
        self.supply.rate_hz()
    }

    fn sets_the_pace(&self) -> bool {
        self.supply.sets_the_pace()
    }

    fn knows_truth(&self) -> bool {
        true
    }

    fn unused_options(&self) -> Vec<String> {
        self.supply.unused_options()
    }

    fn remark(&self) -> Option<String> {
        self.told.remark()
    }

    fn open(&self) -> Result<Box<dyn Source>, SourceError> {
        Ok(Box::new(TruthedSource { source: self.supply.open()?, told: self.told.clone() }))
    }
}

struct TruthedSource {
    source: Box<dyn Source>,
    told: Arc<TrackedTruth>,
}

impl Source for TruthedSource {
    fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError> {
        let frame = self.source.next()?;
        Ok(frame.map(|frame| SourceFrame { truth: self.told.of(frame.index), ..frame }))
    }

    fn image(&self) -> Option<&Image> {
        self.source.image()
    }

    fn is_ready(&mut self) -> bool {
        self.source.is_ready()
    }

    fn wake(&self) -> Option<Arc<Notify>> {
        self.source.wake()
    }

    fn taken(&self) -> Option<Instant> {
        self.source.taken()
    }

    fn figures(&self) -> Option<SourceFigures> {
        self.source.figures()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use image::GrayImage;
    use tempfile::TempDir;

    use super::*;
    use crate::source::supply;

    /// A folder of this many images and a file of truth.
    fn folder(images: usize, truth: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for image in 0..images {
            GrayImage::new(4, 3).save(folder.path().join(format!("{image}.png"))).unwrap();
        }
        fs::write(folder.path().join("t.csv"), truth).unwrap();
        folder
    }

    fn run(folder: &TempDir, task: Option<&str>) -> RunSpec {
        let mut run = RunSpec::default();
        run.sent.source = folder.path().display().to_string();
        run.sent.truth = Some(folder.path().join("t.csv").display().to_string());
        run.sent.task = task.map(|task| task.parse().unwrap());
        run
    }

    #[test]
    fn frames_have_the_truth_of_their_rows_and_others_none() {
        let folder = folder(3, "frame,x,y,radius\n2,1,2,\n0,3,4,5\n");
        let supply = supply(&run(&folder, None)).unwrap();
        assert_eq!((supply.default_task(), supply.knows_truth()), (TaskName::default(), true));
        let mut source = supply.open().unwrap();
        let truths: [Truth; 3] = std::array::from_fn(|_| source.next().unwrap().unwrap().truth);
        assert!(matches!(truths, [Truth::Ball { .. }, Truth::Unknown, Truth::Centre { x: 1.0, y: 2.0 }]), "{truths:?}");
        assert_eq!(supply.remark(), None, "every row was asked for");
    }

    #[test]
    fn rows_of_frames_that_never_came_are_named() {
        let folder = folder(2, "frame,count\n0,1\n5,2\n3,2\n");
        let supply = supply(&run(&folder, None)).unwrap();
        let mut source = supply.open().unwrap();
        while source.next().unwrap().is_some() {}
        let remark = supply.remark().unwrap();
        assert!(
            remark
                .ends_with("t.csv: 2 rows are for frames that never came, the first for frame 3; frames count from 0"),
            "{remark}"
        );
    }

    #[test]
    fn truth_that_the_task_does_not_score_or_the_source_knows_is_refused() {
        let folder = folder(1, "frame,count\n0,1\n");
        let refused = |run: &RunSpec| supply(run).unwrap_err().to_string();
        let said = refused(&run(&folder, Some("circle")));
        assert!(said.contains("--task circle") && said.ends_with("use --task count, or leave it out"), "{said}");
        assert!(supply(&run(&folder, Some("ack"))).is_ok());
        let mut ball = run(&folder, None);
        ball.sent.source = "ball".into();
        assert!(refused(&ball).contains("t.csv\" does not apply to --source ball"));
    }
}
