//! Metadata of the stream, as the run gives it: `--meta KEY=VALUE` and `--meta-file FILE`.
//!
//! `text` reads one value of `--meta`, `table` reads TOML and checks keys and values, `file` reads the file. Here both
//! are merged, and the sum is checked.

mod file;
mod table;
mod text;

use serde::{Serialize, Serializer};
use shared::protocol::message::{Meta, MetaTooLarge, check_meta};
use thiserror::Error;

pub use file::MetaFileError;
pub use text::{GivenMeta, NotMeta};

/// Why the metadata of a run was refused.
#[derive(Debug, Error)]
pub enum MetaError {
    /// Two options give the same key.
    #[error("--meta: the key {0} is given twice: give each key once")]
    Twice(String),
    /// There is too much of it, in the file, the options or both.
    #[error("{place}: {error}")]
    TooLarge {
        /// Which options give it.
        place: &'static str,
        /// What there is too much of.
        error: MetaTooLarge,
    },
    /// The file was refused.
    #[error(transparent)]
    File(#[from] MetaFileError),
}

impl MetaError {
    /// Ids of the options that are to blame.
    pub fn options(&self) -> Vec<String> {
        let ids: &[&str] = match self {
            Self::Twice(_) => &["meta"],
            Self::TooLarge { .. } => &["meta", "meta_file"],
            Self::File(_) => &["meta_file"],
        };
        ids.iter().map(ToString::to_string).collect()
    }
}

/// The metadata of a file and of options, which override the file's keys.
///
/// # Errors
/// [`MetaError`] names option or file, the key, what was wrong and what would be right.
pub(super) fn merged(file: Option<&str>, given: &[GivenMeta]) -> Result<Meta, MetaError> {
    let mut all = file.map(file::read).transpose()?.unwrap_or_default();
    all.extend(joined(given).map_err(MetaError::Twice)?);
    let place = match (file, given) {
        (None, _) => "--meta",
        (Some(_), []) => "--meta-file",
        (Some(_), _) => "--meta-file with --meta",
    };
    check_meta(&all).map(|()| all).map_err(|error| MetaError::TooLarge { place, error })
}

/// Writes what the options give as one map.
pub(super) fn serialize<S: Serializer>(given: &[GivenMeta], serializer: S) -> Result<S::Ok, S::Error> {
    all(given).serialize(serializer)
}

/// What the options give. If they repeat a key, the first value counts.
pub(super) fn all(given: &[GivenMeta]) -> Meta {
    given.iter().rev().flat_map(|part| part.0.clone()).collect()
}

/// What the options give, or the key that they repeat.
fn joined(given: &[GivenMeta]) -> Result<Meta, String> {
    let mut all = Meta::new();
    for (key, value) in given.iter().flat_map(|part| &part.0) {
        if all.insert(key.clone(), value.clone()).is_some() {
            return Err(key.clone());
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(parts: &[&str]) -> Vec<GivenMeta> {
        parts.iter().map(|part| part.parse().expect("metadata")).collect()
    }

    #[test]
    fn options_override_the_keys_of_the_file() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "camera = 'right'\n[event]\nid = 7\n").expect("written");
        let path = file.path().to_str().expect("UTF-8");
        let read = merged(Some(path), &given(&["camera=left", "gain=2.5"])).expect("metadata");
        assert_eq!(read, all(&given(&["{camera = 'left', 'event.id' = 7, gain = 2.5}"])));
    }

    #[test]
    fn a_key_given_twice_and_too_much_metadata_are_refused() {
        let wrong = |parts: &[&str]| merged(None, &given(parts)).expect_err("refused").to_string();
        assert_eq!(wrong(&["a=1", "b=2", "a=3"]), "--meta: the key a is given twice: give each key once");
        let long = format!("a={}", "x".repeat(5_000));
        assert_eq!(wrong(&[&long]), "--meta: metadata of 5006 bytes: at most 4096 are allowed");
        let many: Vec<_> = (0..65).map(|key| format!("k{key}=1")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(wrong(&many), "--meta: metadata of 65 keys: at most 64 are allowed");
    }
}
