//! A file whose lock ends with this process's use of it.

use std::fs::File;
use std::ops::Deref;

/// A file that may be locked, and is unlocked when this is dropped.
///
/// To close it is not enough: a lock lives until every copy of the file's descriptor is closed, and a child process has
/// one from its fork until it runs its program.
#[derive(Debug)]
pub(crate) struct Lockable(pub(crate) File);

impl Deref for Lockable {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for Lockable {
    fn drop(&mut self) {
        // Fails if it was not locked. The lock of another holder stays.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use std::fs::TryLockError;

    use super::*;

    #[test]
    fn a_lock_ends_with_its_holder_although_a_child_has_a_copy_of_the_descriptor() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Lockable(File::options().append(true).create(true).open(folder.path().join("held")).unwrap());
        let (held, next) = (open(), open());
        held.try_lock().unwrap();
        drop(open());
        assert!(matches!(next.try_lock(), Err(TryLockError::WouldBlock)), "one that has no lock ends none");
        let childs_copy = held.try_clone().unwrap();
        drop(held);
        next.try_lock().unwrap();
        drop(childs_copy);
        assert!(matches!(open().try_lock(), Err(TryLockError::WouldBlock)), "the copy ends no lock");
    }
}
