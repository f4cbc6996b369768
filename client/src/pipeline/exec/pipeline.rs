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
use crate::pipeline::options::{PipelineOptions, TIMEOUTS};
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
    /// Whether a frame got no answer from the program.
    has_failed: bool,
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
        // Options can be made without their check. A longer time may have no end in the clock.
        let timeout = options.timeout.min(*TIMEOUTS.end());
        let mut pipeline = Self {
            program,
            task,
            meta: options.meta.clone(),
            timeout,
            programs,
            restart: Restart::default(),
            process: None,
            is_loading: false,
            has_failed: false,
            head: Vec::new(),
            pixels: Vec::new(),
        };
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
        self.has_failed = true;
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

    fn is_intact(&self) -> bool {
        !self.has_failed && self.process.as_ref().is_some_and(Process::runs)
    }
}

impl Drop for ExecPipeline {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;
    use shared::image::{Image, PixelFormat};
    use shared::time::Micros;

    use super::*;

    /// The pipeline of a shell script, which has read its first line.
    fn script(text: &str, timeout: Duration) -> ExecPipeline {
        let program = Arc::new(Program::of(&format!("sh -c '{text}'")).expect("a shell"));
        let programs = Arc::new(Programs::new().expect("a pipe"));
        let options = PipelineOptions { timeout, ..PipelineOptions::default() };
        let mut pipeline = ExecPipeline::start(program, "ack", &options, programs).expect("it starts");
        pipeline.prepare();
        pipeline
    }

    fn asked(pipeline: &mut ExecPipeline, id: u64) -> Payload<'static> {
        let image = Image::zeros(Size { width: 1, height: 1 }, PixelFormat::Gray8);
        pipeline.answer(&Frame { id, captured: Micros(0), meta: None, image: image.view() })
    }

    #[test]
    fn a_program_that_ended_or_failed_once_is_not_intact() {
        let mut ended = script("read -r first", Duration::from_secs(20));
        assert_eq!(asked(&mut ended, 0), Payload::dropped());
        assert!(!ended.is_intact());
        let mut silent = script("exec cat", Duration::from_secs(20));
        assert!(silent.is_intact(), "it runs and has not failed");
        // It answers with the line that it was given, which is no answer.
        assert_eq!(asked(&mut silent, 0), Payload::dropped());
        assert!(!silent.is_intact());
    }

    #[test]
    fn a_time_limit_beyond_the_end_of_the_clock_is_one_hour() {
        let mut pipeline = script("read -r first", Duration::MAX);
        assert_eq!(pipeline.timeout, Duration::from_secs(3600));
        assert_eq!(asked(&mut pipeline, 0), Payload::dropped());
    }
}
