//! What pages show of the sessions: figures, the last frames' latencies and errors, and the last picture.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use shared::canvas::colour::Look;
use shared::canvas::pairing::Pairing;

use super::picture::Shot;
use crate::gate::{GateVerdict, Judge};
use crate::output::Picture;
use crate::output::report::SessionReport;
use crate::score::record::{FrameRecord, Outcome};
use crate::task::TaskName;

/// Frames in the charts: 10 s at 60 frames per second.
const POINTS: usize = 600;

/// Ended sessions that are kept to be shown.
const ENDED: usize = 32;

/// Maximum number of bytes of the last pictures of all ended sessions together: 54 of 640x480 in gray, more than sessions
/// are kept. Of larger frames fewer sessions keep theirs, and always the session that ended last.
const ENDED_BYTES: usize = 16 << 20;

/// Sessions that the page lists.
const LISTED: usize = 64;

/// What pages show.
#[derive(Debug)]
pub(super) struct State {
    run: Value,
    task: TaskName,
    judge: Arc<Judge>,
    look: Look,
    gates: Vec<GateVerdict>,
    sessions: BTreeMap<u64, Seen>,
}

/// What is known of a session.
#[derive(Debug, Default)]
struct Seen {
    has_ended: bool,
    report: Option<Box<SessionReport>>,
    points: VecDeque<Point>,
    frames: Pairing<Picture, FrameRecord>,
}

/// A frame in the charts: its id, latency in ms, the value of the task's chart, and its outcome's index.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Point(u64, Option<f64>, Option<f64>, usize);

/// A message to a page.
#[derive(Serialize)]
struct Figures<'a> {
    run: &'a Value,
    chart: Chart,
    sessions: Vec<Row<'a>>,
    /// The session that is shown; `null` if there was none.
    session: Option<u64>,
    /// Its report, as `--json` writes it.
    report: Option<&'a SessionReport>,
    points: Option<&'a VecDeque<Point>>,
    gates: &'a [GateVerdict],
}

/// The values of the task's chart.
#[derive(Serialize)]
struct Chart {
    heading: &'static str,
    unit: &'static str,
}

/// A session in the list.
#[derive(Serialize)]
struct Row<'a> {
    session: u64,
    has_ended: bool,
    name: Option<&'a str>,
    answered: Option<u64>,
    lost: Option<u64>,
}

impl State {
    pub(super) fn new(run: Value, task: TaskName, judge: Arc<Judge>, look: Look) -> Self {
        let gates = judge.verdicts();
        Self { run, task, judge, look, gates, sessions: BTreeMap::new() }
    }

    pub(super) fn started(&mut self, session: u64) {
        self.sessions.insert(session, Seen::default());
    }

    pub(super) fn picture(&mut self, session: u64, id: u64, picture: Picture) {
        self.of(session).frames.picture(id, picture);
    }

    pub(super) fn frame(&mut self, session: u64, record: &FrameRecord) {
        let value = self.task.chart().value_of(record);
        let seen = self.of(session);
        if seen.points.len() >= POINTS {
            seen.points.pop_front();
        }
        let latency = record.latency.map(|latency| latency.total_us as f64 / 1e3);
        seen.points.push_back(Point(record.id, latency, value, place(record.outcome)));
        seen.frames.scored(record.id, record.clone());
    }

    pub(super) fn running(&mut self, report: &SessionReport) {
        self.gates = self.judge.standing(report);
        self.of(report.session).report = Some(Box::new(report.clone()));
    }

    /// A session is over. A session whose client never said hello is not shown.
    pub(super) fn ended(&mut self, report: &SessionReport) {
        if !self.sessions.contains_key(&report.session) {
            return;
        }
        self.gates = self.judge.verdicts();
        let seen = self.of(report.session);
        (seen.has_ended, seen.report) = (true, Some(Box::new(report.clone())));
        seen.frames.end();
        self.forget_pictures(report.session);
        let ended = self.sessions.iter().filter(|(_, seen)| seen.has_ended);
        if ended.clone().count() > ENDED
            && let Some(oldest) = ended.map(|(session, _)| *session).next()
        {
            self.sessions.remove(&oldest);
        }
    }

    /// Forgets the pictures of the oldest ended sessions if they take too much memory, but not those of this session.
    fn forget_pictures(&mut self, newest: u64) {
        let mut bytes = self.sessions.get(&newest).map_or(0, Seen::picture_bytes);
        for (_, seen) in self.sessions.iter_mut().rev().filter(|(session, seen)| seen.has_ended && **session != newest)
        {
            bytes += seen.picture_bytes();
            if bytes > ENDED_BYTES {
                seen.frames.forget();
            }
        }
    }

    /// The session to show: the one that was asked for, if it is known. Otherwise the running session that began last,
    /// or if none is running, the session that began last.
    pub(super) fn shown(&self, asked: Option<u64>) -> Option<u64> {
        let going_on = self.sessions.iter().rev().find(|(_, seen)| !seen.has_ended).map(|(session, _)| *session);
        asked
            .filter(|asked| self.sessions.contains_key(asked))
            .or(going_on)
            .or_else(|| self.sessions.last_key_value().map(|(session, _)| *session))
    }

    /// The message with the figures of this session, as JSON.
    pub(super) fn figures(&self, session: Option<u64>) -> String {
        let seen = session.and_then(|session| self.sessions.get(&session));
        let chart = self.task.chart();
        let listed = self.sessions.iter().rev().take(LISTED);
        let figures = Figures {
            run: &self.run,
            chart: Chart { heading: chart.heading, unit: chart.unit },
            sessions: listed.map(|(session, seen)| row(*session, seen)).collect(),
            session,
            report: seen.and_then(|seen| seen.report.as_deref()),
            points: seen.map(|seen| &seen.points),
            gates: &self.gates,
        };
        // Names, texts and numbers can always be written.
        shared::json::to_string(&figures).unwrap_or_default()
    }

