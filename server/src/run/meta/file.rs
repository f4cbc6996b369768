//! The file of `--meta-file`: metadata as TOML.

use std::io;
use std::path::Path;

use shared::bounded::{self, BoundedError};
use shared::protocol::message::Meta;
use shared::text::{Brief, Escaped};
use thiserror::Error;
use toml::de::DeTable;

use super::table;
use crate::run::slow_file::say_if_slow;

/// Size of the largest file that is read, in bytes: sixteen times what all metadata may have, with room for comments.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// Characters shown of a wrong line or of a wrong file name: enough to recognise it.
const SHOWN_CHARACTERS: usize = 60;

/// Why a file of metadata was refused: which file, what was wrong and what would be right.
#[derive(Debug, Error)]
pub enum MetaFileError {
    /// The file cannot be read.
    #[error("--meta-file: \"{file}\" cannot be read ({error}): write the name of a TOML file")]
    Read {
        /// The file.
        file: String,
        /// What failed.
        error: io::Error,
    },
    /// The file is too large.
    #[error("--meta-file: {file} is larger than {} KiB: metadata has at most 4 KiB", MAX_FILE_BYTES >> 10)]
    TooLarge {
        /// The file.
        file: String,
    },
    /// The file is not text.
    #[error("--meta-file: {file} is not UTF-8 text: write TOML, such as camera = \"left\"")]
    NotText {
        /// The file.
        file: String,
    },
    /// A line of the file is not TOML, or no metadata.
    #[error("--meta-file: {file}: line {line} (\"{text}\"): {reason}")]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The text of that line.
        text: String,
        /// What is wrong with it and what would be right.
        reason: String,
    },
}

/// Reads a file.
pub(super) fn read(file: &str) -> Result<Meta, MetaFileError> {
    let text = read_text(file)?;
    let table = DeTable::parse(&text).map_err(|error| {
        let reason = format!("not TOML: {}", error.message());
        in_line(file, &text, error.span().map_or(0, |span| span.start), &reason)
    })?;
    table::read(table.get_ref()).map_err(|wrong| in_line(file, &text, wrong.at.start, &wrong.reason))
}

fn read_text(file: &str) -> Result<String, MetaFileError> {
    let path = Path::new(file);
    let shown = || Escaped(file).to_string();
    let bytes = say_if_slow(path, || bounded::read(path, MAX_FILE_BYTES)).map_err(|error| match error {
        BoundedError::Io(error) => MetaFileError::Read { file: Brief(file, SHOWN_CHARACTERS).to_string(), error },
        BoundedError::TooLarge { .. } => MetaFileError::TooLarge { file: shown() },
    })?;
    String::from_utf8(bytes).map_err(|_| MetaFileError::NotText { file: shown() })
}

/// The error of the line at this byte.
fn in_line(file: &str, text: &str, at: usize, reason: &str) -> MetaFileError {
    let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let shown = Brief(text.lines().nth(line).unwrap_or_default().trim(), SHOWN_CHARACTERS).to_string();
    let reason = Escaped(reason).to_string();
    MetaFileError::Line { file: Escaped(file).to_string(), line: line + 1, text: shown, reason }
}

#[cfg(test)]
mod tests {
    use shared::protocol::message::MetaValue;

    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<Meta, String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("written");
        read(file.path().to_str().expect("UTF-8")).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn nested_tables_become_dotted_keys_and_times_become_texts() {
        let file =
            "camera = 'left'\ngain = 2.5\n[event]\nid = 0x10\nstart = 2026-01-02T03:04:05Z\n[event.by]\nhand = true";
        let text = |text: &str| MetaValue::Text(text.into());
        let expected = Meta::from([
            ("camera".into(), text("left")),
            ("gain".into(), MetaValue::Real(2.5)),
            ("event.id".into(), MetaValue::Integer(16)),
            ("event.start".into(), text("2026-01-02T03:04:05Z")),
            ("event.by.hand".into(), MetaValue::Bool(true)),
        ]);
        assert_eq!(read_bytes(file.as_bytes()), Ok(expected));
        assert_eq!(read_bytes(b""), Ok(Meta::new()));
    }

    #[test]
    fn a_file_is_refused_with_its_line_its_key_and_what_is_valid() {
        let large = vec![b'#'; MAX_FILE_BYTES as usize + 1];
        for (bytes, words) in [
            (&b"a = 1\nb 2"[..], ["line 2 (\"b 2\"): not TOML: ", ""]),
            (b"a = 1\na = 2", ["line 2 (\"a = 2\"): not TOML: ", ""]),
            (
                b"a = 1\n\nlist = [1]",
                ["line 3 (\"list = [1]\"): \"list\": an array is not a value", "a text in quotes"],
            ),
            (b"[event]\nend = inf", ["line 2 (\"end = inf\"): \"event.end\": \"inf\" is not finite", "in quotes"]),
            (b"'a b' = 1", ["\"a b\" is not a key", "letters, digits"]),
            (b"'' = 1", ["a key is empty", "such as camera"]),
            (b"a = \"\\u001b\"", ["\"a\": its text has the control character \\u{1b}", "leave it out"]),
            (b"'a.b' = 1\n[a]\nb = 2", ["line 3 (\"b = 2\"): the key \"a.b\" is given twice", "once"]),
            (b"\xff\xfe", ["is not UTF-8 text", "camera = \"left\""]),
            (&large, ["is larger than 64 KiB", "at most 4 KiB"]),
        ] {
            let said = read_bytes(bytes).expect_err("refused");
            let start = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]);
            assert!(said.starts_with("--meta-file: "), "{said}");
            assert!(said.contains(words[0]) && said.contains(words[1]), "{start}: {said}");
            assert!(!said.contains('\u{1b}'), "{said:?}");
        }
        for file in ["/no/such/meta.toml", "/"] {
            let said = read(file).expect_err("no file").to_string();
            assert!(said.contains(file) && said.contains("cannot be read"), "{said}");
        }
    }
}
