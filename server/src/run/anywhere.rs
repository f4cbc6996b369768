//! Makes the paths of a run valid in every working folder.

use std::io::{self, ErrorKind};
use std::path::{self, Path, PathBuf};

use shared::text::Escaped;

use super::spec::RunSpec;
use crate::source;

/// The signs of a pattern of file names.
const PATTERN: [char; 3] = ['*', '?', '['];

impl RunSpec {
    /// The same run with absolute paths, so that its file can be used from another working folder. A text that names no
    /// file of this working folder is not changed.
    ///
    /// # Errors
    /// If the working folder is gone, or ([`ErrorKind::InvalidData`]) if a path leads through it and its name is not
    /// UTF-8, so that no file of a run can hold the path.
    pub fn anywhere(&self) -> io::Result<Self> {
        let mut spec = self.clone();
        // A file with the name of a simulated source is not meant.
        if !source::is_no_file(&spec.sent.source) {
            spec.sent.source = anywhere("source", &spec.sent.source)?;
        }
        spec.sent.truth = spec.sent.truth.as_deref().map(|truth| anywhere("truth", truth)).transpose()?;
        Ok(spec)
    }
}

/// The absolute path, if this text of an option is a relative one.
fn anywhere(option: &str, text: &str) -> io::Result<String> {
    if text.contains("://") || Path::new(text).is_absolute() {
        return Ok(text.to_owned());
    }
    if Path::new(text).exists() {
        return in_text(option, path::absolute(text)?);
    }
    if !text.contains(PATTERN) {
        return Ok(text.to_owned());
    }
    // The name of the working folder is not a pattern, whatever characters it has.
    let folder = glob::Pattern::escape(&in_text(option, std::env::current_dir()?)?);
    Ok(format!("{}/{text}", folder.trim_end_matches('/')))
}

fn in_text(option: &str, path: PathBuf) -> io::Result<String> {
    path.into_os_string().into_string().map_err(|path| {
        let wrong = format!("--{option}: \"{}\" is not UTF-8 text", Escaped(Path::new(&path).display()));
        io::Error::new(ErrorKind::InvalidData, wrong)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_become_absolute_and_everything_else_stays_unchanged() {
        for same in ["ball", "depth", "camera:0", "rtsp://192.0.2.7/x?*", "/dev/video0", "absent.mp4"] {
            assert_eq!(anywhere("source", same).unwrap(), same);
        }
        // The tests run in the folder of this package.
        let found = anywhere("source", "Cargo.toml").unwrap();
        assert!(Path::new(&found).is_absolute() && found.ends_with("Cargo.toml"), "{found}");
        let pattern = anywhere("source", "src/run/*.rs").unwrap();
        assert!(glob::glob(&pattern).unwrap().count() > 1, "{pattern}");
        assert_eq!(anywhere("source", &pattern).unwrap(), pattern);
    }
}
