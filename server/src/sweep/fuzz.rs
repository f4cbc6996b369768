//! The properties of plans that the fuzzer checks, as part of the target `files`.

use std::path::Path;

use super::plan::Plan;

/// Checks that a plan's first and last trial, if they can be made, have the same names whenever they are made, and that
/// a plan that is refused is refused with a reason.
///
/// # Panics
/// If one of these properties does not hold.
pub(crate) fn plan(text: &str) {
    match Plan::of_text(Path::new("plan.toml"), text.to_owned()) {
        Ok(plan) => {
            assert!((1..=u64::from(u32::MAX)).contains(&plan.trials()), "{} trials", plan.trials());
            for number in [1, plan.trials()] {
                let id = || plan.trial(number).map(|trial| trial.id()).ok();
                assert_eq!(id(), id());
            }
        }
        Err(wrong) => assert!(!wrong.to_string().is_empty()),
    }
}
