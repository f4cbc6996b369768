//! Tables of sweeps and searches, and a Python that reads them.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use testkit::python::Packages;

/// The values of a row that are not null, by column.
pub(crate) type Row = BTreeMap<String, String>;

/// The rows of a Parquet file.
pub(crate) fn rows(file: &Path) -> Vec<Row> {
    let reader = SerializedFileReader::new(File::open(file).expect("a table")).expect("Parquet");
    let named = |row: parquet::record::Row| {
        let cells = row.get_column_iter().map(|(name, cell)| (name.clone(), cell.to_string()));
        cells.filter(|(_, cell)| cell != "null").collect()
    };
    reader.get_row_iter(None).expect("rows").map(|row| named(row.expect("a row"))).collect()
}

/// A Python with pandas, DuckDB and numpy.
pub(crate) fn python() -> PathBuf {
    Packages::Tables.test_python(env!("CARGO_TARGET_TMPDIR"))
}
