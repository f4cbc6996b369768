//! Reads `sweep.parquet` again, for the page.

use std::path::Path;

use super::columns::Cell;
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
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let wrong = |error: parquet::errors::ParquetError| SweepError::at(path)(std::io::Error::other(error.to_string()));
    let file = std::fs::File::open(path).map_err(SweepError::at(path))?;
    let reader = SerializedFileReader::new(file).map_err(wrong)?;
    let fields = reader.metadata().file_metadata().schema().get_fields();
    let names = fields.iter().map(|field| field.name().to_owned()).collect();
    let mut rows = Vec::new();
    for row in reader.get_row_iter(None).map_err(wrong)? {
        let row = row.map_err(wrong)?;
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
