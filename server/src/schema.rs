//! The JSON schema of the report, generated from its types.
//!
//! `docs/report.schema.json` is this schema, checked in; `tests/report_schema.rs` compares the two.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::options::TakesAll;
use crate::output::report::Report;

/// The schema of the report that `--json` writes (draft 2020-12).
pub fn report() -> Schema {
    schema_of::<Report>()
}

/// The schema of a type's serialized form. Objects allow no other keys.
fn schema_of<T: JsonSchema>() -> Schema {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(tidy).transform(&mut schema);
    schema
}

fn tidy(schema: &mut Schema) {
    if schema.get("properties").is_some_and(Value::is_object) && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".into(), false.into());
    }
    // Minimum and maximum give programs the same information.
    schema.remove(TakesAll::KEYWORD);
    // `uint64`, `double` and the like are not formats of draft 2020-12.
    schema.remove("format");
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}
