//! The report: every session's figures, schema 1, described in `docs/report.md` and `docs/report.schema.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::flow::clock::ClockOffset;
use shared::link::{Kind, webrtc};
use shared::protocol::encoding::StreamEncoding;
use shared::time::Micros;

use crate::doctor::{self, Warning};
use crate::gate::{GateVerdict, Worst};
use crate::output::mcap::RecordingReport;
use crate::run::RunConfig;
use crate::score::latency::Percentiles;
use crate::session::{ClientInfo, End, Figures, Session};
use crate::source::{DeviceFigures, SourceFigures};

/// The schema's version.
pub(in crate::output) const SCHEMA: u32 = 1;

/// Maximum number of sessions in the report, the latest ones: 65 MB, for a server that runs for years.
pub(super) const KEPT_SESSIONS: usize = 10_000;

/// Maximum number of them whose client never said hello, the latest ones. Anybody can cause such sessions by the thousand.
pub(super) const KEPT_UNBEGUN_SESSIONS: usize = 100;

/// Size of the largest report that is read, in bytes: four times the largest that is written.
pub(crate) const MAX_REPORT_BYTES: u64 = 256 << 20;

/// What the server writes with `--json`. docs/report.md explains each figure.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Plumb report, schema 1")]
pub struct Report {
    /// Version of this schema.
    #[schemars(extend("const" = SCHEMA))]
    schema: u32,
    /// The run.
    run: Run,
    /// The worst verdict on each of the run's gates, in their order.
    gates: Vec<GateVerdict>,
    /// One entry for each session, in the order they ended.
    #[schemars(length(max = KEPT_SESSIONS))]
    sessions: Vec<SessionReport>,
    /// Number of earlier sessions that are no longer listed.
    sessions_omitted: u64,
    /// What is missing; absent if nothing is. Only in the report of a run's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<Incomplete>,
}

/// `incomplete` of the report of a run's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Incomplete {
    /// Why something is missing.
    pub reason: IncompleteReason,
    /// Frames that the sessions count, but that are not in the tables.
    pub not_written: u64,
    /// Figures that are lost, by their paths in a session. They are 0, `raw` or `null` in a session that
    /// broke off, and gates on them have no data.
    pub unknown: Vec<String>,
}

/// Why something is missing in a run's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncompleteReason {
    /// The run goes on, or it broke off and `server report` was not called.
    Running,
    /// The run broke off.
    BrokenOff,
    /// The run ended as it should, but frames could not be written.
    NotWritten,
}

/// A run: its options and the version of the server.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Run {
    /// The server's version.
    pub version: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// Options of the run.
    pub config: RunConfig,
}

/// A session's figures.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SessionReport {
    /// Number of the session, counted from 1.
    pub session: u64,
    /// The client; `null` without a hello.
    pub client: Option<ClientReport>,
    /// Why the session ended.
    pub end: End,
    /// Frames, errors, latency, rates, bytes.
    #[serde(flatten)]
    pub figures: Figures,
    /// TCP connection accepted → both hellos said.
    pub connect_us: Option<u64>,
    /// TCP connection accepted → outcome of the first frame final.
    pub first_score_us: Option<u64>,
    /// The client's clock against the server's.
    pub clock: ClockReport,
    /// Messages that were ignored: of unknown type, or malformed.
    pub ignored_messages: u64,
    /// Frames with which the pipeline failed, by an exception for example; they count as dropped. `null` over a link,
    /// where the server cannot know.
    pub pipeline_errors: Option<u64>,
    /// What is likely wrong, with advice; empty if the session sent no frame.
    pub warnings: Vec<Warning>,
    /// The verdicts on the run's gates; empty if the session sent no frame.
    pub gates: Vec<GateVerdict>,
    /// What the source read; `null` for a source that computes its frames, and in evaluations without a session.
    pub source: Option<SourceReport>,
    /// How the frames were encoded.
    pub encoding: EncodingReport,
    /// What the recording contains of the session; absent without `--record`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingReport>,
}

