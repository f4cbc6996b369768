//! Runs a contender once.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use shared::flow::pacer::Rate;
use shared::link::webrtc::LOOPBACK_MTU;

use crate::contenders::{Contender, Kind};
use crate::error::RunError;
use crate::frames::Frames;
use crate::sample::Sample;
use crate::{ours, pair};
use testkit::python;

impl Contender {
    /// Runs the contender once. A paced run takes twice as long, so that it has enough frames.
    pub(crate) fn run(&self, frames: &Frames, time: Duration, folder: &Path) -> Result<Sample, RunError> {
        let time = if self.group.rate == Rate::Max { time } else { 2 * time };
        match self.kind {
            Kind::Ours(options) => ours::run(&self.group, options, time, folder),
            Kind::Memory => ours::run_in_memory(&self.group, time, folder),
            Kind::Tcp => self.run_bare("tcp", frames, time, folder),
            Kind::BareGrpc => self.run_bare("grpc", frames, time, folder),
            Kind::BareLink => self.run_bare("link", frames, time, folder),
            Kind::Aiortc => self.run_python("aiortc_opencv.py", frames, time, folder),
            Kind::Grpcio => self.run_python("grpcio_opencv.py", frames, time, folder),
        }
    }

    /// Runs this program itself as both ends of a wire.
    fn run_bare(&self, wire: &str, frames: &Frames, time: Duration, folder: &Path) -> Result<Sample, RunError> {
        let benchmark = std::env::current_exe()?;
        let end = || {
            let mut command = Command::new(&benchmark);
            command.args(["end", "--wire", wire]);
            command.args(["--mtu", &self.group.mtu.unwrap_or(LOOPBACK_MTU).to_string()]);
            self.describe(&mut command, frames, time);
            command
        };
        let sink = |port: &str| {
            let mut command = end();
            command.args(["--port", port]);
            command
        };
        pair::run(end(), sink, time, folder)
    }

    /// Runs a Python script as both ends.
    fn run_python(&self, script: &str, frames: &Frames, time: Duration, folder: &Path) -> Result<Sample, RunError> {
        let folder_here = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/link");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let python = python::environment(target, "link-venv", &folder_here.join("requirements.txt"))?;
        let end = |name: &str| {
            let mut command = Command::new(&python);
            command.arg(folder_here.join(script)).arg(name);
            command
        };
        let mut source = end("source");
        source.args(["--width", &frames.size.width.to_string(), "--height", &frames.size.height.to_string()]);
        self.describe(&mut source, frames, time);
        let sink = |port: &str| {
            let mut command = end("sink");
            command.arg(port);
            command
        };
        pair::run(source, sink, time, folder)
    }

    /// Adds the options of a source: which frames to send, for how long and how often.
    fn describe(&self, command: &mut Command, frames: &Frames, time: Duration) {
        command.arg("--frames").arg(&frames.file);
        command.args([
            "--frame-bytes",
            &frames.frame_bytes().to_string(),
            "--seconds",
            &time.as_secs_f64().to_string(),
        ]);
        if let Some(fps) = self.group.rate.hz() {
            command.args(["--fps", &fps.to_string()]);
        }
    }
}
