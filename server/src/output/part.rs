//! A file that gets its name only when it is complete.

#[cfg(unix)]
use std::fs::Permissions;
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::parts::{PART, prefix};

/// A temporary file in the folder of its final name. It is deleted unless it is renamed.
pub(crate) fn part(folder: &Path, name: &str) -> io::Result<NamedTempFile> {
    let name = prefix(name);
    let mut builder = Builder::new();
    builder.prefix(&name).suffix(PART);
    permit(&mut builder);
    builder.tempfile_in(folder)
}

/// Writes a whole file of this name in one step.
pub(crate) fn put(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let mut part = part(folder, name)?;
    part.write_all(text.as_bytes())?;
    part.as_file().sync_all()?;
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
