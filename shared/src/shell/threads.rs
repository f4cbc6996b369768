//! Threads, on systems that may start no more of them (`ulimit -u`, `docker run --pids-limit`, Slurm).

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, Builder, JoinHandle};

/// Advice for messages about a thread that does not start.
pub const MORE_THREADS: &str =
    "the system starts no more threads: raise its limit (ulimit -u, docker run --pids-limit)";

/// Starts a thread with this name.
///
/// # Errors
/// If the system starts no more threads. The error says what helps.
pub fn spawn<T: Send + 'static>(
    name: impl Into<String>,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.into()).spawn(work).map_err(refused)
}

/// Checks that the system starts another thread. Where tokio needs one of its own and gets none, it panics.
///
/// # Errors
/// As [`spawn`]. Another thread may still take the place first.
pub fn has_room() -> io::Result<()> {
    // An empty thread does not panic.
    spawn("room", || ()).map(|thread| thread.join().unwrap_or_default())
}

/// Runs `work` for each number below `count`, each on a thread of its own. The calling thread runs those for which the
/// system starts no thread, one after the other. The results come in order, a panic as [`thread::Result`] has it.
pub fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<thread::Result<T>> {
    let work = &work;
    thread::scope(|scope| {
        let started: Vec<_> = (0..count).map(|at| Builder::new().spawn_scoped(scope, move || work(at))).collect();
        let finish = |(at, thread): (usize, io::Result<thread::ScopedJoinHandle<'_, T>>)| match thread {
            Ok(thread) => thread.join(),
            Err(_) => catch_unwind(AssertUnwindSafe(|| work(at))),
        };
        started.into_iter().enumerate().map(finish).collect()
    })
}

fn refused(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{MORE_THREADS} ({error})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_run_at_once_and_their_results_come_in_order() {
        let met = std::sync::Barrier::new(3);
        let results = at_once(3, |at| {
            met.wait();
            assert!(at != 1, "the test wants this panic");
            at
        });
        assert_eq!(results.into_iter().map(Result::ok).collect::<Vec<_>>(), [Some(0), None, Some(2)]);
        assert!(has_room().is_ok());
    }

    #[test]
    fn the_error_of_a_thread_that_does_not_start_says_what_helps() {
        let said = refused(io::Error::from_raw_os_error(11)).to_string();
        assert!(said.contains("ulimit -u") && said.contains("os error 11"), "{said}");
    }
}
