//! The paths of all figures that a report may have, from its schema: the same types that write it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::condition::Condition;
use super::unknown::unknown;
use crate::schema;
use crate::task::TaskName;

/// Parts of the report whose figures no gate may name.
const NOT_JUDGED: [&str; 2] = ["bounds.", "gates."];

/// Objects of the report whose names are not known beforehand.
const OPEN: &str = "*";

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    Other,
}

/// Path and kind of every value of a session, and of the report.
static PATHS: LazyLock<BTreeMap<String, Kind>> = LazyLock::new(|| {
    let schema = schema::report().to_value();
    let mut walk = Walk { definitions: &schema["$defs"], found: BTreeMap::new() };
    walk.visit(&schema, "");
    walk.visit(&schema["properties"]["sessions"]["items"], "");
    walk.found.retain(|path, _| !NOT_JUDGED.iter().any(|start| path.starts_with(start)));
    walk.found
});

/// Checks the paths of conditions before a run of this task.
///
/// # Errors
/// The first path that the report of such a run does not have, or that is not a number, with the nearest right ones.
pub fn check(conditions: &[Condition], task: TaskName) -> Result<(), String> {
    conditions.iter().try_for_each(|condition| check_path(&condition.path, Some(task)))
}

/// Checks a path, for runs of this task if one is given.
pub(super) fn check_path(path: &str, task: Option<TaskName>) -> Result<(), String> {
    let (first, _) = path.split_once('.').unwrap_or((path, ""));
    let owner = TaskName::all().find(|task| task.name() == first);
    match (kind(path), owner, task) {
        (Some(Kind::Number), Some(owner), Some(task)) if owner != task => {
            Err(format!("{path} is a figure of the task {owner}, and the task is {task}"))
        }
        (Some(Kind::Number), ..) => Ok(()),
        (Some(Kind::Other), ..) => {
            Err(format!("{path} is not a number; a condition compares a figure, which is a number"))
        }
        (None, ..) => Err(not_there(path)),
    }
}

/// Paths of all figures.
pub(super) fn all() -> Vec<String> {
    PATHS.iter().filter(|(_, kind)| **kind == Kind::Number).map(|(path, _)| path.clone()).collect()
}

fn kind(path: &str) -> Option<Kind> {
    let open = || path.rsplit_once('.').map(|(group, _)| format!("{group}.{OPEN}"));
    PATHS.get(path).or_else(|| PATHS.get(&open()?)).copied()
}

/// The message for a path that leads to a group or to nothing.
fn not_there(path: &str) -> String {
    let start = format!("{path}.");
    let inner: Vec<_> = all().into_iter().filter(|known| known.starts_with(&start)).collect();
    match inner.as_slice() {
        [] => unknown(path, &all()),
        inner => super::words::group(path, inner),
    }
}

/// A walk through a schema.
struct Walk<'a> {
    definitions: &'a Value,
    found: BTreeMap<String, Kind>,
}

impl Walk<'_> {
    fn visit(&mut self, schema: &Value, path: &str) {
        if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
            let definitions = self.definitions;
            return self.visit(&definitions[name], path);
        }
        for choices in ["anyOf", "allOf", "oneOf"] {
            schema[choices].as_array().into_iter().flatten().for_each(|choice| self.visit(choice, path));
        }
        self.visit_members(schema, path);
        let of_type = |names: &[&str]| match &schema["type"] {
            Value::String(name) => names.contains(&name.as_str()),
            Value::Array(all) => all.iter().filter_map(Value::as_str).any(|name| names.contains(&name)),
            _ => false,
        };
        if of_type(&["integer", "number"]) {
            self.found.insert(path.to_owned(), Kind::Number);
        } else if of_type(&["string", "boolean", "array"]) || schema["const"].is_string() {
            self.found.entry(path.to_owned()).or_insert(Kind::Other);
        }
    }

    fn visit_members(&mut self, schema: &Value, path: &str) {
        let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            self.visit(member, &inner(name));
        }
        if schema["additionalProperties"].is_object() {
            self.visit(&schema["additionalProperties"], &inner(OPEN));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(path: &str) -> Result<(), String> {
        check_path(path, Some(TaskName::default()))
    }

    #[test]
    fn every_figure_of_a_report_is_known() {
        for path in [
            "error_px.l1.mean",
            "error_px.efficiency",
            "error_px.nees",
            "frames.sent",
            "frames.lost_rate",
            "frames.lost_by.late",
            "frames.warmup",
            "latency_us.p99",
            "latency_us.corrected.max",
            "latency_us.stages.to_client.p50",
            "latency_us.standstill",
            "fps.answered",
            "bytes.frames_wire",
            "clock.uncertainty_us",
            "connect_us",
            "circle.missed",
            "pipeline_errors",
            "source.decode_us.p99",
            "run.seed",
            "run.config.noise",
            "run.config.camera.noise",
            "sessions_omitted",
        ] {
            assert_eq!(checked(path), Ok(()), "{path}");
        }
        let ack = TaskName::ack();
        assert_eq!(check_path("ack.codes.17", Some(ack)), Ok(()));
        assert_eq!(check_path("count.exact_share", None), Ok(()));
        assert!(all().iter().all(|path| !path.starts_with("bounds") && !path.starts_with("gates")), "{:#?}", all());
    }

    #[test]
    fn a_wrong_path_is_refused_with_what_would_be_right() {
        for (path, words) in [
            ("error_px.l1.maen", "the report has no figure error_px.l1.maen: the nearest are error_px.l1.mean"),
            ("error_px.bias", "is a group of 2 figures, so name one of them: error_px.bias.x, error_px.bias.y"),
            ("task", "task is not a number"),
            ("run.config.border", "run.config.border is not a number"),
            ("sessions", "sessions is not a number"),
            ("count.exact_share", "count.exact_share is a figure of the task count, and the task is circle"),
            ("bounds.frames.lost_rate", "the report has no figure bounds.frames.lost_rate"),
        ] {
            let wrong = checked(path).unwrap_err();
            assert!(wrong.contains(words), "{wrong}");
        }
    }
}
