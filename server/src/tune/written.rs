//! `best.toml`: the best setting, in the form in which clients, programs and Python take it.

use shared::tuned::SCHEMA;

use super::core::space::{Setting, Space, Value};
use crate::sweep::single::{Form, Single};

/// The text of `best.toml`.
pub(super) fn best(single: &Single, space: &Space, setting: &Setting, verdict: &str) -> String {
    let mut text: String = verdict.lines().map(|line| format!("# {}\n", line.escape_debug())).collect();
    text += match single.form() {
        Form::Function { .. } => "# in Python: tomllib.load(open(\"best.toml\", \"rb\"))[\"parameters\"]\n",
        _ => "# client --detector-options best.toml\n",
    };
    text += &format!("plumb_tuned = {SCHEMA}\npipeline = {}\n\n[parameters]\n", word(single.pipeline()));
    for (parameter, value) in space.0.iter().zip(&setting.0) {
        match value {
            Some(value) => text += &format!("{} = {}\n", key(&parameter.name), toml(value)),
            None => text += &format!("# {}: as it is\n", parameter.name.escape_debug()),
        }
    }
    text
}

/// A name as a key of TOML.
fn key(name: &str) -> String {
    let is_bare = |one: char| one.is_ascii_alphanumeric() || one == '_' || one == '-';
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { word(name) }
}

fn toml(value: &Value) -> String {
    match value {
        Value::Real(number) => format!("{number:?}"),
        Value::Text(text) => word(text),
        other => other.text(),
    }
}

/// A text in quotes. JSON's are TOML's, too, except that TOML has no DEL.
fn word(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ::toml::de::DeTable;
    use shared::tuned::Tuned;

    use super::*;
    use crate::tune::core::space::{Domain, Parameter};

    #[test]
    fn the_file_is_read_again_with_its_values() {
        let parameter = |name: &str| Parameter { name: name.into(), domain: Domain::Choice(Vec::new()), default: None };
        let space = Space(["sigma", "a key", "kind", "left"].map(parameter).to_vec());
        let values = [Value::Real(2.0), Value::Whole(-3), Value::Text("a\n\"b\"\u{1b}\u{7f}\u{2028}".into())].map(Some);
        let setting = Setting(values.into_iter().chain([None]).collect());
        let table = "[run]\nframes = 5\n[pipeline]\nname = \"find.py:find\"";
        let single = Single::of_table(Path::new("plan.toml"), DeTable::parse(table).unwrap().get_ref()).unwrap();
        let text = best(&single, &space, &setting, "better than the default");
        let tuned = Tuned::parse(&text).unwrap_or_else(|wrong| panic!("{text}: {wrong}"));
        assert_eq!((tuned.pipeline.as_str(), tuned.parameters.len()), ("find.py:find", 3));
        assert_eq!(tuned.parameters["a key"].as_integer(), Some(-3));
        assert_eq!(tuned.parameters["kind"].as_str(), Some("a\n\"b\"\u{1b}\u{7f}\u{2028}"));
        assert!(
            text.starts_with("# better than the default\n# in Python") && text.contains("# left: as it is"),
            "{text}"
        );
    }

    #[test]
    fn values_are_toml() {
        let values = [Value::Real(3.0), Value::Whole(3), Value::Flag(true), Value::Text("a \"b\"".into())];
        assert_eq!(values.map(|value| toml(&value)), ["3.0", "3", "true", "\"a \\\"b\\\"\""]);
    }
}
