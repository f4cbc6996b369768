//! The pictures of the worst frames, as files. So `server report` can put them into the page again, also after a crash.
//!
//! Only sources that cannot show a frame again have them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tracing::error;

use super::WORST;
use crate::output::html::Gathered;
use crate::output::regular;
use crate::output::worst::{Crop, Rank};

/// Largest file that is read: a PNG of 128x128 px in colour takes at most about 50 kB.
const MOST_BYTES: u64 = 1 << 20;

/// The files of a run.
#[derive(Debug)]
pub(super) struct CropFiles {
    folder: PathBuf,
    written: BTreeSet<String>,
    has_failed: bool,
}

impl CropFiles {
    /// Starts without files.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.join(WORST), written: BTreeSet::new(), has_failed: false }
    }

    /// Writes the pictures that are new, and removes those whose frames are no longer among the worst. A picture that
    /// cannot be written is tried again the next time. Returns whether all of them are written.
    pub(super) fn write(&mut self, gathered: &Gathered) -> bool {
        let crops: Vec<_> = gathered.crops().map(|(rank, crop)| (name(rank), crop)).collect();
        let names: BTreeSet<_> = crops.iter().map(|(name, _)| name.clone()).collect();
        for gone in self.written.difference(&names) {
            // A file that stays does no harm.
            let _ = fs::remove_file(self.folder.join(gone));
        }
        self.written.retain(|name| names.contains(name));
        let new = crops.into_iter().filter(|(name, _)| !self.written.contains(name)).collect::<Vec<_>>();
        let mut are_written = true;
        for (name, crop) in new {
            match put(&self.folder, &name, crop) {
                Ok(()) => drop(self.written.insert(name)),
                Err(wrong) => {
                    are_written = false;
                    self.failed(&name, &wrong);
                }
            }
        }
        are_written
    }

    /// Logs the first failure.
    fn failed(&mut self, name: &str, wrong: &io::Error) {
        if !std::mem::replace(&mut self.has_failed, true) {
            let place = self.folder.join(name);
            error!(
                "cannot write the picture of a frame to {}: {wrong}; the run goes on without it (logged once)",
                place.display()
            );
        }
    }
}

/// Fills in the pictures that a run wrote.
pub(super) fn find(folder: &Path, gathered: &mut Gathered) {
    let size = gathered.size();
    gathered.find_crops(|rank, rings| Crop::read(&bytes(&folder.join(WORST).join(name(rank))).ok()?, rings, size));
}

fn name(rank: &Rank) -> String {
    format!("{}-{}.png", rank.session, rank.id)
}

fn put(folder: &Path, name: &str, crop: &Crop) -> io::Result<()> {
    let png = crop.png().ok_or_else(|| io::Error::other("it cannot be encoded as PNG"))?;
    fs::create_dir_all(folder)?;
    let path = folder.join(name);
    let written = fs::write(&path, png);
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    regular::read(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use shared::geometry::Circle;
    use shared::image::{Image, PixelFormat};
    use shared::protocol::message::FoundCircle;

    use super::*;
    use crate::output::worst::Keeper;
    use crate::run::RunSpec;
    use crate::task::TaskName;
    use crate::truth::{Limit, Truth};

    /// Adds pictures of frames whose errors are these.
    fn keep(gathered: &mut Gathered, errors: &[f64]) {
        let task = TaskName::default();
        let mut keeper = Keeper::new(1, task, 0);
        let (ball, frame) =
            (Circle { x: 40.0, y: 30.0, radius: 9.0 }, Image::zeros(gathered.size(), PixelFormat::Gray8));
        for (id, error) in (0..).zip(errors) {
            let found = FoundCircle { circle: Circle { x: ball.x + error, ..ball }.into(), covariance: None };
            let answer = task.scorer().read(&FoundCircle::write(Some(found))).unwrap();
            let truth = Truth::Ball { circle: ball, limit: Limit::Unknown };
            keeper.answered(id, truth, &answer, &frame).into_iter().for_each(|kept| gathered.keep(kept));
        }
    }

    fn gathered() -> Gathered {
        let mut spec = crate::options::defaults::<RunSpec>();
        spec.sent.source = "camera:0".into();
        Gathered::new(spec, TaskName::default())
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder.join(WORST)).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_files_are_those_of_the_worst_frames_so_far() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = CropFiles::new(folder.path());
        let (mut gathered, mut later) = (gathered(), gathered());
        assert!(files.write(&gathered) && !folder.path().join(WORST).exists(), "no folder without a picture");
        keep(&mut gathered, &[1.0; 12]);
        assert!(files.write(&gathered));
        assert_eq!(names(folder.path()).len(), 12);
        keep(&mut later, &[&[1.0; 12][..], &[5.0; 12]].concat());
        assert!(files.write(&later));
        let expected: Vec<_> = (12..24).map(|id| format!("1-{id}.png")).collect();
        assert_eq!(names(folder.path()), expected);
    }

    #[test]
    fn a_picture_that_cannot_be_written_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = CropFiles::new(folder.path());
        let mut gathered = gathered();
        keep(&mut gathered, &[1.0, 2.0]);
        // A file in place of the folder simulates a disk that cannot be written to.
        fs::write(folder.path().join(WORST), "").unwrap();
        assert!(!files.write(&gathered) && !files.write(&gathered));
        fs::remove_file(folder.path().join(WORST)).unwrap();
        assert!(files.write(&gathered));
        assert_eq!(names(folder.path()), ["1-0.png", "1-1.png"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_place_of_a_picture_is_no_picture() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("1-0.png");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(bytes(&pipe).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
