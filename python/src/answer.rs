//! A pipeline's answers, from Python to the task.

use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyList, PyString, PyTuple};
use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::protocol::encoding::Encoding;
use shared::protocol::message::{CIRCLE_TASK, IMAGE_TASK, Payload, Value};

use crate::circle::Circle;
use crate::fault::Fault;

/// Names of the tasks `count` and `ack`, which are also the kinds and fields of their answers.
const COUNT: &str = "count";
const ACK: &str = "ack";

/// Reads what a pipeline returned.
///
/// # Errors
/// [`Fault`] names what was returned, and what would be right.
pub(crate) fn payload(task: &str, returned: &Bound<'_, PyAny>) -> Result<Payload<'static>, Fault> {
    match task {
        CIRCLE_TASK => circle(returned),
        COUNT => match whole(returned) {
            Some(count) => Ok(Payload::new(COUNT).with(COUNT, Value::Integer(count?))),
            None => Err(other(task, returned, "an int, the number of balls")),
        },
        ACK if returned.is_none() => Ok(acknowledged(0)),
        ACK => match whole(returned) {
            Some(code) => Ok(acknowledged(code?)),
            None => Err(other(task, returned, "None or an int")),
        },
        IMAGE_TASK => image(returned),
        _ => Err(Fault::Type(format!("the task \"{task}\" is not known to this version of plumb"))),
    }
}

fn acknowledged(code: i128) -> Payload<'static> {
    Payload::new(ACK).with("code", Value::Integer(code))
}

fn circle(returned: &Bound<'_, PyAny>) -> Result<Payload<'static>, Fault> {
    if returned.is_none() {
        return Ok(Payload::new("none"));
    }
    if let Ok(circle) = returned.cast::<Circle>() {
        return Ok(circle.get().payload());
    }
    let wrong = || other(CIRCLE_TASK, returned, "None, (x, y), (x, y, radius) or a plumb.Circle");
    match numbers(returned).as_deref() {
        Some([x, y]) => Ok(Circle::at(*x, *y, None).payload()),
        Some([x, y, radius]) => Ok(Circle::at(*x, *y, Some(*radius)).payload()),
        _ => Err(wrong()),
    }
}

/// Two or three numbers in a tuple, a list or an array of one dimension.
fn numbers(returned: &Bound<'_, PyAny>) -> Option<Vec<f64>> {
    let is_list = returned.is_instance_of::<PyTuple>() || returned.is_instance_of::<PyList>();
    // Arrays of numpy, and objects that can become one, such as tensors. Sets and texts have entries too, but no order
    // or numbers.
    let is_listed = is_list || returned.hasattr("__array__").ok()?;
    if !is_listed || !(2..=3).contains(&returned.len().ok()?) {
        return None;
    }
    returned.try_iter().ok()?.map(|entry| real(&entry.ok()?)).collect()
}

/// A number of Python or numpy. Booleans do not count as numbers. Neither do complex numbers, although numpy's have
/// `__float__`.
pub(crate) fn real(value: &Bound<'_, PyAny>) -> Option<f64> {
    let kind = value.get_type().name().ok()?.to_string();
    if kind.starts_with("bool") || kind.starts_with("complex") {
        return None;
    }
    match value.extract() {
        Ok(number) => Some(number),
        // A whole number of more than 308 digits: too large for any task.
        Err(_) if value.is_instance_of::<PyInt>() => Some(f64::INFINITY),
        Err(_) => None,
    }
}

/// A whole number of Python or numpy; `None` for anything else, including booleans.
fn whole(value: &Bound<'_, PyAny>) -> Option<Result<i128, Fault>> {
    if value.is_instance_of::<PyBool>() {
        return None;
    }
    let index = match value.is_instance_of::<PyInt>() {
        true => value.clone(),
        false => value.call_method0("__index__").ok()?,
    };
    Some(index.extract().map_err(|_| Fault::Value(format!("the pipeline's answer: {index} is too large"))))
}

fn image(returned: &Bound<'_, PyAny>) -> Result<Payload<'static>, Fault> {
    let right = "a numpy array of uint8, (height, width) or (height, width, 3), or of uint16, (height, width)";
    let wrong = || other(IMAGE_TASK, returned, right);
    let size = |height: usize, width: usize| {
        Size::new(width as u64, height as u64).map_err(|error| Fault::Value(format!("the pipeline's answer: {error}")))
    };
    if let Ok(deep) = returned.cast::<PyArrayDyn<u16>>() {
        let [height, width] = *deep.shape() else { return Err(wrong()) };
        let data = deep.readonly().as_array().iter().flat_map(|value| value.to_le_bytes()).collect();
        return Ok(client::pipeline::image_payload(size(height, width)?, PixelFormat::Gray16, data, Encoding::Raw));
    }
    let array = returned.cast::<PyArrayDyn<u8>>().map_err(|_| wrong())?;
    let (pixel, [height, width]) = match *array.shape() {
        [height, width] => (PixelFormat::Gray8, [height, width]),
        [height, width, 3] => (PixelFormat::Bgr8, [height, width]),
        _ => return Err(wrong()),
    };
    let size = size(height, width)?;
    let data = array.to_vec_in_rows();
    Ok(client::pipeline::image_payload(size, pixel, data, Encoding::Raw))
}

/// The bytes of an array, row by row, whatever its layout in memory.
trait InRows {
    fn to_vec_in_rows(&self) -> Vec<u8>;
}

impl InRows for Bound<'_, PyArrayDyn<u8>> {
    fn to_vec_in_rows(&self) -> Vec<u8> {
        let array = self.readonly();
        // A slice of an array in Fortran's order would have its columns one after another.
        match array.as_slice() {
            Ok(bytes) if self.is_c_contiguous() => bytes.to_vec(),
            _ => array.as_array().iter().copied().collect(),
        }
    }
}

fn other(task: &str, returned: &Bound<'_, PyAny>, right: &str) -> Fault {
    Fault::Type(format!("the pipeline returned {}; in the task {task} it returns {right}", described(returned)))
}

/// Describes a value for people: `a str`, `a tuple of 2 (str, int)`, `an array of float64 with shape (2, 2)`.
pub(crate) fn described(value: &Bound<'_, PyAny>) -> String {
    if let Ok(array) = value.cast::<PyUntypedArray>() {
        let shape = value.getattr("shape").map_or_else(|_| String::new(), |shape| format!(" with shape {shape}"));
        return format!("an array of {}{shape}", array.dtype());
    }
    if value.is_none() {
        return "None".into();
    }
    let name = type_name(value);
    // The pronunciation decides: an int, but a uint8.
    let has_vowel = name.starts_with(['a', 'e', 'i', 'o']) || name.starts_with('u') && !name.starts_with("ui");
    let article = if has_vowel { "an" } else { "a" };
    if let Some(entries) = few_entries(value) {
        let kinds: Vec<_> = entries.iter().map(|entry| type_name(entry)).collect();
        return format!("{article} {name} of {} ({})", kinds.len(), kinds.join(", "));
    }
    match value.len() {
        Ok(length) if !value.is_instance_of::<PyString>() => format!("{article} {name} of {length}"),
        _ => format!("{article} {name}"),
    }
}

/// The entries of a tuple or list, if there are few.
fn few_entries<'py>(value: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
    let is_list = value.is_instance_of::<PyTuple>() || value.is_instance_of::<PyList>();
    (is_list && (1..=4).contains(&value.len().ok()?)).then(|| value.try_iter().ok()?.collect::<PyResult<_>>().ok())?
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string())
}
