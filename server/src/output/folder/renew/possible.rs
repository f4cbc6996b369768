//! Refuses counts and times that no run can have: only a file that somebody changed, or that is damaged, has them. All
//! other code may add up a few of them.

use serde_json::Value;

use crate::score::cells::{Cell, Column, ColumnKind};

/// Largest count, and longest time in µs, of a run: 2^53, up to which every program reads a whole number of JSON exactly
/// (RFC 8259, section 6). A run of a million frames per second would take 285 years.
const MOST: u64 = 1 << 53;

/// Parts of a session that are no counts of ours: what a client says of its clock, and limits that a user gave.
const OTHERS: [&str; 2] = ["clock", "gates"];

/// The end of the names of times.
const TIME: &str = "_us";

/// Checks all counts and times of a session of a report.
///
/// # Errors
/// The first that is too large.
pub(super) fn check_session(session: &Value) -> Result<(), String> {
    let mut parts = session.as_object().into_iter().flatten().filter(|(name, _)| !OTHERS.contains(&name.as_str()));
    parts.try_for_each(|(name, part)| check(name, part))
}

/// Checks a count, or all counts of a part of a report.
///
/// # Errors
/// The first that is too large.
pub(super) fn check(name: &str, part: &Value) -> Result<(), String> {
    match part {
        Value::Number(number) if number.as_u64().is_some_and(|count| count > MOST) => {
            Err(format!("its {name} is {number}, and no run has more than {MOST}"))
        }
        Value::Array(parts) => parts.iter().try_for_each(|part| check(name, part)),
        Value::Object(parts) => parts.iter().try_for_each(|(own, part)| check(&format!("{name}.{own}"), part)),
        _ => Ok(()),
    }
}

/// Whether a row may have this value: a time is neither negative nor too long.
pub(super) fn is_possible(column: &Column, value: Cell) -> bool {
    let is_time = column.kind == ColumnKind::Integer && column.name.ends_with(TIME);
    match value {
        Cell::Integer(value) if is_time => u64::try_from(value).is_ok_and(|us| us <= MOST),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_count_that_no_run_has_is_named_wherever_it_is() {
        let said = |session: Value| check_session(&session);
        for (session, name) in [
            (json!({"frames": {"sent": u64::MAX}}), "frames.sent"),
            (json!({"ignored_messages": MOST + 1}), "ignored_messages"),
            (json!({"count": {"confusion": [[1, 2], [MOST + 1]]}}), "count.confusion"),
        ] {
            let wrong = said(session).unwrap_err();
            assert!(wrong.starts_with(&format!("its {name} is ")) && wrong.ends_with("9007199254740992"), "{wrong}");
        }
        let sound = json!({
            "frames": {"sent": MOST}, "error_px": {"l1": {"sum": 1e300}}, "client": null,
            "clock": {"offset_us": i64::MIN, "uncertainty_us": u64::MAX}, "gates": [{"frames_needed": u64::MAX}],
        });
        assert_eq!(said(sound), Ok(()));
    }

    #[test]
    fn a_time_that_no_run_has_is_not_possible_and_other_numbers_are() {
        let (time, number) = (Column::integer("detect_us"), Column::integer("source_index"));
        let possible = |column: &Column, value| is_possible(column, Cell::Integer(value));
        assert!(possible(&time, 0) && possible(&time, 1 << 53) && is_possible(&time, Cell::Empty));
        assert!(!possible(&time, (1 << 53) + 1) && !possible(&time, i64::MAX) && !possible(&time, -1));
        assert!(possible(&number, i64::MAX));
    }
}
