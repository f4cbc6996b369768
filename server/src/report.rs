//! The report: every session's figures as JSON, schema 1.
//!
//! The file is opened before anything runs, so that a bad path fails at once, and rewritten after each session, so that
//! a late failure loses nothing.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;
use shared::flow::clock::ClockOffset;
use shared::time::Micros;
use thiserror::Error;

use crate::run::RunConfig;
use crate::score::summary::Figures;
use crate::session::{ClientInfo, End, Session};

/// The schema's version.
const SCHEMA: u32 = 1;

/// The latest sessions kept: 30 MB of report, for a server that runs for years.
const KEPT_SESSIONS: usize = 10_000;

/// Where the report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonTarget {
    /// A file, rewritten after each session.
    File(PathBuf),
    /// Standard output, once, at the end; rows go to stderr.
    Stdout,
}

impl FromStr for JsonTarget {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "-" { Self::Stdout } else { Self::File(text.into()) })
    }
}

/// What the server writes with --json; docs/report.md explains each figure.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Plumb report, schema 1")]
pub struct Report {
    /// Version of this schema.
    #[schemars(extend("const" = SCHEMA))]
    schema: u32,
    /// What ran.
    run: Run,
    /// One entry for each session, in the order they ended.
    #[schemars(length(max = KEPT_SESSIONS))]
    sessions: VecDeque<SessionReport>,
    /// Earlier sessions no longer listed.
    sessions_omitted: u64,
}

/// What ran.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Run {
    /// The server's version.
    pub version: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// Its options.
    pub config: RunConfig,
}

/// A session's figures.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SessionReport {
    /// Counts from 1.
    pub session: u64,
    /// Who answered; `null` without a hello.
    pub client: Option<ClientReport>,
    /// Why it ended.
    pub end: End,
    /// Frames, errors, latency, rates, bytes.
    #[serde(flatten)]
    pub figures: Figures,
    /// TCP accepted → both hellos.
    pub connect_us: Option<u64>,
    /// TCP accepted → first score.
    pub first_score_us: Option<u64>,
    /// The client's clock against the server's.
    pub clock: ClockReport,
    /// Messages of unknown type, or that made no sense.
    pub ignored_messages: u64,
}

/// A client, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientReport {
    /// Program and version.
    #[serde(flatten)]
    pub info: ClientInfo,
    /// Its signaling address.
    pub address: String,
}

/// `clock` of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClockReport {
    /// Client's clock minus the server's.
    pub offset_us: Option<i64>,
    /// The offset is off by at most this.
    pub uncertainty_us: Option<u64>,
}

impl SessionReport {
    /// The report of a session with the client at `address` that ended so, `now`.
    pub fn new(session: &Session, address: &str, end: End, now: Micros) -> Self {
        let client = session.client().map(|info| ClientReport { info: info.clone(), address: address.to_owned() });
        Self {
            session: session.number(),
            client,
            end,
            figures: session.tally().figures(),
            connect_us: session.connect_us(),
            first_score_us: session.first_score_us(),
            clock: session.clock_offset(now).into(),
            ignored_messages: session.ignored_messages(),
        }
    }
}

impl From<Option<ClockOffset>> for ClockReport {
    fn from(offset: Option<ClockOffset>) -> Self {
        Self {
            offset_us: offset.map(|offset| offset.offset_us),
            uncertainty_us: offset.map(|offset| offset.uncertainty_us),
        }
    }
}

/// Why the report could not be written.
#[derive(Debug, Error)]
#[error("cannot write the report to {path}: {error}")]
pub struct ReportError {
    path: String,
    error: io::Error,
}

/// Keeps the report and writes it.
#[derive(Debug)]
pub struct Reporter {
    report: Report,
    output: Option<Output>,
}

#[derive(Debug)]
enum Output {
    File { file: File, path: String },
    Stdout,
}

impl Reporter {
    /// Opens the report's file, and leaves what is in it until [`Self::begin`].
    pub fn open(target: Option<&JsonTarget>, run: Run) -> Result<Self, ReportError> {
        let output = match target {
            Some(JsonTarget::File(path)) => Some(open(path)?),
            Some(JsonTarget::Stdout) => Some(Output::Stdout),
            None => None,
        };
        let report = Report { schema: SCHEMA, run, sessions: VecDeque::new(), sessions_omitted: 0 };
        Ok(Self { report, output })
    }

    /// Writes a report without sessions: from here on the file is this run's.
    pub fn begin(&mut self) -> Result<(), ReportError> {
        self.write_file()
    }

    /// Adds a session and rewrites the file.
    pub fn add(&mut self, session: SessionReport) -> Result<(), ReportError> {
        if self.report.sessions.len() == KEPT_SESSIONS {
            self.report.sessions.pop_front();
            self.report.sessions_omitted += 1;
        }
        self.report.sessions.push_back(session);
        self.write_file()
    }

    /// Writes the report to stdout if that is where it goes.
    pub fn finish(&self) -> Result<(), ReportError> {
        let Some(Output::Stdout) = self.output else { return Ok(()) };
        let mut stdout = io::stdout().lock();
        write(&self.report, &mut stdout).map_err(|error| ReportError { path: "stdout".into(), error })
    }

    fn write_file(&mut self) -> Result<(), ReportError> {
        let Some(Output::File { file, path }) = &mut self.output else { return Ok(()) };
        rewrite(&self.report, file).map_err(|error| ReportError { path: path.clone(), error })
    }
}

fn open(path: &Path) -> Result<Output, ReportError> {
    let name = path.display().to_string();
    match OpenOptions::new().write(true).create(true).truncate(false).open(path) {
        Ok(file) => Ok(Output::File { file, path: name }),
        Err(error) => Err(ReportError { path: name, error }),
    }
}

fn rewrite(report: &Report, file: &mut File) -> io::Result<()> {
    file.rewind()?;
    write(report, file)?;
    let length = file.stream_position()?;
    file.set_len(length)
}

/// In one write: whoever reads meanwhile sees hardly ever half a report.
fn write(report: &Report, output: &mut impl Write) -> io::Result<()> {
    let mut json = serde_json::to_vec_pretty(report)?;
    json.push(b'\n');
    output.write_all(&json)?;
    output.flush()
}