/// `encoding` of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EncodingReport {
    /// The encoding that the run asks for; `raw` in evaluations without a session, where nothing is encoded.
    pub asked: StreamEncoding,
    /// The encoding of the session: `raw` if the client does not say that it can read the encoding that was asked for.
    pub used: StreamEncoding,
    /// Whether it loses something. The pipeline then did not see the frames as they were rendered, and no limit is
    /// known.
    pub lossy: bool,
}

/// `source` of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceReport {
    /// Frames read: of a file, up to 5 more than were sent, because some are read ahead; of a camera, all since the
    /// session first asked for one.
    pub read: u64,
    /// Ticks at which no frame was ready, after the first frame; `null` without ticks: with `--fps max`, and with a
    /// camera whose frames are sent as they arrive.
    pub late: Option<u64>,
    /// Frames that a later one replaced before they were sent; always 0 for files, which lose nothing.
    pub passed_over: u64,
    /// Frames that could not be read and were skipped.
    pub broken: u64,
    /// How long reading and decoding a frame took, in µs.
    pub decode_us: Percentiles,
    /// The camera and its timestamps; `null` for other sources.
    pub device: Option<DeviceFigures>,
    /// Whether the session ended because there was no further frame; absent if it did not. The end says `finished` in both
    /// cases.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ran_out: bool,
}

/// A client and its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientReport {
    /// Program and version.
    #[serde(flatten)]
    pub info: ClientInfo,
    /// Where it is.
    #[serde(flatten)]
    pub at: Whereabouts,
}

/// Where a client is, and what connects it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Whereabouts {
    /// Address of its signaling connection.
    pub address: String,
    /// What carries frames and answers: `webrtc`, `tcp`, `grpc` or `memory`; `none` where the pipeline is a function.
    pub link: &'static str,
    /// Whether the server called the client (`--dial`). Otherwise the client called the server.
    pub dialled: bool,
    /// What the kernel grants the server's UDP sockets; `null` over a link without them.
    pub udp_buffers: Option<UdpBuffers>,
}

/// Buffers of UDP sockets. Plumb asks for 4 MiB each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UdpBuffers {
    /// Bytes for packets that were received and not read yet.
    pub receive_bytes: u64,
    /// Bytes for packets that were written and not sent yet.
    pub send_bytes: u64,
}

impl UdpBuffers {
    /// What the kernel grants now to the sockets of this link.
    pub fn of_link(link: &str) -> Option<Self> {
        let granted = (link == Kind::Webrtc.name()).then(webrtc::granted_buffers).flatten()?;
        Some(Self { receive_bytes: granted.receive, send_bytes: granted.send })
    }
}

/// `clock` of the report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockReport {
    /// The client's clock minus the server's.
    pub offset_us: Option<i64>,
    /// Largest possible error of the offset.
    pub uncertainty_us: Option<u64>,
}

impl Report {
    /// The report of a run with these sessions; `sessions_omitted` earlier ones are left out.
    pub fn new(run: Run, sessions: Vec<SessionReport>, sessions_omitted: u64) -> Self {
        let mut worst = Worst::new(&run.config.conditions());
        sessions.iter().for_each(|session| worst.add(&session.gates));
        Self { schema: SCHEMA, run, gates: worst.gates().to_vec(), sessions, sessions_omitted, incomplete: None }
    }

    /// The report, with a note of what is missing from it.
    #[must_use]
    pub fn with_incomplete(self, incomplete: Incomplete) -> Self {
        Self { incomplete: Some(incomplete), ..self }
    }

    /// The text that `--json` writes.
    ///
    /// # Errors
    /// None that a report can cause: it has only names, texts and numbers.
    pub fn to_json(&self) -> serde_json::Result<String> {
        Ok(shared::json::to_string_pretty(self)? + "\n")
    }
}

