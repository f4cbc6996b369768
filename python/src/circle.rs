//! A circle, with its covariance and ellipse if the detector knows them.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use shared::protocol::message::{Ellipse, Payload, Value};

use crate::answer::real;

/// Fields of a circle: the arguments of its constructor, in order.
type Fields = (f64, f64, Option<f64>, Option<[f64; 3]>, Option<[f64; 2]>, Option<f64>);

/// A circle that a pipeline found. Only its centre is scored.
///
/// `x`, `y` and `radius` are in px. `cov` is the covariance of the centre, `(xx, xy, yy)` in px², or a symmetric matrix
/// of 2x2. `axes` are the half-axes (a, b) of an ellipse in px, a >= b, with `angle`, the direction of a from +x
/// towards +y in radians, from 0 to below pi.
#[pyclass(frozen, module = "plumb", eq)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Circle {
    #[pyo3(get)]
    x: f64,
    #[pyo3(get)]
    y: f64,
    #[pyo3(get)]
    radius: Option<f64>,
    cov: Option<[f64; 3]>,
    axes: Option<[f64; 2]>,
    #[pyo3(get)]
    angle: Option<f64>,
}

impl Circle {
    /// A circle without covariance and ellipse.
    pub(crate) fn at(x: f64, y: f64, radius: Option<f64>) -> Self {
        Self { x, y, radius, cov: None, axes: None, angle: None }
    }

    /// The circle with the covariance of its centre: xx, xy, yy.
    pub(crate) fn with_cov(self, cov: Option<[f64; 3]>) -> Self {
        Self { cov, ..self }
    }

    /// The circle with the ellipse that fits its outline.
    pub(crate) fn with_ellipse(self, ellipse: Option<Ellipse>) -> Self {
        let Some(Ellipse { axes, angle }) = ellipse else { return self };
        Self { axes: Some(axes), angle: Some(angle), ..self }
    }

    /// The circle as an answer. The task checks its numbers.
    pub(crate) fn payload(&self) -> Payload<'static> {
        let mut payload = Payload::new("circle").with("x", Value::Real(self.x)).with("y", Value::Real(self.y));
        for (field, number) in [("radius", self.radius), ("angle", self.angle)] {
            if let Some(number) = number {
                payload = payload.with(field, Value::Real(number));
            }
        }
        let lists =
            [("cov", self.cov.as_ref().map(|cov| &cov[..])), ("axes", self.axes.as_ref().map(|axes| &axes[..]))];
        for (field, numbers) in lists {
            if let Some(numbers) = numbers {
                payload = payload.with(field, Value::Numbers(numbers.iter().copied().collect()));
            }
        }
        payload
    }

    fn fields(&self) -> Fields {
        (self.x, self.y, self.radius, self.cov, self.axes, self.angle)
    }
}

#[pymethods]
impl Circle {
    #[new]
    #[pyo3(signature = (x, y, radius=None, cov=None, axes=None, angle=None))]
    fn new(
        x: f64,
        y: f64,
        radius: Option<f64>,
        cov: Option<&Bound<'_, PyAny>>,
        axes: Option<[f64; 2]>,
        angle: Option<f64>,
    ) -> PyResult<Self> {
        Ok(Self { x, y, radius, cov: cov.map(covariance).transpose()?, axes, angle })
    }

    #[getter]
    fn cov(&self) -> Option<(f64, f64, f64)> {
        self.cov.map(Into::into)
    }

    #[getter]
    fn axes(&self) -> Option<(f64, f64)> {
        self.axes.map(Into::into)
    }

    fn __repr__(&self) -> String {
        let mut text = format!("Circle(x={:?}, y={:?}", self.x, self.y);
        for (name, value) in [("radius", self.radius), ("angle", self.angle)] {
            text.extend(value.map(|value| format!(", {name}={value:?}")));
        }
        text.extend(self.cov.map(|[xx, xy, yy]| format!(", cov=({xx:?}, {xy:?}, {yy:?})")));
        text.extend(self.axes.map(|[a, b]| format!(", axes=({a:?}, {b:?})")));
        text + ")"
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok((self.x, self.y, self.radius).into_pyobject(py)?.try_iter()?.into_any())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        Ok((py.get_type::<Self>().into_any(), self.fields().into_pyobject(py)?))
    }
}

/// Reads (xx, xy, yy), or a symmetric matrix of 2x2.
fn covariance(given: &Bound<'_, PyAny>) -> PyResult<[f64; 3]> {
    let numbers = |list: &Bound<'_, PyAny>| -> Option<Vec<f64>> {
        list.try_iter().ok()?.map(|entry| real(&entry.ok()?)).collect()
    };
    if let Some(&[xx, xy, yy]) = numbers(given).as_deref() {
        return Ok([xx, xy, yy]);
    }
    let rows: Option<Vec<Vec<f64>>> =
        given.try_iter().ok().and_then(|rows| rows.map(|row| numbers(&row.ok()?)).collect());
    match rows.as_deref() {
        Some([first, second]) => match (first.as_slice(), second.as_slice()) {
            (&[xx, xy], &[yx, yy]) if xy == yx => Ok([xx, xy, yy]),
            _ => Err(not_a_covariance(given)),
        },
        _ => Err(not_a_covariance(given)),
    }
}

fn not_a_covariance(given: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("cov is {given}: give (xx, xy, yy) in px², or a symmetric matrix of 2x2"))
}
