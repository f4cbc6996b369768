//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use shared::geometry::Size;

/// Numbers of clients.
const CLIENTS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Numbers of clients with `--quick`.
const QUICK_CLIENTS: [u32; 3] = [1, 4, 16];

/// Sizes of frames.
const SIZES: [(u32, u32); 6] = [(320, 240), (640, 480), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160)];

/// Measures how the cost of the programs grows with the number of clients and the size of frames, and that it does not
/// grow with time.
#[derive(Debug, Parser)]
#[command(name = "growth")]
pub(crate) struct Options {
    /// Seconds to measure each point, once all clients are served
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,

    /// Measure fewer points, for three seconds each
    #[arg(long)]
    quick: bool,

    /// Numbers of clients, instead of 1 to 64
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=256))]
    clients: Option<Vec<u32>>,

    /// Sizes of frames, instead of 320x240 to 3840x2160; "none" for none
    #[arg(long, value_name = "WxH,WxH,…")]
    sizes: Option<String>,

    /// More options for the server, such as "--encoding auto"; "--link tcp" is given to the clients too
    #[arg(long, value_name = "OPTIONS", default_value = "", allow_hyphen_values = true)]
    pub(crate) with: String,

    /// Instead run one client at 60 frames/s for this time, such as 30m, and show memory, descriptors and threads
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) soak: Option<Duration>,

    /// Use the programs as last built
    #[arg(long)]
    pub(crate) no_build: bool,

    /// Also write the tables to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Draw the points as a chart into this file
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) svg: Option<PathBuf>,

    /// Passed by cargo to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// How long each point is measured.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs_f64(if self.quick { 3.0 } else { self.seconds.clamp(1.0, 86_400.0) })
    }

    /// Numbers of clients.
    pub(crate) fn clients(&self) -> Vec<u32> {
        let all = if self.quick { &QUICK_CLIENTS[..] } else { &CLIENTS };
        self.clients.clone().unwrap_or_else(|| all.to_vec())
    }

    /// Sizes of frames.
    ///
    /// # Errors
    /// If one of them is not a size.
    pub(crate) fn sizes(&self) -> Result<Vec<Size>, String> {
        let size =
            |text: &str| text.parse().map_err(|_| format!("\"{text}\" is not a size; write for example 640x480"));
        match self.sizes.as_deref() {
            Some("none") => Ok(Vec::new()),
            Some(sizes) => sizes.split(',').map(size).collect(),
            None => {
                let step = if self.quick { 2 } else { 1 };
                Ok(SIZES.iter().step_by(step).map(|&(width, height)| Size { width, height }).collect())
            }
        }
    }
}
