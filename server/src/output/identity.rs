//! Which file a path leads to, so that no file is written that something else needs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::folder::FILES;

/// Links that are followed from a name: as many as Linux follows (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// An output that a command was asked for, and the option that names it.
pub(crate) type Named<'a> = (&'a str, &'a Path);

/// Checks that no output would overwrite an input, or a file of an input that is a run's folder.
///
/// # Errors
/// What would be overwritten, and what would be right.
pub(crate) fn spare_inputs(outputs: &[Named<'_>], inputs: &[Named<'_>]) -> Result<(), String> {
    for (option, output) in outputs {
        let is_in = |input: &Path| files_of(input).iter().any(|file| file.exists() && is_one_file(file, output));
        if let Some((input, _)) = inputs.iter().find(|(_, input)| is_in(input)) {
            let output = shared::text::Escaped(output.display());
            return Err(format!("{option}: {output} is also read ({input}): name another file for the result"));
        }
    }
    Ok(())
}

/// The files of an input: itself, or those of a run's folder.
fn files_of(input: &Path) -> Vec<PathBuf> {
    match input.is_dir() {
        true => FILES.map(|name| input.join(name)).into(),
        false => vec![input.to_owned()],
    }
}

/// Checks that no two outputs are one file, which would keep only the last of them. Devices, pipes and stdout (`-`) take
/// both.
///
/// # Errors
/// Which two, and what would be right.
pub(crate) fn refuse_one_for_two(outputs: &[Named<'_>]) -> Result<(), String> {
    for (place, (option, output)) in outputs.iter().enumerate() {
        let is_same = |other: &Path| other != Path::new("-") && is_one_file(other, output);
        if let Some((earlier, _)) = outputs[..place].iter().find(|(_, other)| is_same(other)) {
            let output = shared::text::Escaped(output.display());
            return Err(format!("{earlier} and {option} are both {output}: name a file for each"));
        }
    }
    Ok(())
}

/// Whether two paths lead to one file, by whatever names. A device or a pipe is none.
pub(crate) fn is_one_file(one: &Path, other: &Path) -> bool {
    Identity::of(one).is_some_and(|one| Identity::of(other) == Some(one))
}

/// Which file a path leads to.
#[derive(Debug, PartialEq, Eq)]
enum Identity {
    /// One that exists: its device and its number there.
    #[cfg(unix)]
    Existing(u64, u64),
    /// One that exists.
    #[cfg(not(unix))]
    Existing(PathBuf),
    /// One that will be made: its folder and its name.
    New(PathBuf, Option<OsString>),
}

impl Identity {
    /// `None` for a device, a pipe or anything else that is not a file.
    fn of(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(found) => found.is_file().then(|| Self::existing(path, &found)),
            Err(_) => Some(Self::new(path)),
        }
    }

    #[cfg(unix)]
    fn existing(_: &Path, found: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self::Existing(found.dev(), found.ino())
    }

    #[cfg(not(unix))]
    fn existing(path: &Path, _: &fs::Metadata) -> Self {
        Self::Existing(path.canonicalize().unwrap_or_else(|_| path.into()))
    }

    fn new(path: &Path) -> Self {
        let mut path = path.to_owned();
        // Opening a link to nothing makes the file that it names.
        for _ in 0..MOST_LINKS {
            let Ok(target) = fs::read_link(&path) else { break };
            path = folder_of(&path).join(target);
        }
        let folder = folder_of(&path);
        // A folder that will be made has no canonical path yet.
        let known = folder.canonicalize().or_else(|_| std::path::absolute(&folder)).unwrap_or(folder);
        Self::New(known, path.file_name().map(OsString::from))
    }
}

/// The folder of a file.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    // A name alone has the empty path as its parent.
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")).to_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn one_file_is_known_by_each_of_its_names() {
        let room = tempfile::tempdir().unwrap();
        let at = |name: &str| room.path().join(name);
        fs::create_dir(at("d")).unwrap();
        for name in ["old", "other"] {
            fs::write(at(name), "kept").unwrap();
        }
        fs::hard_link(at("old"), at("hard")).unwrap();
        symlink("old", at("soft")).unwrap();
        symlink("d/../new", at("to_new")).unwrap();
        symlink("to_new", at("to_it")).unwrap();
        symlink("loop", at("loop")).unwrap();
        let here = room.path().file_name().unwrap().to_str().unwrap();
        for (one, other) in [
            ("old", "hard"),
            ("hard", "soft"),
            ("d/../old", "old"),
            ("new", "d/../new"),
            ("new", &*format!("../{here}/new")),
            ("to_new", "new"),
            ("to_it", "new"),
            ("absent/new", "absent/new"),
            ("loop", "loop"),
        ] {
            assert!(is_one_file(&at(one), &at(other)) && is_one_file(&at(other), &at(one)), "{one} {other}");
        }
        for (one, other) in [("old", "other"), ("old", "new"), ("new", "newer"), ("new", "d/new"), ("soft", "to_new")] {
            assert!(!is_one_file(&at(one), &at(other)) && !is_one_file(&at(other), &at(one)), "{one} {other}");
        }
        for (one, other) in [("absent.json", "./absent.json"), ("absent/new", "./absent//new")] {
            assert!(is_one_file(Path::new(one), Path::new(other)), "{one} {other}");
        }
        assert!(!is_one_file(Path::new("/dev/null"), Path::new("/dev/null")), "a device takes both");
    }
}
