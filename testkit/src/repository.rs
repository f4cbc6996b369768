//! Files of the repository.

use std::path::{Path, PathBuf};

/// The path of a file or folder, from the root of the repository.
pub fn path(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(name)
}
