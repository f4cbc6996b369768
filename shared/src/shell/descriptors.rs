//! A process that has no file descriptors left.

use std::io;

/// What to do about it, for messages.
pub const MORE_DESCRIPTORS: &str = "this process may open no more files and sockets: raise its limit (ulimit -n)";

/// `EMFILE` and `ENFILE` (the same numbers on Linux, macOS and the BSDs); on Windows `WSAEMFILE`.
const CODES: [i32; 2] = if cfg!(windows) { [10_024, 10_024] } else { [24, 23] };

/// Whether the system refused as there are no descriptors left.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_descriptors_is_told_from_other_failures() {
        assert!(is_out_of_descriptors(&io::Error::from_raw_os_error(24)));
        assert!(!is_out_of_descriptors(&io::Error::from(io::ErrorKind::ConnectionRefused)));
    }
}
