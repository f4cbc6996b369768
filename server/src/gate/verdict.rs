//! The verdict on a gate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Condition;

/// The verdict on a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The condition holds, and the 95 % bound of the figure is inside the limit.
    Pass,
    /// The frames do not decide: the limit lies between the bounds.
    Inconclusive,
    /// There is nothing to judge. It never passes.
    NoData,
    /// The condition does not hold, and the 95 % bound of the figure is outside the limit.
    Fail,
}

/// A gate and its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateVerdict {
    /// The condition, such as `latency_us.p99 <= 20 ms`.
    pub condition: String,
    /// Number of the session that was judged; `null` if none was.
    pub session: Option<u64>,
    /// The verdict.
    pub verdict: Verdict,
    /// The figure, in its own unit; if a count is compared with a percentage, its share of the frames sent.
    pub value: Option<f64>,
    /// The limit, in the unit of the figure.
    pub limit: f64,
    /// The figure is at least this, with 95 % confidence; `null` if it is exact, or if there are too few frames.
    pub low: Option<f64>,
    /// The figure is at most this, with 95 % confidence; `null` if it is exact, or if there are too few frames.
    pub high: Option<f64>,
    /// Number of samples behind the figure; `null` if it is exact.
    pub samples: Option<u64>,
    /// Number of frames that would decide the gate; only if it is inconclusive.
    pub frames_needed: Option<u64>,
    /// The verdict in words.
    pub message: String,
}

impl Verdict {
    /// The verdict for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::NoData => "no data",
            Self::Fail => "FAIL",
        }
    }

    /// Whether a run with this verdict ends with exit code 1. With `strict`, an inconclusive gate counts as failed.
    pub fn fails(self, strict: bool) -> bool {
        match self {
            Self::Pass => false,
            Self::Inconclusive => strict,
            Self::NoData | Self::Fail => true,
        }
    }
}

impl GateVerdict {
    /// A gate without anything to judge.
    pub(super) fn without_data(condition: &Condition, session: Option<u64>, message: String) -> Self {
        Self {
            condition: condition.to_string(),
            session,
            verdict: Verdict::NoData,
            value: None,
            limit: condition.limit(),
            low: None,
            high: None,
            samples: None,
            frames_needed: None,
            message,
        }
    }
}

/// A gate on a figure that has no value, for this reason.
pub(crate) fn without_data(condition: &Condition, message: String) -> GateVerdict {
    GateVerdict::without_data(condition, None, message)
}

/// The worst verdict on each gate of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Worst {
    gates: Vec<GateVerdict>,
    /// Whether any session was judged.
    is_judged: bool,
}

impl Worst {
    /// The verdicts before any session was judged: no data.
    pub fn new(conditions: &[Condition]) -> Self {
        let nothing = |condition| GateVerdict::without_data(condition, None, "no session sent a frame".to_owned());
        Self { gates: conditions.iter().map(nothing).collect(), is_judged: false }
    }

    /// Continues from the verdicts of a report that was read. A condition that it does not have was not judged yet.
    pub fn kept(conditions: &[Condition], gates: &[GateVerdict]) -> Self {
        let mut worst = Self::new(conditions);
        for nothing in &mut worst.gates {
            if let Some(kept) = gates.iter().find(|kept| kept.condition == nothing.condition) {
                *nothing = kept.clone();
            }
        }
        worst.is_judged = worst.gates.iter().any(|gate| gate.session.is_some());
        worst
    }

    /// Adds the verdicts on a session, in the order of the conditions; none if it was not judged.
    pub fn add(&mut self, session: &[GateVerdict]) {
        if session.is_empty() {
            return;
        }
        for (worst, verdict) in self.gates.iter_mut().zip(session) {
            if !self.is_judged || verdict.verdict > worst.verdict {
                *worst = verdict.clone();
            }
        }
        self.is_judged = true;
    }

    /// The worst verdict on each gate.
    pub fn gates(&self) -> &[GateVerdict] {
        &self.gates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_verdicts_stay_and_a_new_condition_starts_without_data() {
        let conditions = ["frames.lost == 0", "frames.missed == 0"].map(|text| text.parse::<Condition>().unwrap());
        let failed =
            GateVerdict { verdict: Verdict::Fail, ..GateVerdict::without_data(&conditions[1], Some(3), String::new()) };
        let kept = Worst::kept(&conditions, std::slice::from_ref(&failed));
        assert_eq!((kept.gates()[0].session, &kept.gates()[1]), (None, &failed));
        let (mut nothing, fresh) = (Worst::kept(&conditions, &[]), Worst::new(&conditions));
        assert_eq!(nothing, fresh);
        let passed = |at: usize| GateVerdict {
            verdict: Verdict::Pass,
            ..GateVerdict::without_data(&conditions[at], Some(4), String::new())
        };
        nothing.add(&[passed(0), passed(1)]);
        assert_eq!(nothing.gates()[0].verdict, Verdict::Pass);
    }

    #[test]
    fn the_worst_session_counts_and_without_one_there_is_no_data() {
        let condition: Condition = "frames.missed == 0".parse().unwrap();
        let verdict = |session, verdict| GateVerdict {
            verdict,
            ..GateVerdict::without_data(&condition, Some(session), String::new())
        };
        let mut worst = Worst::new(std::slice::from_ref(&condition));
        worst.add(&[]);
        assert_eq!((worst.gates()[0].verdict, worst.gates()[0].session), (Verdict::NoData, None));
        for (session, added, expected) in [
            (1, Verdict::Pass, (Verdict::Pass, 1)),
            (2, Verdict::Inconclusive, (Verdict::Inconclusive, 2)),
            (3, Verdict::Pass, (Verdict::Inconclusive, 2)),
            (4, Verdict::NoData, (Verdict::NoData, 4)),
            (5, Verdict::Fail, (Verdict::Fail, 5)),
            (6, Verdict::NoData, (Verdict::Fail, 5)),
        ] {
            worst.add(&[verdict(session, added)]);
            assert_eq!((worst.gates()[0].verdict, worst.gates()[0].session), (expected.0, Some(expected.1)));
        }
    }
}
