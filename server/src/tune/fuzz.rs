//! The properties of a search's plan that the fuzzer checks, as part of the target `files`.

use std::path::Path;

use shared::tuned::Tuned as Setting;

use super::core::effects::probes;
use super::core::goal::{Figure, Sample};
use super::core::results::{Pending, Results};
use super::core::search::{Method, search};
use super::core::space::{Domain, Parameter, Value};
use super::journal::Failures;
use super::plan::{self, Plan};
use super::work::Tuned;
use super::{page, told, written};

/// Most trials, and most seeds of a report, of a search that is played: a few milliseconds.
const MOST_TRIALS: usize = 20;
const MOST_SEEDS: u32 = 10;

/// Checks that a plan is read, or refused with a reason. A search with a plan that is read ends, whatever the pipeline
/// gives; all its settings lie in their ranges, and `best.toml` has the values of its best one.
///
/// # Panics
/// If one of these properties does not hold.
pub(crate) fn plan(text: &str) {
    match plan::of_text(Path::new("plan.toml"), text.to_owned()) {
        Ok(plan) if is_small(&plan) => played(&plan),
        Ok(_) => {}
        Err(wrong) => assert!(!wrong.to_string().is_empty()),
    }
}

fn is_small(plan: &Plan) -> bool {
    let problem = &plan.problem;
    let is_small_grid = match problem.method {
        Method::Grid(values) => problem.space.grid_size(values) <= MOST_TRIALS as u128,
        Method::Cma | Method::Sobol => true,
    };
    problem.trials <= MOST_TRIALS
        && is_small_grid
        && probes(&problem.space) <= 2 * MOST_TRIALS
        && problem.first <= MOST_SEEDS
        && problem.goal.held_out <= MOST_SEEDS
}

/// Plays a search whose pipeline gives figures from a hash of the setting, and fails with some.
fn played(plan: &Plan) {
    let mut results = Results::default();
    let found = loop {
        match search(&plan.problem, &results) {
            Ok(found) => break found,
            Err(Pending(requests)) => {
                assert!(!requests.is_empty());
                for request in requests {
                    for (parameter, value) in plan.problem.space.0.iter().zip(&request.setting.0) {
                        assert!(value.as_ref().is_none_or(|value| is_in(parameter, value)), "{parameter:?}: {value:?}");
                    }
                    for block in request.blocks.clone() {
                        let sample = sample(plan, &request.setting.key(), block);
                        results.note(&request.setting, request.seeds, block, sample);
                    }
                }
            }
        }
    };
    let tuned = Tuned { found, failures: Failures::new() };
    let told = told::told(plan, &tuned);
    assert!(page::text(plan, &tuned, &told).contains("</html>"));
    if let Some(setting) = told.setting {
        let text = written::best(&plan.runs[0], &plan.problem.space, &setting, &told.verdict);
        let again = Setting::parse(&text).unwrap_or_else(|wrong| panic!("{wrong}: {text}"));
        for (parameter, value) in plan.problem.space.0.iter().zip(&setting.0) {
            assert_eq!(again.parameters.get(&parameter.name).map(read), value.clone(), "{text}");
        }
    }
}

fn sample(plan: &Plan, key: &str, block: u32) -> Sample {
    // FNV-1a.
    let hash = |text: &str| {
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    };
    let of_setting = hash(key);
    if of_setting % 7 == 0 {
        return Sample::Failed;
    }
    let figure = (of_setting % 1_000) as f64 + (hash(&format!("{key} {block}")) % 100) as f64;
    let limit = |condition: &crate::gate::Condition| match condition.wants_share() {
        true => Figure::Share { hits: of_setting % 3, all: 100 },
        false => Figure::Value(figure),
    };
    let limits = plan.conditions.iter().map(limit).collect();
    Sample::Measured { objective: figure, limits, time_us: Some(figure), frames: 100 }
}

fn is_in(parameter: &Parameter, value: &Value) -> bool {
    match (&parameter.domain, value) {
        (Domain::Real { from, to, .. }, Value::Real(number)) => (*from..=*to).contains(number),
        (Domain::Whole { from, to, .. }, Value::Whole(number)) => (*from..=*to).contains(number),
        (Domain::Choice(values), value) => values.contains(value),
        _ => false,
    }
}

fn read(value: &toml::Value) -> Value {
    match value {
        toml::Value::Float(number) => Value::Real(*number),
        toml::Value::Integer(number) => Value::Whole(*number),
        toml::Value::Boolean(flag) => Value::Flag(*flag),
        other => Value::Text(other.as_str().unwrap_or_default().to_owned()),
    }
}
