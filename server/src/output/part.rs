//! Files that get their names only when they are complete.

#[cfg(unix)]
use std::fs::Permissions;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::identity::folder_of;
use super::json::replace::Replaced;
use super::parts::{PART, start};
use super::place::is_descriptor;

/// A temporary file in the folder of its final name. It is deleted unless it is renamed.
pub(crate) fn part(folder: &Path, name: &str) -> io::Result<NamedTempFile> {
    let start = start(name);
    let mut builder = Builder::new();
    builder.prefix(&start).suffix(PART);
    permit(&mut builder);
    builder.tempfile_in(folder)
}

/// Writes a whole file of this name in one step.
pub(crate) fn put(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    named(written(folder, name, text)?, folder, name)
}

/// Writes several files of a folder: all are on the disk before the first gets its name. Those without a text are removed.
///
/// # Errors
/// The name of the file that failed. If one cannot be written, all old ones are still there.
pub(crate) fn put_all<'a>(folder: &Path, files: &[(&'a str, Option<String>)]) -> Result<(), (&'a str, io::Error)> {
    let texts = files.iter().filter_map(|(name, text)| Some((*name, text.as_deref()?)));
    let write = |(name, text)| written(folder, name, text).map(|part| (name, part)).map_err(|error| (name, error));
    let parts = texts.map(write).collect::<Result<Vec<_>, _>>()?;
    parts.into_iter().try_for_each(|(name, part)| named(part, folder, name).map_err(|error| (name, error)))?;
    for (name, _) in files.iter().filter(|(_, text)| text.is_none()) {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err((name, error)),
            _ => {}
        }
    }
    Ok(())
}

/// Writes a file with a name that somebody chose. A regular file is replaced in one step, as by [`Replaced`]. What is not
/// one, such as a pipe, takes the text as it comes, and so does a file that stdout or stderr goes to.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "this is the name of a folder: name a file"));
    }
    match path.metadata() {
        // Append: a file that is open here has what others wrote to it.
        Ok(found) if !found.is_file() || is_descriptor(path) || is_standard(&found) => {
            OpenOptions::new().append(true).open(path)?.write_all(text.as_bytes())
        }
        Ok(_) => Replaced::new(path)?.write(text.as_bytes()),
        Err(_) if path.is_symlink() => fs::write(path, text),
        Err(_) => match path.file_name().and_then(|name| name.to_str()) {
            Some(name) => put(&folder_of(path), name, text),
            None => fs::write(path, text),
        },
    }
}

/// Whether this is the file that stdout or stderr goes to.
#[cfg(unix)]
fn is_standard(found: &Metadata) -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;

    let (stdout, stderr) = (io::stdout(), io::stderr());
    [stdout.as_fd(), stderr.as_fd()].into_iter().any(|stream| {
        let own = stream.try_clone_to_owned().and_then(|stream| File::from(stream).metadata());
        own.is_ok_and(|own| (own.dev(), own.ino()) == (found.dev(), found.ino()))
    })
}

#[cfg(not(unix))]
fn is_standard(_: &Metadata) -> bool {
    false
}

/// A temporary file with this text, which is on the disk.
fn written(folder: &Path, name: &str, text: &str) -> io::Result<NamedTempFile> {
    let mut part = part(folder, name)?;
    part.write_all(text.as_bytes())?;
    part.as_file().sync_all()?;
    Ok(part)
}

fn named(part: NamedTempFile, folder: &Path, name: &str) -> io::Result<()> {
    part.persist(folder.join(name)).map(drop).map_err(|failed| failed.error)
}

/// Only its owner can read a temporary file, so this one gets the usual permissions of a new file.
#[cfg(unix)]
fn permit(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;

    builder.permissions(Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn permit(_: &mut Builder<'_, '_>) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn files_of_a_folder_are_replaced_together_and_one_without_a_text_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let text = |text: &str| Some(text.to_owned());
        put_all(folder.path(), &[("a", text("1")), ("b", text("1")), ("c", text("1"))]).unwrap();
        put_all(folder.path(), &[("a", text("2")), ("b", None), ("c", text("2")), ("d", None)]).unwrap();
        assert_eq!(names(folder.path()), ["a", "c"]);
        assert_eq!(fs::read_to_string(folder.path().join("c")).unwrap(), "2");
    }

    #[test]
    fn if_one_cannot_be_written_all_old_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let text = |text: &str| Some(text.to_owned());
        put_all(folder.path(), &[("a", text("1")), ("b", text("1"))]).unwrap();
        // There is no folder for the last one.
        let (name, _) = put_all(folder.path(), &[("a", text("2")), ("b", None), ("no/c", text("2"))]).unwrap_err();
        assert_eq!((name, names(folder.path())), ("no/c", vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "1");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_somebody_named_is_replaced_and_a_link_or_a_device_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.json"), folder.path().join("link"));
        std::os::unix::fs::symlink("a.json", &link).unwrap();
        // The link leads nowhere at first.
        for (name, text) in [(&link, "1"), (&path, "22"), (&link, "3")] {
            write(name, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let long = folder.path().join("n".repeat(255));
        write(&long, "long").unwrap();
        write(&long, "longer").unwrap();
        assert_eq!(fs::read_to_string(&long).unwrap(), "longer");
        fs::remove_file(&long).unwrap();
        let wrong = write(&folder.path().join("none/"), "4").unwrap_err();
        assert_eq!(wrong.to_string(), "this is the name of a folder: name a file");
        write(Path::new("/dev/null"), "4").unwrap();
        assert!(!Path::new("/dev/null").is_file());
        assert!(write(folder.path(), "5").is_err());
        assert_eq!(names(folder.path()), ["a.json", "link"]);
    }
}
