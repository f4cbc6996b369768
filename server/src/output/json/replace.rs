//! A file whose content is replaced atomically: a reader finds the old content or the new, never a part.
//!
//! The new content is written to a temporary file in the same folder, which is then renamed (rename(2)). It is on the
//! disk before the rename, so one of the two survives a power cut. Owner and mode are kept. A symbolic link is followed
//! once, when the file is opened, and stays. Access lists and extended attributes are those the folder gives new files.
//!
//! Some files cannot be replaced like this: the folder takes no new file, the file is itself a mount (a file mounted
//! into a container) or has other names, or its owner cannot be kept. They are rewritten in place: a full disk leaves
//! the old content, but a reader may see a part. This is reported once.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::Builder;
use tracing::warn;

use crate::output::parts::{PART, Parts, start};
use crate::output::report::MAX_REPORT_BYTES;

/// A file that is replaced.
#[derive(Debug)]
pub(in crate::output) struct Replaced {
    /// The real path, with all links followed.
    path: PathBuf,
    /// Its last known metadata, in case somebody deletes it.
    kept: Metadata,
    /// Whether it was reported that the file is rewritten in place.
    said: bool,
}

/// Why a file was not replaced.
enum Failure {
    /// The file cannot be replaced, but may be rewritten in place.
    NotReplaceable(io::Error),
    /// Replacing was tried and failed: the old content is still there.
    Failed(io::Error),
}

impl Replaced {
    /// The existing file with this name.
    ///
    /// # Errors
    /// If its path or metadata cannot be read.
    pub(in crate::output) fn new(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        Ok(Self { kept: path.metadata()?, path, said: false })
    }

    /// Replaces the content.
    ///
    /// # Errors
    /// If that fails; the old content is then still there.
    pub(in crate::output) fn write(&mut self, content: &[u8]) -> io::Result<()> {
        match self.replace(content) {
            Ok(()) => Ok(()),
            Err(Failure::Failed(error)) => Err(error),
            Err(Failure::NotReplaceable(reason)) => {
                if !std::mem::replace(&mut self.said, true) {
                    let path = self.path.display();
                    warn!(
                        "{path} cannot be replaced in one step ({reason}): it is rewritten in place, so a reader may \
                         see a part of it"
                    );
                }
                rewrite(&self.path, content)
            }
        }
    }

    fn replace(&mut self, content: &[u8]) -> Result<(), Failure> {
        match self.path.metadata() {
            Ok(now) if now.is_dir() => {
                let wrong = "it was a file and is a folder now: remove the folder";
                return Err(Failure::Failed(io::Error::new(ErrorKind::IsADirectory, wrong)));
            }
            Ok(now) => self.kept = now,
            Err(_) => {}
        }
        if has_other_names(&self.kept) {
            return Err(Failure::NotReplaceable(io::Error::other("it has other names: hard links")));
        }
        let mut new = self.temporary_file().map_err(or_in_place)?;
        new.write_all(content).map_err(Failure::Failed)?;
        keep_owner_and_mode(new.as_file(), &self.kept).map_err(or_in_place)?;
        new.as_file().sync_all().map_err(Failure::Failed)?;
        new.persist(&self.path).map_err(|failed| or_in_place(failed.error))?;
        Ok(())
    }

    /// Creates a temporary file in the same folder, deleted unless it is renamed.
    fn temporary_file(&self) -> io::Result<tempfile::NamedTempFile> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        Builder::new().prefix(&start(&name)).suffix(PART).tempfile_in(folder)
    }

    /// The temporary file, if it is left.
    pub(in crate::output) fn parts(&self) -> Parts {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        Parts::of(folder, &[&self.path.file_name().unwrap_or_default().to_string_lossy()])
    }
}

/// Recognises failures that affect only replacing, so that writing in place may work. A full disk is not one of them:
/// writing in place would have no more room.
fn or_in_place(error: io::Error) -> Failure {
    match error.kind() {
        // The folder is not writable, other users' files in it cannot be replaced (/tmp), or the owner cannot be kept;
        // a read-only file system; a mount; an overlay file system.
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::ResourceBusy
        | ErrorKind::CrossesDevices => Failure::NotReplaceable(error),
        _ => Failure::Failed(error),
    }
}

#[cfg(unix)]
fn has_other_names(file: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) > 1
}

#[cfg(not(unix))]
fn has_other_names(_: &Metadata) -> bool {
    false
}

fn keep_owner_and_mode(new: &File, kept: &Metadata) -> io::Result<()> {
    keep_owner(new, kept)?;
    // After the owner, because changing the owner clears some bits of the mode.
    new.set_permissions(kept.permissions())
}

