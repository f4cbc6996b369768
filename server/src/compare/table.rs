//! Reads the frames of a run's folder from `frames.parquet`, or from `frames.csv` if there is no Parquet file.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use shared::bounded::BoundedRows;

use super::error::CompareError;
use super::frames::{COLUMNS, Fate, Frame};

/// The columns that every table has.
const ALWAYS: [&str; 5] = ["session", "frame", "source_index", "outcome", "warmup"];

/// Reads the frames of this session, without those of its warm-up. `None` if the folder has no table.
pub(super) fn read(folder: &Path, session: u64) -> Result<Option<Vec<Frame>>, CompareError> {
    let typed = folder.join("frames.parquet");
    if cfg!(feature = "parquet") && typed.is_file() {
        return typed_rows(&typed, session).map(Some);
    }
    let text = folder.join("frames.csv");
    if text.is_file() { text_rows(&text, session).map(Some) } else { Ok(None) }
}

fn text_rows(path: &Path, session: u64) -> Result<Vec<Frame>, CompareError> {
    let wrong = |wrong: String| CompareError::Frames { path: path.into(), wrong };
    let file = File::open(path).map_err(|error| CompareError::Read { path: path.into(), error })?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(BufReader::new(BoundedRows::new(file)));
    let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
    if header.is_empty() {
        // A run that was interrupted at once has no header.
        return Ok(Vec::new());
    }
    let places = Places::of(header.iter()).map_err(wrong)?;
    let (mut frames, mut record, mut last) = (Vec::new(), csv::StringRecord::new(), None);
    while reader.read_record(&mut record).map_err(|error| wrong(error.to_string()))? {
        if let Some(what) = last.take() {
            return Err(wrong(what));
        }
        let line = record.position().map_or(0, csv::Position::line);
        match places.row(|place| record.get(place).unwrap_or_default(), session) {
            Ok(frame) => frames.extend(frame),
            Err(what) => last = Some(format!("line {line}: {what}")),
        }
    }
    // A run that was interrupted may have an incomplete last row.
    match last {
        Some(what) if ends_with_a_line(path)? => Err(wrong(what)),
        _ => Ok(frames),
    }
}

fn ends_with_a_line(path: &Path) -> Result<bool, CompareError> {
    let last = || {
        let (mut file, mut last) = (File::open(path)?, [0]);
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    };
    last().map_err(|error| CompareError::Read { path: path.into(), error })
}

#[cfg(feature = "parquet")]
fn typed_rows(path: &Path, session: u64) -> Result<Vec<Frame>, CompareError> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let wrong = |wrong: String| CompareError::Frames { path: path.into(), wrong };
    let file = File::open(path).map_err(|error| CompareError::Read { path: path.into(), error })?;
    let reader = SerializedFileReader::new(file).map_err(|error| wrong(error.to_string()))?;
    let names: Vec<_> = reader.metadata().file_metadata().schema().get_fields().to_vec();
    let places = Places::of(names.iter().map(|field| field.name())).map_err(wrong)?;
    let mut frames = Vec::new();
    for (place, row) in reader.get_row_iter(None).map_err(|error| wrong(error.to_string()))?.enumerate() {
        let row = row.map_err(|error| wrong(error.to_string()))?;
        let cells: Vec<String> = row
            .get_column_iter()
            .map(|(_, field)| match field {
                Field::Null => String::new(),
                Field::Str(text) => text.clone(),
                // `Long` and `Double` are printed with all digits.
                Field::Long(value) => value.to_string(),
                Field::Double(value) => value.to_string(),
                _ => "?".into(),
            })
            .collect();
        let row = places.row(|place| cells.get(place).map(String::as_str).unwrap_or_default(), session);
        frames.extend(row.map_err(|what| wrong(format!("row {}: {what}", place + 1)))?);
    }
    Ok(frames)
}

#[cfg(not(feature = "parquet"))]
fn typed_rows(path: &Path, _: u64) -> Result<Vec<Frame>, CompareError> {
    // `read` never calls this without the feature.
    Err(CompareError::Frames { path: path.into(), wrong: "this build reads no Parquet".into() })
}

/// The positions of the columns in a row.
struct Places {
    always: [usize; ALWAYS.len()],
    values: [Option<usize>; COLUMNS.len()],
}

