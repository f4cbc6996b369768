//! The list of all outputs.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use shared::shell::rows::Rows;
use shared::shell::stop::Stop;

use super::csv::CsvOutput;
use super::error::OutputError;
use super::folder::FolderOutput;
use super::json::{JsonOutput, JsonTarget};
use super::junit::JunitOutput;
use super::report::Run;
use super::rows::RowsOutput;
use super::seam::Output;
use super::window::WindowOutput;
use crate::cli::Local;
use crate::task::TaskName;

/// Links that are followed from a name: as many as Linux follows (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// Which outputs a run has.
pub struct Plan<'a> {
    /// The run's task, whose columns the outputs have.
    pub task: TaskName,
    /// What ran, for the report.
    pub run: Run,
    /// Where rows and summaries are printed, if they are.
    pub rows: Option<Rows>,
    /// Whether a row is printed for each frame, if there is no window.
    pub frames: bool,
    /// The window.
    pub window: Option<WindowOutput>,
    /// The files that were asked for.
    pub local: &'a Local,
    /// Further outputs.
    pub more: Vec<Box<dyn Output>>,
}

/// Opens the outputs without writing anything yet. `None` if the run was stopped meanwhile.
///
/// # Errors
/// The error of the first output that cannot be written.
pub async fn outputs(plan: Plan<'_>, stop: &mut Stop) -> Result<Option<Vec<Box<dyn Output>>>, OutputError> {
    let Plan { task, run, rows, frames, window, local, more } = plan;
    refuse_one_file_for_two(local)?;
    let mut outputs = more;
    if let Some(folder) = &local.out {
        outputs.push(boxed(FolderOutput::open(folder, &run, task, local.strict)?.recorded(local.record)));
    }
    if let Some(target) = &local.json {
        let Some(json) = JsonOutput::open(target, &run, stop).await? else { return Ok(None) };
        outputs.push(boxed(json));
    }
    if let Some(path) = &local.csv {
        let Some(csv) = CsvOutput::open(path, task, stop).await? else { return Ok(None) };
        outputs.push(boxed(csv));
    }
    if let Some(path) = &local.junit {
        let Some(junit) = JunitOutput::open(path, run, local.strict, stop).await? else { return Ok(None) };
        outputs.push(boxed(junit));
    }
    match (window, rows) {
        (Some(window), rows) => {
            outputs.push(boxed(window));
            outputs.extend(rows.map(|rows| boxed(RowsOutput::of_summaries(rows))));
        }
        (None, rows) if frames => outputs.extend(rows.map(|rows| boxed(RowsOutput::of_frames(rows, task)))),
        (None, rows) => outputs.extend(rows.map(|rows| boxed(RowsOutput::of_summaries(rows)))),
    }
    Ok(Some(outputs))
}

/// Refuses the same file for two outputs, which would destroy each other. Devices and pipes can take both.
fn refuse_one_file_for_two(local: &Local) -> Result<(), OutputError> {
    let json = match &local.json {
        Some(JsonTarget::File(json)) => Some(json),
        _ => None,
    };
    let named = [
        ("report", "--json", json),
        ("frames", "--csv", local.csv.as_ref()),
        ("verdicts", "--junit", local.junit.as_ref()),
    ];
    let files: Vec<_> = named.into_iter().filter_map(|(what, option, path)| Some((what, option, path?))).collect();
    for (place, (what, option, path)) in files.iter().enumerate() {
        if let Some((_, other, _)) = files[..place].iter().find(|(.., earlier)| is_one_file(earlier, path)) {
            let error = io::Error::new(io::ErrorKind::InvalidInput, format!("{other} and {option} need a file each"));
            return Err(OutputError { what, place: path.display().to_string(), error });
        }
    }
    Ok(())
}

/// Whether two paths lead to one file, by whatever names.
fn is_one_file(one: &Path, other: &Path) -> bool {
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
        Self::New(folder.canonicalize().unwrap_or(folder), path.file_name().map(OsString::from))
    }
}

fn folder_of(path: &Path) -> PathBuf {
    // A name alone has the empty path as its parent.
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")).to_owned()
}

fn boxed(output: impl Output + 'static) -> Box<dyn Output> {
    Box::new(output)
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
        assert!(is_one_file(Path::new("absent.json"), Path::new("./absent.json")));
        assert!(!is_one_file(Path::new("/dev/null"), Path::new("/dev/null")), "a device takes both");
    }
}
