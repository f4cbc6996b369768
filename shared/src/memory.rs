//! Memory for buffers whose size a file, a peer or an option decides.
//!
//! An allocation that fails ends the program. Such buffers can be the largest of all, so they are made here, or looked
//! for before another crate makes them, and a lack of memory is an error like any other. Linux usually grants more memory
//! than it has. Then nothing fails here, and the system may kill the program later.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use thiserror::Error;

/// The system has no memory for a buffer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "there is no memory for {what}, which needs {bytes} bytes: use smaller frames, or give this process more memory \
     (ulimit -v)"
)]
pub struct NoMemory {
    what: String,
    bytes: usize,
}

impl From<NoMemory> for io::Error {
    fn from(error: NoMemory) -> Self {
        Self::new(ErrorKind::OutOfMemory, error)
    }
}

/// An empty buffer for `what`, with room for this many bytes.
///
/// # Errors
/// [`NoMemory`].
pub fn reserved(bytes: usize, what: impl Display) -> Result<Vec<u8>, NoMemory> {
    let mut buffer = Vec::new();
    reserve(&mut buffer, bytes, bytes, what)?;
    Ok(buffer)
}

/// A buffer of zeros for `what`.
///
/// # Errors
/// [`NoMemory`].
pub fn zeroed(bytes: usize, what: impl Display) -> Result<Vec<u8>, NoMemory> {
    let mut buffer = reserved(bytes, what)?;
    buffer.resize(bytes, 0);
    Ok(buffer)
}

/// Makes a buffer for `what` this long. New bytes are 0.
///
/// # Errors
/// [`NoMemory`]; the buffer is then as it was.
pub fn resize(buffer: &mut Vec<u8>, bytes: usize, what: impl Display) -> Result<(), NoMemory> {
    reserve(buffer, bytes.saturating_sub(buffer.len()), bytes, what)?;
    buffer.resize(bytes, 0);
    Ok(())
}

/// Looks for memory that `what` is about to take, all of it at once or in parts. Another thread may still take it first.
///
/// # Errors
/// [`NoMemory`].
pub fn look_for(bytes: usize, what: impl Display) -> Result<(), NoMemory> {
    reserved(bytes, what).map(drop)
}

/// Makes room for `more` entries deep inside a computation that has no errors. Without memory the computation ends: the
/// [`caught`] around it returns the error.
pub fn reserve_or_end<T>(list: &mut Vec<T>, more: usize, what: impl Display) {
    if list.try_reserve_exact(more).is_err() {
        let bytes = (list.len() + more).saturating_mul(size_of::<T>());
        // Unlike a panic, this prints nothing.
        resume_unwind(Box::new(NoMemory { what: what.to_string(), bytes }));
    }
}

/// Runs a computation that uses [`reserve_or_end`]. What it has changed must not be used after an error.
///
/// # Errors
/// [`NoMemory`].
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, NoMemory> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|ended| match ended.downcast() {
        Ok(none) => *none,
        Err(panic) => resume_unwind(panic),
    })
}

fn reserve(buffer: &mut Vec<u8>, more: usize, bytes: usize, what: impl Display) -> Result<(), NoMemory> {
    buffer.try_reserve_exact(more).map_err(|_| NoMemory { what: what.to_string(), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than any machine has addresses for, and less than a list may have.
    const TOO_MUCH: usize = isize::MAX as usize;

    #[test]
    fn a_buffer_that_does_not_fit_is_an_error_that_says_what_it_is_and_how_large() {
        let said = zeroed(TOO_MUCH, "a frame").unwrap_err().to_string();
        assert!(said.starts_with("there is no memory for a frame, which needs 9223372036854775807 bytes: "), "{said}");
        assert!(said.contains("smaller frames") && said.contains("ulimit -v"), "{said}");
        assert_eq!(look_for(TOO_MUCH, "a frame").unwrap_err().to_string(), said);
        assert!(look_for(usize::MAX, "a frame").is_err());
        let mut kept = vec![7; 3];
        assert!(resize(&mut kept, TOO_MUCH, "a frame").is_err());
        assert_eq!(kept, [7; 3]);
        assert_eq!(io::Error::from(look_for(TOO_MUCH, "a frame").unwrap_err()).to_string(), said);
    }

    #[test]
    fn a_computation_without_memory_ends_with_the_error_and_a_panic_stays_one() {
        let filled = |entries| {
            caught(|| {
                let mut list = vec![0_u32; 3];
                reserve_or_end(&mut list, entries, "planes");
                list.capacity()
            })
        };
        assert!(filled(5).is_ok_and(|room| room >= 8));
        let said = filled(TOO_MUCH / 4).unwrap_err().to_string();
        assert!(said.contains("planes, which needs 9223372036854775816 bytes"), "{said}");
        let panic = catch_unwind(|| caught(|| -> u8 { panic!("the test wants this panic") })).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"the test wants this panic"));
    }

    #[test]
    fn a_buffer_that_fits_has_its_length() {
        assert_eq!(zeroed(3, "a frame").unwrap(), [0; 3]);
        let mut buffer = vec![7; 3];
        resize(&mut buffer, 5, "a frame").unwrap();
        assert_eq!(buffer, [7, 7, 7, 0, 0]);
        resize(&mut buffer, 2, "a frame").unwrap();
        assert_eq!(buffer, [7, 7]);
        assert!(look_for(0, "nothing").is_ok() && look_for(1 << 20, "a frame").is_ok());
    }
}
