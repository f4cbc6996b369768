//! The server's options as keyword arguments.

use clap::Args;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};
use server::cli::Local;
use server::run::{Entry, GivenMeta, NamedError, Origins, RunSpec, named, names};
use shared::protocol::message::{Meta, MetaValue};

/// Further arguments that errors may name as options: the files of a run, and the arguments of `plumb.Client`.
const OTHERS: [&str; 6] = ["run", "camera", "server", "workers", "wait", "pipeline"];

/// Reads keyword arguments as options of this type, with these defaults in place of the options' own. A default is
/// dropped if its argument is None. Returns also which options files set.
///
/// # Errors
/// `TypeError` for an unknown name or a wrong type, `ValueError` for a wrong value.
pub(crate) fn read<T: Args>(options: &Bound<'_, PyDict>, defaults: &[(&str, &str)]) -> PyResult<(T, Origins)> {
    let default = |(id, text): &(&str, &str)| Entry { id: (*id).into(), text: (*text).into(), is_switch: false };
    let mut defaults: Vec<_> = defaults.iter().map(default).collect();
    let mut entries = Vec::new();
    for (name, value) in options {
        let id: String = name.extract()?;
        if value.is_none() {
            defaults.retain(|default| default.id != id);
        } else {
            entries.push(entry(id, &value)?);
        }
    }
    named(&defaults, entries).map_err(|wrong| refused(&wrong))
}

/// Refuses arguments of these names, whatever their value.
///
/// # Errors
/// `TypeError` names the argument and says why.
pub(crate) fn refuse(options: &Bound<'_, PyDict>, names: &[&str], why: &str) -> PyResult<()> {
    match names.iter().find(|name| options.contains(**name).unwrap_or(false)) {
        Some(name) => Err(PyTypeError::new_err(format!("\"{name}\" {why}: leave it out"))),
        None => Ok(()),
    }
}

/// Names and descriptions of the options of a run.
#[pyfunction]
pub(crate) fn run_options() -> Vec<(String, String)> {
    names::<RunSpec>()
}

/// Names and descriptions of the options of a machine, which only `Server` takes.
#[pyfunction]
pub(crate) fn machine_options() -> Vec<(String, String)> {
    names::<Local>()
}

/// Rewrites option names in an error as Python arguments: `--empty-rate` becomes `empty_rate`. Text that only looks
/// like an option, such as a part of a path, is kept.
pub(crate) fn in_python(text: &str) -> String {
    let known: Vec<_> = names::<RunSpec>().into_iter().chain(names::<Local>()).map(|(name, _)| name).collect();
    let mut parts = text.split("--");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(part.len());
        let name = part[..end].replace('-', "_");
        if known.contains(&name) || OTHERS.contains(&&*name) {
            plain.push_str(&name);
        } else {
            plain.push_str("--");
            plain.push_str(&part[..end]);
        }
        plain.push_str(&part[end..]);
    }
    plain
}

/// The error of a switch for other values, as worded for files and for Python.
fn switches_in_python(text: &str) -> String {
    text.replace("neither true nor false, without quotes", "neither True nor False")
        .replace(
            "true is for switches: write a number, or a text in quotes",
            "True is for switches: give a number or a text",
        )
        .replace(
            "false is for switches: write a number, or a text in quotes",
            "False is for switches: give a number or a text",
        )
}

fn refused(wrong: &NamedError) -> PyErr {
    match wrong {
        NamedError::Unknown { name, .. } if names::<Local>().iter().any(|(local, _)| local == name) => {
            PyTypeError::new_err(format!("\"{name}\" is an option of the server program and of plumb.Server alone"))
        }
        NamedError::Unknown { near: None, .. } => {
            let known: Vec<_> = names::<RunSpec>().into_iter().map(|(name, _)| name).collect();
            PyTypeError::new_err(format!("{wrong}; the options are {}", known.join(", ")))
        }
        NamedError::Unknown { .. } => PyTypeError::new_err(wrong.to_string()),
        NamedError::Value { .. } => PyValueError::new_err(in_python(&switches_in_python(&wrong.to_string()))),
        NamedError::File(_) => PyValueError::new_err(in_python(&wrong.to_string())),
    }
}