#[cfg(unix)]
fn keep_owner(new: &File, kept: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let made = new.metadata()?;
    if (made.uid(), made.gid()) == (kept.uid(), kept.gid()) {
        return Ok(());
    }
    fchown(new, Some(kept.uid()), Some(kept.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Most spaces that pad a text: as many as the longest report has bytes. A file that was longer is cut first, because it
/// may be a sparse file of any length.
const MOST_PADDING: u64 = MAX_REPORT_BYTES;

/// Rewrites a file in place. The part that needs new room is written first: if there is none, the old content stays. A
/// shorter text is padded with spaces, which JSON allows, until the rest is cut off.
fn rewrite(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    let mut old = file.metadata()?.len();
    if old.saturating_sub(content.len() as u64) > MOST_PADDING {
        old = content.len() as u64;
        file.set_len(old)?;
    }
    let overlap = content.len().min(usize::try_from(old).unwrap_or(usize::MAX));
    file.seek(SeekFrom::Start(old))?;
    if let Err(error) = file.write_all(&content[overlap..]) {
        // The write's failure is the one to report.
        let _ = file.set_len(old);
        return Err(error);
    }
    file.rewind()?;
    file.write_all(&content[..overlap])?;
    io::copy(&mut io::repeat(b' ').take(old.saturating_sub(content.len() as u64)), &mut file)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use tempfile::TempDir;

    use super::*;

    fn file(content: &str) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, content).unwrap();
        (folder, path)
    }

    fn names(folder: &Path) -> Vec<String> {
        let names =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.collect()
    }

    #[test]
    fn the_content_is_replaced_and_nothing_is_left_beside_it() {
        let (folder, path) = file("a longer one");
        let mut replaced = Replaced::new(&path).unwrap();
        for content in ["one", "and another", ""] {
            replaced.write(content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[test]
    fn a_reader_finds_the_old_content_or_the_new_one_and_no_part() {
        let contents = ["1".repeat(300_000), "2".repeat(7)];
        let (_folder, path) = file(&contents[1]);
        let mut replaced = Replaced::new(&path).unwrap();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                (0..400).for_each(|turn| replaced.write(contents[turn % 2].as_bytes()).unwrap());
                is_over.store(true, Ordering::Relaxed);
            });
            while !is_over.load(Ordering::Relaxed) {
                let read = fs::read_to_string(&path).unwrap();
                assert!(contents.contains(&read), "{} bytes", read.len());
            }
        });
    }

    #[test]
    fn owner_and_mode_stay() {
        let (_folder, path) = file("old");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        // Only root may give a file away.
        let owner =
            std::os::unix::fs::chown(&path, Some(12_345), Some(23_456)).map_or(None, |()| Some((12_345, 23_456)));
        Replaced::new(&path).unwrap().write(b"new").unwrap();
        let now = path.metadata().unwrap();
        assert_eq!(now.mode() & 0o7777, 0o640);
        assert!(owner.is_none_or(|owner| owner == (now.uid(), now.gid())), "{now:?}");
    }

    #[test]
    fn a_symbolic_link_stays_and_its_target_is_replaced() {
        let (folder, path) = file("old");
        let link = folder.path().join("link");
        symlink("report.json", &link).unwrap();
        Replaced::new(&link).unwrap().write(b"new").unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("report.json"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_file_that_was_deleted_is_there_again() {
        let (_folder, path) = file("old");
        fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        let mut replaced = Replaced::new(&path).unwrap();
        fs::remove_file(&path).unwrap();
        replaced.write(b"new").unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o604);
    }

    #[test]
    fn a_file_that_became_a_folder_is_called_that() {
        let (_folder, path) = file("old");
        let mut replaced = Replaced::new(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let wrong = replaced.write(b"new").unwrap_err().to_string();
        assert_eq!(wrong, "it was a file and is a folder now: remove the folder");
        fs::remove_dir(&path).unwrap();
        replaced.write(b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_file_of_several_names_is_rewritten_under_all_of_them() {
        let (folder, path) = file("a longer one");
        let other = folder.path().join("other");
        fs::hard_link(&path, &other).unwrap();
        let mut replaced = Replaced::new(&path).unwrap();
        for content in ["short", "longer than before", "end"] {
            replaced.write(content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&other).unwrap(), content);
        }
    }

    #[test]
    fn a_sparse_file_of_several_names_is_not_filled_with_spaces() {
        let (folder, path) = file("old");
        fs::hard_link(&path, folder.path().join("other")).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(8 << 40).unwrap();
        Replaced::new(&path).unwrap().write(b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(path.metadata().unwrap().blocks() < 1_000);
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_content() {
        let (folder, path) = file("old");
        let mut replaced = Replaced::new(&path).unwrap();
        let moved = folder.path().with_extension("moved");
        fs::rename(folder.path(), &moved).unwrap();
        assert!(replaced.write(b"new").is_err());
        fs::rename(&moved, folder.path()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        replaced.write(b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }
}
