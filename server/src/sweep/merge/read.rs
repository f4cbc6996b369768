//! Reads `sweep.parquet` again, for the page.

use std::path::Path;

#[cfg(feature = "parquet")]
use shared::shell::guarded;

use super::columns::Cell;
#[cfg(feature = "parquet")]
use crate::output::regular;
use crate::sweep::error::SweepError;

/// A table that was read.
pub(in crate::sweep) struct Read {
    /// The names of its columns.
    pub(in crate::sweep) names: Vec<String>,
    /// Its rows.
    pub(in crate::sweep) rows: Vec<Vec<Cell>>,
}

impl Read {
    /// The place of a column.
    pub(in crate::sweep) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|column| column == name)
    }

    /// A value of a row as text; empty without one.
    pub(in crate::sweep) fn text(&self, row: &[Cell], name: &str) -> String {
        match self.place(name).and_then(|place| row.get(place)) {
            Some(Cell::Integer(value)) if name == "seed" => (*value as u64).to_string(),
            Some(Cell::Integer(value)) => value.to_string(),
            Some(Cell::Real(value)) => value.to_string(),
            Some(Cell::Word(text)) => text.clone(),
            Some(Cell::Null) | None => String::new(),
        }
    }

    /// The different values of a column, in order.
    pub(in crate::sweep) fn different(&self, name: &str) -> Vec<String> {
        let all = self.rows.iter().map(|row| self.text(row, name)).filter(|text| !text.is_empty());
        all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}

/// Reads the table at this path.
///
/// # Errors
/// If it cannot be read.
#[cfg(feature = "parquet")]
pub(in crate::sweep) fn read(path: &Path) -> Result<Read, SweepError> {
    let file = regular::read(path).map_err(SweepError::at(path))?;
    // The library panics at some damaged files.
    let read = guarded::caught(|| rows(file).map_err(|error| error.to_string()));
    read.unwrap_or_else(|panic| Err(panic.to_string())).map_err(|wrong| {
        let wrong = format!("it is damaged ({wrong}): delete it, and run server sweep merge, which makes it again");
        SweepError::at(path)(std::io::Error::other(wrong))
    })
}

#[cfg(feature = "parquet")]
fn rows(file: std::fs::File) -> Result<Read, parquet::errors::ParquetError> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let reader = SerializedFileReader::new(file)?;
    let fields = reader.metadata().file_metadata().schema().get_fields();
    let names = fields.iter().map(|field| field.name().to_owned()).collect();
    let mut rows = Vec::new();
    for row in reader.get_row_iter(None)? {
        let row = row?;
        let cell = |field: &Field| match field {
            Field::Long(value) => Cell::Integer(*value),
            Field::ULong(value) => Cell::Integer(*value as i64),
            Field::Double(value) => Cell::Real(*value),
            Field::Str(text) => Cell::Word(text.clone()),
            _ => Cell::Null,
        };
        rows.push(row.get_column_iter().map(|(_, field)| cell(field)).collect());
    }
    Ok(Read { names, rows })
}

/// Refuses: this build reads no Parquet.
///
/// # Errors
/// Always.
#[cfg(not(feature = "parquet"))]
pub(in crate::sweep) fn read(path: &Path) -> Result<Read, SweepError> {
    Err(SweepError::at(path)(std::io::Error::other("this build of Plumb reads no Parquet")))
}

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use super::*;
    use crate::sweep::merge::{Kind, Table};

    #[test]
    fn a_damaged_table_is_an_error_wherever_the_damage_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.parquet");
        let columns = [("trial".to_owned(), Kind::Integer), ("state".to_owned(), Kind::Word)];
        let mut table = Table::create(&path, &columns).unwrap().unwrap();
        for number in 1..=3 {
            table.add(vec![Cell::Integer(number), Cell::Word("done".into())]).unwrap();
        }
        table.finish("a plan").unwrap();
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(read(&path).map(|read| read.rows.len()).unwrap(), 3);
        let mut refused = 0;
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            // The sign of a number, where there is one.
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            if let Err(wrong) = read(&path) {
                let wrong = wrong.to_string();
                assert!(wrong.contains("it is damaged (") && wrong.contains("run server sweep merge"), "{wrong}");
                refused += 1;
            }
        }
        assert!(refused > 0);
    }
}