    /// The last picture of this session whose frame has its outcome, if it is another than `before`.
    pub(super) fn shot(&self, session: u64, before: Option<u64>) -> Option<Shot> {
        let (picture, record) = self.sessions.get(&session)?.frames.last()?;
        let (task, look) = (self.task, self.look);
        (before != Some(record.id)).then(|| Shot {
            session,
            task,
            look,
            picture: picture.clone(),
            record: record.clone(),
        })
    }

    fn of(&mut self, session: u64) -> &mut Seen {
        self.sessions.entry(session).or_default()
    }
}

impl Seen {
    /// Number of bytes of the last picture.
    fn picture_bytes(&self) -> usize {
        self.frames.last().map_or(0, |(Picture { frame, answer }, _)| {
            frame.bytes().len() + answer.as_ref().map_or(0, |answer| answer.bytes().len())
        })
    }
}

fn row(session: u64, seen: &Seen) -> Row<'_> {
    let report = seen.report.as_deref();
    let counts = report.map(|report| report.figures.frames.counts);
    Row {
        session,
        has_ended: seen.has_ended,
        name: report.and_then(|report| report.client.as_ref()).map(|client| &client.info.name[..]),
        answered: counts.map(|counts| counts.answered),
        lost: counts.map(|counts| counts.lost),
    }
}

/// The index of an outcome in [`Outcome::NAMES`].
fn place(outcome: Outcome) -> usize {
    Outcome::NAMES.iter().position(|name| *name == outcome.name()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::{record, run, session};

    fn state() -> State {
        let judge = Arc::new(Judge::new(&run(), Vec::new()));
        State::new(Value::Null, TaskName::default(), judge, Look::default())
    }

    fn figures(state: &State, session: Option<u64>) -> Value {
        serde_json::from_str(&state.figures(session)).unwrap()
    }

    #[test]
    fn the_session_that_goes_on_is_shown_unless_another_is_asked_for() {
        let mut state = state();
        assert_eq!(state.shown(None), None);
        for number in [1, 2, 3] {
            state.started(number);
        }
        assert_eq!(state.shown(None), Some(3));
        state.ended(&session(3));
        assert_eq!((state.shown(None), state.shown(Some(1)), state.shown(Some(9))), (Some(2), Some(1), Some(2)));
        (1..=2).for_each(|number| state.ended(&session(number)));
        assert_eq!(state.shown(None), Some(3));
    }

    #[test]
    fn the_figures_are_those_of_the_report_and_the_last_frames() {
        let mut state = state();
        state.started(7);
        (0..POINTS as u64 + 5).for_each(|id| state.frame(7, &record(id)));
        state.ended(&session(7));
        let figures = figures(&state, Some(7));
        assert_eq!(figures["report"], serde_json::to_value(session(7)).unwrap());
        assert_eq!(figures["points"].as_array().unwrap().len(), POINTS);
        assert_eq!(figures["points"][0], serde_json::json!([5, 0.05, null, 0]));
        assert_eq!(figures["sessions"][0]["has_ended"], true);
    }

    #[test]
    fn a_session_without_a_hello_is_not_shown_and_old_ones_are_forgotten() {
        let mut state = state();
        state.ended(&session(1));
        assert_eq!(state.shown(None), None);
        for number in 2..100 {
            state.started(number);
            state.ended(&session(number));
        }
        assert_eq!(state.sessions.len(), ENDED);
        assert_eq!(figures(&state, None)["sessions"].as_array().unwrap().len(), ENDED);
    }

    #[test]
    fn ended_sessions_keep_their_last_picture_as_long_as_all_of_them_are_few_bytes() {
        let mut state = state();
        let frame = |pixels: u32| {
            let size = shared::geometry::Size { width: pixels, height: 1 << 10 };
            Arc::new(shared::image::Image::zeros(size, shared::image::PixelFormat::Gray8))
        };
        let frames: Vec<_> = [6 << 10, 6 << 10, 6 << 10, 1, 20 << 10, 1].into_iter().map(frame).collect();
        let holders = |session: u64| Arc::strong_count(&frames[session as usize - 1]) - 1;
        let kept = |sessions: std::ops::RangeInclusive<u64>| sessions.map(holders).collect::<Vec<_>>();
        let mut end = |session: u64| {
            state.started(session);
            for id in 0..3 {
                let frame = frames[session as usize - 1].clone();
                state.picture(session, id, Picture { frame, answer: None });
            }
            state.frame(session, &record(1));
            state.ended(&self::session(session));
        };
        (1..=2).for_each(&mut end);
        assert_eq!(kept(1..=2), [1, 1]);
        // 6 MiB each: only two of them fit into 16 MiB.
        (3..=4).for_each(&mut end);
        assert_eq!(kept(1..=4), [0, 1, 1, 1]);
        // The last one is kept however large it is.
        end(5);
        assert_eq!(kept(1..=5), [0, 0, 0, 0, 1]);
        end(6);
        assert_eq!(kept(1..=6), [0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn a_picture_is_shown_when_its_outcome_is_final_and_only_once() {
        let mut state = state();
        state.started(1);
        let frame = Arc::new(shared::image::Image::zeros(
            shared::geometry::Size { width: 4, height: 3 },
            shared::image::PixelFormat::Gray8,
        ));
        state.picture(1, 5, Picture { frame, answer: None });
        assert!(state.shot(1, None).is_none(), "its truth may not be told yet");
        state.frame(1, &record(5));
        assert_eq!(state.shot(1, None).unwrap().record.id, 5);
        assert!(state.shot(1, Some(5)).is_none() && state.shot(1, Some(4)).is_some());
    }
}
