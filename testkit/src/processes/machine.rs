//! The machine a benchmark runs on.

use std::{fs, thread};

/// Describes the machine for people: cores, processor, kernel, and the load average of the last minute. Call it before
/// the benchmark puts load on the machine.
pub fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let name = name.map_or(std::env::consts::ARCH, |(_, name)| name);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let (kernel, load) = (kernel.split('-').next().unwrap_or_default(), load.split(' ').next().unwrap_or_default());
    format!("{cores} cores of {name}, Linux {}, load {load} before the run", kernel.trim_end())
}
