//! Gates: the server's parser and judge.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use serde_json::Value;
use server::gate::{Condition, EXAMPLE, NotACondition, judge_report, reason};

/// Judges each condition on a JSON report. Gives, for each condition, the verdicts on its sessions, as JSON.
///
/// # Errors
/// `TypeError` for a condition that is not a string, `ValueError` for one that cannot be parsed or names an unknown
/// figure.
#[pyfunction]
pub(crate) fn judge(report: &str, conditions: &Bound<'_, PyList>) -> PyResult<String> {
    let conditions: Vec<_> = conditions.iter().map(|text| condition(&text)).collect::<PyResult<_>>()?;
    let judged = judge_report(&read(report)?, &conditions).map_err(|wrong| PyValueError::new_err(wrong.to_string()))?;
    serde_json::to_string(&judged).map_err(|wrong| PyValueError::new_err(wrong.to_string()))
}

/// Why the figure of a session, as JSON, is null.
#[pyfunction]
pub(crate) fn absence(session: &str, path: &str) -> PyResult<String> {
    Ok(reason(&read(session)?, path))
}

fn condition(text: &Bound<'_, PyAny>) -> PyResult<Condition> {
    let Ok(string) = text.cast::<PyString>() else {
        let shown = text.repr()?;
        return Err(PyTypeError::new_err(format!("a condition is a string such as {EXAMPLE}, not {shown}")));
    };
    string.to_str()?.parse().map_err(|wrong| match wrong {
        NotACondition::Unreadable { advice, .. } => match text.repr() {
            Ok(shown) => PyValueError::new_err(format!("{shown} is not a condition: {advice}")),
            Err(error) => error,
        },
        NotACondition::Unit(wrong) => PyValueError::new_err(wrong),
        NotACondition::TooLarge(_) => PyValueError::new_err(wrong.to_string()),
    })
}

fn read(json: &str) -> PyResult<Value> {
    serde_json::from_str(json).map_err(|wrong| PyValueError::new_err(format!("not JSON: {wrong}")))
}
