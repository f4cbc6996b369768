//! The report: every session's figures, schema 1, described in `docs/report.md` and `docs/report.schema.json`.

use std::collections::VecDeque;

use serde::Serialize;
use shared::flow::clock::ClockOffset;
use shared::protocol::encoding::StreamEncoding;
use shared::time::Micros;

use crate::camera::CameraConfig;
use crate::session::{ClientInfo, End, Figures, Session};

/// The schema's version.
const SCHEMA: u32 = 1;

/// The latest sessions kept: 30 MB of report, for a server that runs for years.
const KEPT_SESSIONS: usize = 10_000;

/// The whole report.
#[derive(Debug, Serialize)]
pub struct Report {
    schema: u32,
    run: Run,
    sessions: VecDeque<SessionReport>,
    /// Earlier sessions no longer listed.
    sessions_omitted: u64,
}

/// What ran.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The server's version.
    pub version: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// The options that matter for the figures.
    pub config: RunConfig,
}

/// Options, in the units their names say.
#[derive(Clone, Debug, Serialize)]
pub struct RunConfig {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixel layout.
    pub pixel: String,
    /// Frames a second, `null` when only the window limits them.
    pub fps: Option<f64>,
    /// Unanswered frames at a time.
    pub window: u32,
    /// A frame unanswered for this long is lost.
    pub deadline_us: u64,
    /// Frames for each client.
    pub frames: Option<u64>,
    /// Time for each client.
    pub duration_us: Option<u64>,
    /// The ball's radius, or the least of them.
    pub radius_px: f64,
    /// The greatest.
    pub radius_max_px: f64,
    /// Its mean speed along each axis.
    pub speed_px_s: f64,
    /// Whether it may leave the frame in part.
    pub border: bool,
    /// What the camera does to the light.
    pub camera: CameraConfig,
    /// How pixels are encoded, for clients that can read it.
    pub encoding: StreamEncoding,
    /// How frames are delivered.
    pub delivery: &'static str,
    /// In live delivery, how long after its capture a frame may be on its way.
    pub lifetime_us: Option<u64>,
    /// The largest SCTP packet asked for, in bytes; `null` when left to peer and path.
    pub sctp_mtu: Option<u32>,
    /// Whether the client ran in the same process.
    pub loopback: bool,
}

/// A session's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientReport {
    /// Program and version.
    #[serde(flatten)]
    pub info: ClientInfo,
    /// Its signaling address.
    pub address: String,
}

/// `clock` of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClockReport {
    /// Client's clock minus the server's.
    pub offset_us: Option<i64>,
    /// The offset is off by at most this.
    pub uncertainty_us: Option<u64>,
}

impl Report {
    /// The report of a run, without sessions.
    pub fn new(run: Run) -> Self {
        Self { schema: SCHEMA, run, sessions: VecDeque::new(), sessions_omitted: 0 }
    }

    /// Adds a session, in place of the first where there are too many.
    pub fn add(&mut self, session: SessionReport) {
        if self.sessions.len() == KEPT_SESSIONS {
            self.sessions.pop_front();
            self.sessions_omitted += 1;
        }
        self.sessions.push_back(session);
    }
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

#[cfg(test)]
pub(crate) mod tests {
    use crate::score::latency::FrameLatency;
    use crate::score::record::{FrameRecord, Outcome};
    use crate::truth::Truth;
    use shared::time::Micros;

    /// The record of an answered frame of which nothing is known but its latency.
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
            latency: Some(latency),
            truth_cells: Default::default(),
            answer: Some(Default::default()),
            residual: Default::default(),
        }
    }
}
