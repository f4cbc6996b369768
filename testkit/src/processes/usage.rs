//! Measures the processor time and resources of a process.

#![allow(unsafe_code, reason = "clocks of other processes")]

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::error::ProcessError;
use super::process::Process;

/// Resources that a process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Resident memory.
    pub memory_bytes: u64,
    /// Open files and sockets.
    pub descriptors: u64,
    /// Threads.
    pub threads: u64,
}

impl Holdings {
    /// What the process with this id holds now.
    pub fn of(id: u32) -> Result<Self, ProcessError> {
        let folder = Path::new("/proc").join(id.to_string());
        let status = fs::read_to_string(folder.join("status"))?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let number = line.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
            number.ok_or_else(|| ProcessError::NoFigures(id, format!("no {name}")))
        };
        Ok(Self {
            memory_bytes: number("VmRSS")? << 10,
            descriptors: fs::read_dir(folder.join("fd"))?.count() as u64,
            threads: number("Threads")?,
        })
    }
}

impl Process {
    /// Processor time used so far by all threads of the process.
    pub fn cpu(&self) -> Result<Duration, ProcessError> {
        let mut clock = 0;
        // SAFETY: both calls write to places of the right type, which outlive the calls.
        let (of_process, now) = unsafe {
            let mut now = std::mem::zeroed();
            let of_process = libc::clock_getcpuclockid(self.id().cast_signed(), &raw mut clock);
            (of_process == 0 && libc::clock_gettime(clock, &raw mut now) == 0, now)
        };
        if !of_process {
            return Err(ProcessError::NoFigures(self.id(), "no processor time".to_owned()));
        }
        Ok(Duration::new(now.tv_sec.cast_unsigned(), now.tv_nsec.cast_unsigned() as u32))
    }

    /// Resources that the process holds now.
    pub fn holdings(&self) -> Result<Holdings, ProcessError> {
        Holdings::of(self.id())
    }
}

/// Measures the cores that each of these processes uses during `time`: 1 is one core all the time.
pub fn cores_used<const N: usize>(processes: [&Process; N], time: Duration) -> Result<[f64; N], ProcessError> {
    let start = Instant::now();
    let mut before = [Duration::ZERO; N];
    for (before, process) in before.iter_mut().zip(processes) {
        *before = process.cpu()?;
    }
    thread::sleep(time);
    let mut cores = [0.0; N];
    for ((cores, before), process) in cores.iter_mut().zip(before).zip(processes) {
        *cores = process.cpu()?.saturating_sub(before).as_secs_f64();
    }
    let elapsed_s = start.elapsed().as_secs_f64();
    Ok(cores.map(|cores| cores / elapsed_s))
}
