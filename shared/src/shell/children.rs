//! The programs that this process has started, for an end at which nothing is waited for.

/// Kills all children, with the process groups that they lead. Does nothing where the system does not list them.
#[cfg(target_os = "linux")]
pub(super) fn kill() {
    use rustix::process::{Pid, Signal, getpgid, kill_process, kill_process_group};

    for child in all().into_iter().filter_map(Pid::from_raw) {
        // An error means that the child has just ended.
        let _ = match getpgid(Some(child)) {
            Ok(group) if group == child => kill_process_group(child, Signal::KILL),
            _ => kill_process(child, Signal::KILL),
        };
    }
}

/// The ids of the children of all threads, if the kernel lists them (`CONFIG_PROC_CHILDREN`).
#[cfg(target_os = "linux")]
fn all() -> Vec<i32> {
    use std::fs;

    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

/// Does nothing: the system does not list them.
#[cfg(not(target_os = "linux"))]
pub(super) fn kill() {}
