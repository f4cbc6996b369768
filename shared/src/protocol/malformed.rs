//! Describes what is wrong with a message, in Plumb's own words.
//!
//! The parsing libraries name their own types and repeat what a peer wrote, however long it is. So their phrases are
//! recognised here and their quotations cut. An unknown phrase gets a general description.

use rmp_serde::decode::Error as MessagePackError;
use serde_json::error::Category;

use crate::text::Brief;

/// Characters of a value that are quoted.
const QUOTED: usize = 40;

/// Describes what is wrong with a MessagePack message.
pub(crate) fn of_message_pack(error: &MessagePackError) -> String {
    match error {
        MessagePackError::InvalidMarkerRead(_) | MessagePackError::InvalidDataRead(_) => "it ends early".into(),
        MessagePackError::TypeMismatch(_) => "a value has another type than its field".into(),
        MessagePackError::OutOfRange => "a number is too large for its field".into(),
        MessagePackError::LengthMismatch(_) => "a list has another length than it must have".into(),
        MessagePackError::Utf8Error(_) => "a text is not UTF-8".into(),
        MessagePackError::DepthLimitExceeded => "it is nested too deeply".into(),
        MessagePackError::Uncategorized(said) | MessagePackError::Syntax(said) => of_fields(said),
    }
}

/// Describes what is wrong with a JSON message.
pub(crate) fn of_json(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Data => of_fields(&error.to_string()),
        Category::Syntax | Category::Eof | Category::Io => "it is not JSON".into(),
    }
}

/// Translates `serde`'s phrases about a message's fields (see `serde::de::Error`).
fn of_fields(said: &str) -> String {
    let said = said.rsplit_once(" at line ").map_or(said, |(said, _)| said);
    let field = |rest: &str| rest.split('`').next().map(str::to_owned);
    if let Some(name) = said.strip_prefix("missing field `").and_then(field) {
        return format!("it has no {name}");
    }
    if let Some(name) = said.strip_prefix("duplicate field `").and_then(field) {
        return format!("it has {name} twice");
    }
    if let Some((got, expected)) =
        said.strip_prefix("unknown variant `").and_then(|rest| rest.rsplit_once("`, expected "))
    {
        return format!("\"{}\" is not {}", Brief(got, QUOTED), expected.replace('`', ""));
    }
    let unfit =
        ["invalid type: ", "invalid value: ", "invalid length "].iter().find_map(|start| said.strip_prefix(start));
    match unfit.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((got, expected)) => {
            format!("{} stands where {} belongs", Brief(got.replace('`', ""), QUOTED), in_words(expected))
        }
        None if said.starts_with("data did not match any variant") => "a value has another type than its field".into(),
        // Errors in our own words.
        None => Brief(said, 2 * QUOTED).to_string(),
    }
}

/// Names of types, for people.
fn in_words(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 on",
        "f32" | "f64" => "a number",
        "internally tagged enum Signal" => "an object with a type",
        named if named.starts_with("struct ") => "an object with its fields",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::signal::Signal;

    fn json(text: &str) -> String {
        of_json(&serde_json::from_str::<Signal>(text).unwrap_err())
    }

    #[test]
    fn errors_name_no_types_of_the_libraries() {
        let cases = [
            ("GET / HTTP/1.1", "it is not JSON"),
            ("{", "it is not JSON"),
            ("{}", "it has no type"),
            ("[1, 2]", "integer 1 stands where variant identifier belongs"),
            (r#""hello""#, r#"string "hello" stands where an object with a type belongs"#),
            (r#"{"type":"offer"}"#, "it has no sdp"),
            (
                r#"{"type":"hello","plumb":-1,"role":"sink"}"#,
                "integer -1 stands where a whole number from 0 on belongs",
            ),
            (r#"{"type":"hello","plumb":1,"role":"juggler"}"#, r#""juggler" is not source or sink"#),
        ];
        for (text, words) in cases {
            assert_eq!(json(text), words, "{text}");
        }
    }

    #[test]
    fn texts_of_a_peer_are_cut_and_escaped() {
        for text in [r#"{"type":"%"}"#, r#"{"type":"offer","sdp":["%"]}"#, r#"{"type":"hello","plumb":"%"}"#] {
            let long = json(&text.replace('%', &"\\u007f\\u001b[2J".repeat(10_000)));
            assert!(long.chars().count() < 200 && !long.chars().any(char::is_control), "{long}");
        }
    }
}
