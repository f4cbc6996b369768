//! New files with a secret in them.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};

use super::hex::to_hex;

/// Makes a file with this text that only its owner can read. The name appears once the file is complete, so a full disk
/// or a crash leaves no file that holds half a secret.
///
/// # Errors
/// Those of the system; [`io::ErrorKind::AlreadyExists`] if there is such a file, which stays as it is.
pub fn make_private(path: &Path, text: &str) -> io::Result<()> {
    let mut random = [0; 4];
    SystemRandom::new().fill(&mut random).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    // Not after the file's own name, which may be as long as a name can be.
    let part = path.with_file_name(format!(".secret.{}.part", to_hex(&random)));
    let made = write(&part, text).and_then(|()| publish(&part, path, text));
    match fs::remove_file(&part) {
        // Renamed, or never made.
        Err(error) if error.kind() != io::ErrorKind::NotFound => made.and(Err(error)),
        _ => made,
    }
}

/// Gives the complete file its name, unless the name is taken.
fn publish(part: &Path, path: &Path, text: &str) -> io::Result<()> {
    match fs::hard_link(part, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            // A file system without hard links. Here a crash may leave an incomplete file.
            write(path, text).inspect_err(|error| {
                if error.kind() != io::ErrorKind::AlreadyExists {
                    let _ = fs::remove_file(path);
                }
            })
        }
        linked => linked,
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_complete_and_its_owners_alone_and_never_replaces_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n".repeat(255));
        make_private(&path, "a secret\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a secret\n");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
        assert_eq!(make_private(&path, "another\n").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "a secret\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other file is left");
    }

    #[test]
    fn a_folder_that_is_not_there_is_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let wrong = make_private(&folder.path().join("none/secret"), "a secret\n").unwrap_err();
        assert_eq!(wrong.kind(), io::ErrorKind::NotFound);
    }
}
