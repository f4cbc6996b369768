//! The limit on the size of files (`ulimit -f`).

/// Makes a write beyond the limit fail like one to a full disk (`EFBIG`). Without this, the system ends the program
/// with SIGXFSZ and without a word. Called first.
///
/// The signal is handled and not ignored, because programs that this one starts would inherit that.
pub fn report_files_that_are_too_large() {
    #[cfg(unix)]
    {
        use std::sync::atomic::AtomicBool;

        use signal_hook::consts::SIGXFSZ;
        use signal_hook::flag;

        /// Nobody asks: the write says it too.
        static CAME: AtomicBool = AtomicBool::new(false);
        // If this fails, the signal keeps its action. There is no log yet that could say so.
        let _ = flag::register(SIGXFSZ, &CAME);
    }
}