fn entry(id: String, value: &Bound<'_, PyAny>) -> PyResult<Entry> {
    let (text, is_switch) = match switch(value) {
        Some(switch) => (switch.to_string(), true),
        None => (text(&id, value)?, false),
    };
    Ok(Entry { id, text, is_switch })
}

/// A boolean of Python or numpy.
fn switch(value: &Bound<'_, PyAny>) -> Option<bool> {
    let is_numpys = || value.get_type().name().is_ok_and(|name| name == "bool" || name == "bool_");
    (value.is_instance_of::<PyBool>() || is_numpys()).then(|| value.is_truthy().ok()).flatten()
}

/// A value as it would be written on the command line.
fn text(id: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_str()?.to_owned());
    }
    if let Some(number) = number(value)? {
        return Ok(number);
    }
    if id == "meta"
        && let Ok(entries) = value.cast::<PyDict>()
    {
        let mut meta = Meta::new();
        add_entries(&mut meta, "", entries)?;
        return Ok(GivenMeta(meta).to_string());
    }
    if id == "gate"
        && let Ok(conditions) = value.extract::<Vec<String>>()
    {
        // One line per value: the option can be given several times.
        return Ok(conditions.join("\n"));
    }
    if let Ok((first, second)) = value.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()
        && let (Some(first), Some(second)) = (number(&first)?, number(&second)?)
    {
        // Options that take a pair are ranges, except the size.
        return Ok(format!("{first}{}{second}", if id == "size" { "x" } else { ".." }));
    }
    if let Ok(path) = value.call_method0("__fspath__") {
        return path.extract();
    }
    let kind = value.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "{id}: give a number, a text, True or False, or a pair of numbers such as (10, 40), but no {kind}"
    )))
}

/// Adds a dict's entries. A dict in a dict becomes keys with a dot, as a table of a file does.
fn add_entries(meta: &mut Meta, prefix: &str, entries: &Bound<'_, PyDict>) -> PyResult<()> {
    for (name, value) in entries {
        let key = format!("{prefix}{}", name.extract::<String>()?);
        match value.cast::<PyDict>() {
            Ok(inner) => add_entries(meta, &format!("{key}."), inner)?,
            Err(_) => {
                let value = meta_value(&key, &value)?;
                meta.insert(key, value);
            }
        }
    }
    Ok(())
}

fn meta_value(key: &str, value: &Bound<'_, PyAny>) -> PyResult<MetaValue> {
    if let Some(switch) = switch(value) {
        return Ok(MetaValue::Bool(switch));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(MetaValue::Text(text.to_str()?.to_owned()));
    }
    let wrong = || format!("meta: {key}: give True or False, a number or a text: integers are -2^63 to 2^63 - 1");
    let number = number(value)?.ok_or_else(|| PyTypeError::new_err(wrong()))?;
    let is_whole = value.hasattr("__index__")?;
    let read =
        if is_whole { number.parse().ok().map(MetaValue::Integer) } else { number.parse().ok().map(MetaValue::Real) };
    read.ok_or_else(|| PyValueError::new_err(wrong()))
}

/// A number of Python or numpy with all its digits; `None` for anything else.
fn number(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let py = value.py();
    if value.is_instance_of::<PyInt>() || value.hasattr("__index__")? {
        return match value.call_method0("__index__") {
            Ok(whole) => Ok(Some(whole.str()?.to_str()?.to_owned())),
            // An array has the method too.
            Err(_) => Ok(None),
        };
    }
    let is_real = value.is_instance_of::<PyFloat>() || value.hasattr("__float__")? && !value.hasattr("__len__")?;
    if !is_real {
        return Ok(None);
    }
    match value.extract::<f64>() {
        // As Python writes it: the shortest text that is read back as the same number.
        Ok(real) => Ok(Some(PyFloat::new(py, real).repr()?.to_str()?.to_owned())),
        Err(_) => Ok(None),
    }
}
