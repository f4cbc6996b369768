//! Answers frames with a program, and starts it again when it fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::protocol::message::{Meta, Payload};
use tracing::{debug, warn};

use super::fault::Fault;
use super::process::{Exchange, Process};
use super::program::Program;
use super::programs::Programs;
use super::reply::Reply;
use super::request;
use super::restart::Restart;
use crate::pipeline::frame::Frame;
use crate::pipeline::options::PipelineOptions;
use crate::pipeline::seam::Pipeline;

/// Maximum time that the client's hello, and so the first frame, waits for the program to load. It is less than the 5 s
/// in which a server expects the hello.
const LOAD_LIMIT: Duration = Duration::from_secs(3);

/// One worker's program.
pub(super) struct ExecPipeline {
    program: Arc<Program>,
    task: &'static str,
    /// What the source says about its stream.
    meta: Arc<Meta>,
    /// How long the program may take for a frame.
    timeout: Duration,
    programs: Arc<Programs>,
    restart: Restart,
    process: Option<Process>,
    /// Whether the program did not read its first line in the time of a frame. Further frames do not wait for it.
    is_loading: bool,
    /// Memory for a frame's line.
    head: Vec<u8>,
    /// Memory for pixels that are not contiguous.
    pixels: Vec<u8>,
}

impl ExecPipeline {
    /// Starts the program.
    pub(super) fn start(
        program: Arc<Program>,
        task: &'static str,
        options: &PipelineOptions,
        programs: Arc<Programs>,
    ) -> Result<Self, Fault> {
        let (restart, head, pixels) = (Restart::default(), Vec::new(), Vec::new());
        let (meta, timeout) = (options.meta.clone(), options.timeout);
        let mut pipeline =
            Self { program, task, meta, timeout, programs, restart, process: None, is_loading: false, head, pixels };
        pipeline.running()?;
        Ok(pipeline)
    }

    /// Returns the running program. Starts it if it does not run.
    fn running(&mut self) -> Result<&mut Process, Fault> {
        let process = match self.process.take() {
            Some(process) => process,
            None if self.restart.may_start(Instant::now()) => {
                debug!("starting {}", self.program.name());
                Process::start(&self.program, &request::hello(self.task, &self.meta), &self.programs)?
            }
            None => return Err(Fault::Down),
        };
        Ok(self.process.insert(process))
    }

    fn ask(&mut self, frame: &Frame<'_>) -> Result<Payload<'static>, Fault> {
        let until = Instant::now() + self.timeout;
        let wait_until = if self.is_loading { Instant::now() } else { until };
        self.running()?.begin(wait_until)?;
        let Some(process) = &mut self.process else { return Err(Fault::Down) };
        let pixels = request::pixels(frame.image, &mut self.pixels);
        request::write_head(frame, pixels.len(), &mut self.head);
        let mut reply = Reply::to(frame.id, self.task, pixels.len());
        let (frame, limit) = (frame.id, self.timeout);
        match process.exchange(&self.head, pixels, &mut reply, until)? {
            Exchange::Done(answer) => Ok(answer),
            Exchange::Unread => Err(Fault::Unread { frame, limit }),
            Exchange::Silent => Err(Fault::Silent { frame, limit }),
        }
    }

    /// Ends the program, unless it may still be loading. Logs each kind of fault once.
    fn failed(&mut self, frame: u64, fault: &Fault) {
        let is_loading = matches!(fault, Fault::NotReading) && self.restart.is_starting(Instant::now());
        self.is_loading = is_loading;
        match self.process.take() {
            process @ Some(_) if is_loading => self.process = process,
            Some(process) if matches!(fault, Fault::Ending) => process.end(),
            // The program does not do what it should. Dropping the process kills it.
            _ => {}
        }
        if fault.is_news() && self.programs.is_first(fault) {
            let then = if is_loading { "it may take 10 s to start" } else { "it is started again" };
            warn!("{} {fault}: frame {frame} counts as dropped, {then} (logged once)", self.program.name());
        }
    }
}

impl Pipeline for ExecPipeline {
    fn prepare(&mut self) {
        if let Some(process) = &mut self.process {
            // An error would show again at the first frame, which reports it.
            let _ = process.begin(Instant::now() + LOAD_LIMIT);
        }
    }

    fn answer(&mut self, frame: &Frame<'_>) -> Payload<'static> {
        self.ask(frame).unwrap_or_else(|fault| {
            self.failed(frame.id, &fault);
            Payload::dropped()
        })
    }
}

impl Drop for ExecPipeline {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.end();
        }
    }
}
