//! Errors of a process that has no file descriptors left.

use std::io;

/// Advice for messages about such errors.
pub const MORE_DESCRIPTORS: &str = "this process may open no more files and sockets: raise its limit (ulimit -n)";

/// `EMFILE` and `ENFILE` (the same numbers on Linux, macOS and the BSDs); on Windows `WSAEMFILE`.
const CODES: [i32; 2] = if cfg!(windows) { [10_024, 10_024] } else { [24, 23] };

/// Whether the system refused because no descriptors are left.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

/// The system's error, with advice if no descriptors are left.
pub fn with_advice(error: &io::Error) -> String {
    if is_out_of_descriptors(error) { format!("{error}; {MORE_DESCRIPTORS}") } else { error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_descriptors_gets_advice_and_other_failures_do_not() {
        let (no_descriptors, other) =
            (io::Error::from_raw_os_error(24), io::Error::from(io::ErrorKind::ConnectionRefused));
        assert!(is_out_of_descriptors(&no_descriptors) && !is_out_of_descriptors(&other));
        assert!(with_advice(&no_descriptors).ends_with("(ulimit -n)"));
        assert_eq!(with_advice(&other), other.to_string());
    }
}