impl SessionReport {
    /// The report of a session with the client at this place that ended `now` with `end`; `source` is what its source
    /// read.
    pub fn new(session: &Session, at: &Whereabouts, source: Option<SourceFigures>, end: End, now: Micros) -> Self {
        let (mut figures, clock) = (session.tally().figures(), session.clock_offset(now));
        let client = session.client().map(|info| ClientReport { info: info.clone(), at: at.clone() });
        if end == End::Running {
            // Frames in flight: the counts add up in the report of a running session too.
            let counts = &mut figures.frames.counts;
            counts.unresolved = counts.sent.saturating_sub(counts.finished() - counts.unresolved);
        }
        let mut warnings = session.tally().warnings(&figures, clock.map(|clock| clock.uncertainty_us));
        warnings.extend(at.udp_buffers.and_then(|granted| doctor::capped(&figures, granted)));
        Self {
            session: session.number(),
            client,
            end,
            figures,
            connect_us: session.connect_us(),
            first_score_us: session.first_score_us(),
            clock: clock.into(),
            ignored_messages: session.ignored_messages(),
            pipeline_errors: None,
            warnings,
            gates: Vec::new(),
            source: source.map(|figures| SourceReport::new(figures, session)),
            encoding: EncodingReport::new(session.encoding()),
            recording: None,
        }
    }

    /// The same report of a session that was recorded like this.
    #[must_use]
    pub fn recorded(self, recording: Option<RecordingReport>) -> Self {
        Self { recording, ..self }
    }

    /// The same report of a session for which the run asks for this encoding.
    #[must_use]
    pub fn asked_for(mut self, encoding: StreamEncoding) -> Self {
        self.encoding.asked = encoding;
        self
    }
}

impl EncodingReport {
    /// The report of a session that was served in the encoding that the run asks for.
    fn new(used: StreamEncoding) -> Self {
        Self { asked: used, used, lossy: used.is_lossy() }
    }
}

impl SourceReport {
    fn new(SourceFigures { read, passed_over, broken, decode_us, device }: SourceFigures, session: &Session) -> Self {
        let (late, ran_out) = (session.late_frames(), session.is_source_over());
        Self { read, late, passed_over, broken, decode_us, device, ran_out }
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

#[cfg(test)]
pub(crate) mod tests {
    use shared::time::Micros;

    use super::{ClockReport, EncodingReport, Run, SessionReport};
    use crate::run::{RunConfig, RunSpec};
    use crate::score::latency::FrameLatency;
    use crate::score::record::{FrameRecord, Outcome};
    use crate::session::{End, Tally};
    use crate::task::TaskName;
    use crate::truth::Truth;

    /// A run with default options.
    pub(crate) fn run() -> Run {
        Run { version: "0", seed: 7, config: RunConfig::new(&crate::options::defaults::<RunSpec>()) }
    }

    /// A session with this number in which nothing was sent, and whose end has a line break.
    pub(crate) fn session(session: u64) -> SessionReport {
        SessionReport {
            session,
            client: None,
            end: End::ClientLeft { reason: "two\nlines".into() },
            figures: Tally::new(TaskName::default()).figures(),
            connect_us: None,
            first_score_us: None,
            clock: ClockReport { offset_us: None, uncertainty_us: None },
            ignored_messages: 0,
            pipeline_errors: None,
            warnings: Vec::new(),
            gates: Vec::new(),
            source: None,
            encoding: EncodingReport::default(),
            recording: None,
        }
    }

    /// The record of an answered frame that has a latency and nothing else.
    pub(crate) fn record(id: u64) -> FrameRecord {
        let latency = FrameLatency {
            total_us: 50,
            encode_us: 1,
            to_client_us: None,
            queue_us: None,
            detect_us: None,
            back_us: None,
        };
        FrameRecord {
            id,
            source_index: id,
            captured: Micros(id * 100),
            truth: Truth::Unknown,
            outcome: Outcome::Answered,
            warmup: false,
            latency: Some(latency),
            truth_cells: Default::default(),
            answer: Some(Default::default()),
            residual: Default::default(),
        }
    }
}
