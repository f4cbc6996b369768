//! What a frame really shows.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use server::truth::{Limit, Truth as FrameTruth};
use shared::geometry::Circle;

/// What a frame really shows.
///
/// `kind` is `ball`, `balls`, `no ball` or `unknown`. `x`, `y` and `radius` are those of the ball at mid-exposure, in
/// px. `limit` is the Cramér–Rao bound: the smallest mean L1 error of any unbiased estimate, in px. If `is_bound` is
/// false, rounding is the only error, and the same formula gives only a reference. `count` is the number of balls.
#[pyclass(frozen, module = "plumb", eq)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Truth {
    /// `ball`, `balls`, `no ball` or `unknown`.
    #[pyo3(get)]
    kind: String,
    #[pyo3(get)]
    x: Option<f64>,
    #[pyo3(get)]
    y: Option<f64>,
    #[pyo3(get)]
    radius: Option<f64>,
    #[pyo3(get)]
    limit: Option<f64>,
    #[pyo3(get)]
    is_bound: bool,
    #[pyo3(get)]
    count: Option<u32>,
}

impl From<FrameTruth> for Truth {
    fn from(truth: FrameTruth) -> Self {
        let nothing = |kind: &str, count| Self {
            kind: kind.into(),
            x: None,
            y: None,
            radius: None,
            limit: None,
            is_bound: false,
            count,
        };
        match truth {
            FrameTruth::Ball { circle: Circle { x, y, radius }, limit }
            | FrameTruth::Projected { circle: Circle { x, y, radius }, limit, .. } => Self {
                kind: "ball".into(),
                x: Some(x),
                y: Some(y),
                radius: Some(radius),
                limit: limit.px(),
                is_bound: matches!(limit, Limit::Bound(_)),
                count: Some(1),
            },
            FrameTruth::Centre { x, y } => Self { x: Some(x), y: Some(y), ..nothing("ball", Some(1)) },
            FrameTruth::Balls(count) => nothing("balls", Some(count)),
            FrameTruth::Empty => nothing("no ball", Some(0)),
            FrameTruth::Unknown => nothing("unknown", None),
        }
    }
}

#[pymethods]
impl Truth {
    #[new]
    #[pyo3(signature = (kind, x=None, y=None, radius=None, limit=None, is_bound=false, count=None))]
    fn new(
        kind: String,
        x: Option<f64>,
        y: Option<f64>,
        radius: Option<f64>,
        limit: Option<f64>,
        is_bound: bool,
        count: Option<u32>,
    ) -> Self {
        Self { kind, x, y, radius, limit, is_bound, count }
    }

    fn __repr__(&self) -> String {
        let number = |name: &str, value: Option<f64>| value.map(|value| format!(", {name}={value:?}"));
        let mut text = format!("Truth({:?}", self.kind);
        let numbers = [("x", self.x), ("y", self.y), ("radius", self.radius), ("limit", self.limit)];
        text.extend(numbers.into_iter().filter_map(|(name, value)| number(name, value)));
        if self.is_bound {
            text.push_str(", is_bound=True");
        }
        text.extend(self.count.map(|count| format!(", count={count}")));
        text + ")"
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let Self { kind, x, y, radius, limit, is_bound, count } = self;
        let fields = (kind.as_str(), *x, *y, *radius, *limit, *is_bound, *count);
        Ok((py.get_type::<Self>().into_any(), fields.into_pyobject(py)?))
    }
}
