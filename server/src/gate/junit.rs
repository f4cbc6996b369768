//! Verdicts as JUnit's XML, which CI systems read: a test suite for each session, a test case for each gate.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, FixedOffset, Utc};
use quick_junit::{NonSuccessKind, Property, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use shared::text::Escaped;

use super::verdict::{GateVerdict, Verdict};
use crate::output::report::Run;

/// Name of the report, and of the suite of a run without a session.
const NAME: &str = "plumb";

/// A session that was judged.
#[derive(Clone, Debug)]
pub struct JudgedSession {
    /// Its number.
    pub session: u64,
    /// Program and version of its client, and where it was.
    pub client: Option<(String, String)>,
    /// When it ended.
    pub ended: SystemTime,
    /// Its duration, counted from its hello.
    pub took: Duration,
    /// The verdicts on it.
    pub gates: Vec<GateVerdict>,
}

/// The XML of a run. It has the sessions that were judged, or if there are none, `worst`: the gates without data. With
/// `strict` an inconclusive gate is a failure, otherwise a skipped test.
///
/// # Errors
/// Names, texts and numbers cause none.
pub fn render(
    run: &Run,
    began: SystemTime,
    sessions: &[JudgedSession],
    worst: &[GateVerdict],
    strict: bool,
) -> Result<String, SerializeError> {
    let mut report = Report::new(NAME);
    report.set_timestamp(stamp(began));
    report.set_time(sessions.iter().map(|session| session.took).sum());
    if sessions.is_empty() {
        let mut suite = TestSuite::new("no session");
        suite.add_properties(properties(run));
        suite.add_test_cases(worst.iter().map(|gate| case(gate, strict)));
        report.add_test_suite(suite);
    }
    report.add_test_suites(sessions.iter().map(|session| suite(run, session, strict)));
    report.to_string()
}

fn suite(run: &Run, session: &JudgedSession, strict: bool) -> TestSuite {
    let mut suite = TestSuite::new(format!("session {}", session.session));
    suite.set_timestamp(stamp(session.ended)).set_time(session.took);
    suite.add_properties(properties(run));
    if let Some((client, address)) = &session.client {
        suite.add_property(Property::new("client", escaped(client)));
        suite.extra.insert("hostname".into(), escaped(address).into());
    }
    suite.add_test_cases(session.gates.iter().map(|gate| case(gate, strict)));
    suite
}

fn properties(run: &Run) -> [Property; 2] {
    [Property::new("version", run.version), Property::new("seed", run.seed.to_string())]
}

fn case(gate: &GateVerdict, strict: bool) -> TestCase {
    let status = match gate.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail => non_success(NonSuccessKind::Failure, "fail", gate),
        Verdict::NoData => non_success(NonSuccessKind::Error, "no_data", gate),
        Verdict::Inconclusive if strict => non_success(NonSuccessKind::Failure, "inconclusive", gate),
        Verdict::Inconclusive => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(escaped(&gate.message));
            skipped
        }
    };
    let mut case = TestCase::new(gate.condition.as_str(), status);
    let group = gate.condition.split(['.', ' ']).next().unwrap_or_default();
    case.set_classname(format!("plumb.gate.{group}")).set_assertions(1).set_time(Duration::ZERO);
    case.set_system_out(escaped(&gate.message));
    case
}

fn non_success(kind: NonSuccessKind, of_type: &str, gate: &GateVerdict) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(escaped(&gate.message)).set_type(of_type);
    status
}

/// A text whose control and format characters are escapes: XML allows some of them as they are, and none of the others.
fn escaped(text: &str) -> String {
    Escaped(text).to_string()
}

fn stamp(at: SystemTime) -> DateTime<FixedOffset> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let utc = DateTime::<Utc>::from_timestamp(since.as_secs() as i64, since.subsec_nanos()).unwrap_or_default();
    utc.fixed_offset()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Condition;
    use crate::output::report::tests::run;

    fn gate(condition: &str, verdict: Verdict) -> GateVerdict {
        let condition: Condition = condition.parse().unwrap();
        GateVerdict { verdict, ..GateVerdict::without_data(&condition, Some(3), "0.07 is <not> <= 0.05".into()) }
    }

    fn rendered(sessions: &[JudgedSession], worst: &[GateVerdict], strict: bool) -> Report {
        let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let xml = render(&run(), began, sessions, worst, strict).unwrap();
        assert!(
            xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>") && xml.contains("2001-09-09T01:46:40"),
            "{xml}"
        );
        assert!(!xml.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{xml:?}");
        Report::deserialize_from_str(&xml).unwrap_or_else(|wrong| panic!("{wrong}: {xml}"))
    }

    #[test]
    fn each_session_is_a_suite_and_each_gate_a_test() {
        let gates = vec![
            gate("error_px.l1.mean <= 0.05", Verdict::Fail),
            gate("latency_us.p99 <= 20ms", Verdict::Pass),
            gate("frames.missed <= 0.1%", Verdict::Inconclusive),
            gate("error_px.nees <= 2", Verdict::NoData),
        ];
        let session = JudgedSession {
            session: 3,
            client: Some(("evil\u{1b}[2J\u{9b}2J\u{202e} 1.0".into(), "127.0.0.1:9".into())),
            ended: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_005),
            took: Duration::from_millis(5_250),
            gates,
        };
        for (strict, failures, skipped) in [(false, 1, 1), (true, 2, 0)] {
            let report = rendered(std::slice::from_ref(&session), &[], strict);
            let suite = &report.test_suites[0];
            assert_eq!((suite.name.as_str(), report.test_suites.len()), ("session 3", 1));
            let counts = (suite.tests, suite.failures, suite.errors, suite.skipped);
            assert_eq!(counts, (4, failures, 1, skipped));
            assert_eq!((report.tests, report.failures, report.errors), (4, failures, 1));
            let client = suite.properties.iter().find(|property| property.name.as_str() == "client").unwrap();
            assert_eq!(client.value.as_str(), "evil\\u{1b}[2J\\u{9b}2J\\u{202e} 1.0");
            let case = &suite.test_cases[0];
            assert_eq!(case.name.as_str(), "error_px.l1.mean <= 0.05");
            assert_eq!(case.classname.as_ref().unwrap().as_str(), "plumb.gate.error_px");
        }
    }

    #[test]
    fn a_run_without_a_session_is_a_suite_of_errors() {
        let report = rendered(&[], &[gate("frames.missed == 0", Verdict::NoData)], false);
        assert_eq!((report.tests, report.errors, report.test_suites[0].name.as_str()), (1, 1, "no session"));
    }
}
