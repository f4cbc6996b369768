//! A specification as a file that `--run` reads back.

use std::fmt::Write;

use clap::{Args, Command};
use serde::Serialize;
use serde_json::{Map, Value};

use super::same::ELSEWHERE;
use super::spec::RunSpec;

impl RunSpec {
    /// The specification as flat TOML, in the order of the help, without options that are absent or that the source
    /// does not use.
    pub fn to_toml(&self) -> String {
        let values = values(self);
        let mut text = String::new();
        for option in Self::augment_args(Command::new("run")).get_arguments() {
            let id = option.get_id().as_str();
            // Their content is in other options.
            if ELSEWHERE.contains(&id) || self.unused.iter().any(|unused| unused == id) {
                continue;
            }
            if let Some(value) = values.get(id).and_then(written) {
                // Writing into a string does not fail.
                let _ = writeln!(text, "{id} = {value}");
            }
        }
        text
    }
}

impl RunSpec {
    /// The values of these options as [`Self::to_toml`] writes them, one per line, in the order of `ids`. An option
    /// without a value has none.
    pub(crate) fn lines<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> String {
        let values = values(self);
        ids.into_iter().filter_map(|id| Some(format!("{id} = {}\n", written(values.get(id)?)?))).collect()
    }
}

impl RunSpec {
    /// The values of these options as they are written on the command line, with the ids of the options. One that may be
    /// given several times is there as often as it has values.
    pub(crate) fn arguments<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
        let values = values(self);
        let mut arguments = Vec::new();
        for id in ids {
            let one = |text: String| (id.to_owned(), text);
            match values.get(id) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => arguments.push(one(text.clone())),
                Some(Value::Array(list)) => {
                    arguments.extend(list.iter().filter_map(Value::as_str).map(|text| one(text.into())));
                }
                Some(Value::Object(entries)) => {
                    arguments.extend(entries.iter().map(|(key, value)| one(format!("{key}={value}"))));
                }
                Some(value) => arguments.push(one(value.to_string())),
            }
        }
        arguments
    }
}

/// A struct's fields by name: strings, numbers, booleans, nulls, lists and tables.
pub(super) fn values(fields: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(fields) {
        Ok(Value::Object(values)) => values,
        // A struct serializes to an object.
        _ => Map::new(),
    }
}

fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Object(entries) if entries.is_empty() => None,
        Value::Object(entries) => Some(inline_table(entries)),
        Value::Array(entries) if entries.is_empty() => None,
        Value::Array(entries) => {
            Some(format!("[{}]", entries.iter().filter_map(written).collect::<Vec<_>>().join(", ")))
        }
        Value::String(text) => Some(quoted(text)),
        // TOML's integers end at 2^63 - 1 (toml.io, "Integer"); a text is read as the same seed.
        Value::Number(number) if number.as_u64().is_some_and(|whole| i64::try_from(whole).is_err()) => {
            Some(quoted(&number.to_string()))
        }
        value => Some(value.to_string()),
    }
}

fn inline_table(entries: &Map<String, Value>) -> String {
    let entries: Vec<_> =
        entries.iter().filter_map(|(key, value)| Some(format!("{} = {}", quoted(key), written(value)?))).collect();
    format!("{{ {} }}", entries.join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