impl Places {
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let names: Vec<_> = names.collect();
        let place = |wanted: &str| names.iter().position(|name| *name == wanted);
        let mut always = [0; ALWAYS.len()];
        for (at, name) in always.iter_mut().zip(ALWAYS) {
            *at = place(name).ok_or_else(|| format!("it has no column {name}, so it is not a table of frames"))?;
        }
        Ok(Self { always, values: COLUMNS.map(|(_, name, _)| place(name)) })
    }

    /// Parses a row. `None` if it belongs to another session or to the warm-up.
    fn row<'a>(&self, cell: impl Fn(usize) -> &'a str, session: u64) -> Result<Option<Frame>, String> {
        let text = |at: usize| cell(self.always[at]);
        let whole = |at: usize| {
            let wrong = |_| format!("\"{}\" is not a value of the column {}", text(at), ALWAYS[at]);
            text(at).parse::<u64>().map_err(wrong)
        };
        if whole(0)? != session || whole(4)? > 0 {
            return Ok(None);
        }
        let fate = Fate::named(text(3)).ok_or_else(|| format!("\"{}\" is not an outcome", text(3)))?;
        let mut values = [f64::NAN; COLUMNS.len()];
        for ((value, place), (_, name, word)) in values.iter_mut().zip(self.values).zip(COLUMNS) {
            let text = place.map(&cell).unwrap_or_default();
            *value = number(text, word).ok_or_else(|| format!("\"{text}\" is not a value of the column {name}"))?;
        }
        Ok(Some(Frame { id: whole(1)?, source_index: whole(2)?, fate, values }))
    }
}

/// Parses a value as a number. An empty value is NaN; `word` is 1 and any other word is 0.
fn number(text: &str, word: Option<&str>) -> Option<f64> {
    match word {
        _ if text.is_empty() || text == "unknown" => Some(f64::NAN),
        Some(word) => Some(f64::from(u8::from(text == word))),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::Column;
    use super::*;

    const HEADER: &str = "session,frame,source_index,captured_us,outcome,lost_by,truth,truth_x,kind,l1,warmup";

    fn frames(rows: &str) -> Result<Vec<Frame>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("frames.csv"), format!("{HEADER}\n{rows}")).unwrap();
        read(folder.path(), 1).map(|frames| frames.expect("a table")).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn the_frames_of_one_session_are_read_without_its_warm_up_and_without_a_torn_row() {
        let rows = "1,0,0,5,answered,,ball,1.5,circle,0.1,1\n1,1,1,5,answered,,ball,2.5,circle,0.25,0\n\
                    2,1,1,5,lost,late,ball,2.5,,,0\n1,2,2,5,lost,late,no ball,,,,0\n1,3,3";
        let found = frames(rows).unwrap();
        assert_eq!(
            frames(&format!("{rows},3,answered,,ball,1.5,circle,0.1,")).unwrap().len(),
            2,
            "torn before its end"
        );
        assert_eq!(
            found.iter().map(|frame| (frame.id, frame.fate)).collect::<Vec<_>>(),
            [(1, Fate::Answered), (2, Fate::Lost)]
        );
        let [first, second] = [&found[0], &found[1]];
        assert_eq!((first.get(Column::Ball), first.get(Column::L1)), (Some(1.0), Some(0.25)));
        assert_eq!((second.get(Column::Ball), second.get(Column::Circle)), (Some(0.0), None));
    }

    #[test]
    fn a_malformed_row_is_named_by_its_line() {
        let wrong = frames("1,0,0,5,eaten,,ball,1.5,circle,0.1,0\n").unwrap_err();
        assert!(wrong.contains("line 2: \"eaten\" is not an outcome"), "{wrong}");
        let wrong = frames("1,0,0,5,answered,,ball,x,circle,0.1,0\n").unwrap_err();
        assert!(wrong.contains("\"x\" is not a value of the column truth_x"), "{wrong}");
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path(), 1).unwrap().is_none());
        std::fs::write(folder.path().join("frames.csv"), "").unwrap();
        assert_eq!(read(folder.path(), 1).unwrap().map(|frames| frames.len()), Some(0));
        let endless = std::fs::File::create(folder.path().join("frames.csv")).unwrap();
        // A hole of 8 GiB, which takes no room.
        endless.set_len(8 << 30).unwrap();
        let wrong = read(folder.path(), 1).unwrap_err().to_string();
        assert!(wrong.ends_with("frames.csv: it has a line of more than 1 MiB"), "{wrong}");
        std::fs::write(folder.path().join("frames.csv"), "a,b\n1,2\n").unwrap();
        assert!(read(folder.path(), 1).unwrap_err().to_string().contains("it has no column session"));
    }
}
