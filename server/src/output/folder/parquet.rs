//! The table of frames as a Parquet file.
//!
//! Rows are gathered by column and written in groups, so memory does not grow with the run. They go into a temporary
//! file, which gets its name when it is complete.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type};
use tempfile::NamedTempFile;

use super::TABLE;
use super::facts::Facts;
use crate::output::part::part;
use crate::output::table;
use crate::score::cells::{Cell, Column, ColumnKind};
use crate::task::TaskName;

/// Rows per group. In the task `circle` a group takes 30 MB of memory, and writing it takes 0.1 s.
const GROUP: usize = 65_536;

/// A file that is being written. If it is dropped before its end, no file is left.
pub(super) struct ParquetFile {
    path: PathBuf,
    writer: SerializedFileWriter<NamedTempFile>,
    columns: Vec<Gathered>,
    rows: usize,
}

/// The values of a column that are not written yet.
struct Gathered {
    values: Values,
    /// For each row, 1 if it has a value; absent if every row has one.
    levels: Option<Vec<i16>>,
}

enum Values {
    Words(Vec<ByteArray>),
    Integers(Vec<i64>),
    Reals(Vec<f64>),
}

impl ParquetFile {
    /// Begins the file for a task in this folder. `None` if this build cannot write it.
    pub(super) fn create(folder: &Path, task: TaskName) -> io::Result<Option<Self>> {
        let columns: Vec<_> = table::columns(task).collect();
        let part = part(folder, TABLE)?;
        let schema = schema(&columns).map_err(io_error)?;
        let writer = SerializedFileWriter::new(part, Arc::new(schema), Arc::new(properties(&columns)));
        let gathered = columns.iter().enumerate().map(|(place, column)| Gathered::new(column.kind, is_optional(place)));
        let path = folder.join(TABLE);
        Ok(Some(Self { path, writer: writer.map_err(io_error)?, columns: gathered.collect(), rows: 0 }))
    }

    /// Adds a row: a cell for each column.
    pub(super) fn add(&mut self, row: impl Iterator<Item = Cell>) -> io::Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(row) {
            column.add(cell);
        }
        self.rows += 1;
        if self.rows == GROUP { self.write_group() } else { Ok(()) }
    }

    /// Writes the rest and gives the file its name.
    pub(super) fn finish(mut self, facts: Facts<'_>) -> io::Result<()> {
        if self.rows > 0 {
            self.write_group()?;
        }
        for (key, value) in facts.entries() {
            self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
        }
        // Writes the end of the file.
        let part = self.writer.into_inner().map_err(io_error)?;
        part.as_file().sync_all()?;
        part.persist(&self.path).map(drop).map_err(|failed| failed.error)
    }

    fn write_group(&mut self) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(io_error)?;
        for gathered in &mut self.columns {
            // invariant: the file has as many columns as were gathered.
            if let Some(mut column) = group.next_column().map_err(io_error)? {
                gathered.write_to(&mut column).and_then(|()| column.close()).map_err(io_error)?;
            }
        }
        group.close().map_err(io_error)?;
        self.rows = 0;
        Ok(())
    }
}

impl Gathered {
    fn new(kind: ColumnKind, is_optional: bool) -> Self {
        let values = match kind {
            ColumnKind::Word(_) => Values::Words(Vec::new()),
            ColumnKind::Integer => Values::Integers(Vec::new()),
            ColumnKind::Real => Values::Reals(Vec::new()),
        };
        Self { values, levels: is_optional.then(Vec::new) }
    }

    fn add(&mut self, cell: Cell) {
        let is_value = self.values.add(cell);
        match &mut self.levels {
            Some(levels) => levels.push(i16::from(is_value)),
            None if is_value => {}
            None => self.values.add_nothing(),
        }
    }

    fn write_to(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = self.levels.as_deref();
        match &mut self.values {
            Values::Words(words) => written(column.typed::<ByteArrayType>().write_batch(words, levels, None), words),
            Values::Integers(whole) => written(column.typed::<Int64Type>().write_batch(whole, levels, None), whole),
            Values::Reals(real) => written(column.typed::<DoubleType>().write_batch(real, levels, None), real),
        }?;
        self.levels.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}

impl Values {
    /// Adds the cell if it has a value of this kind. Returns whether it has.
    fn add(&mut self, cell: Cell) -> bool {
        match (self, cell) {
            (Self::Words(words), Cell::Word(word)) => words.push(Bytes::from_static(word.as_bytes()).into()),
            (Self::Integers(whole), Cell::Integer(value)) => whole.push(value),
            (Self::Reals(real), Cell::Real(value)) => real.push(value),
            _ => return false,
        }
        true
    }

    /// Fills a cell of a column that is never empty.
    fn add_nothing(&mut self) {
        match self {
            Self::Words(words) => words.push(ByteArray::from(Bytes::new())),
            Self::Integers(whole) => whole.push(0),
            Self::Reals(real) => real.push(0.0),
        }
    }
}

fn written<T>(result: Result<usize, ParquetError>, values: &mut Vec<T>) -> Result<(), ParquetError> {
    values.clear();
    result.map(drop)
}

fn is_optional(place: usize) -> bool {
    place >= table::NEVER_EMPTY
}

fn schema(columns: &[Column]) -> Result<Type, ParquetError> {
    let fields = columns.iter().enumerate().map(|(place, column)| {
        let repetition = if is_optional(place) { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let (physical, logical) = match column.kind {
            ColumnKind::Word(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            ColumnKind::Integer => (PhysicalType::INT64, None),
            ColumnKind::Real => (PhysicalType::DOUBLE, None),
        };
        let field = Type::primitive_type_builder(column.name, physical);
        Ok(Arc::new(field.with_repetition(repetition).with_logical_type(logical).build()?))
    });
    let fields = fields.collect::<Result<Vec<_>, ParquetError>>()?;
    Type::group_type_builder("frames").with_fields(fields).build()
}

/// Words use a dictionary, whole numbers are stored as differences, and the bytes of real numbers are split by place.
/// These encodings compress best, and every reader since 2022 knows them.
fn properties(columns: &[Column]) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by(format!("plumb version {}", env!("CARGO_PKG_VERSION")));
    for column in columns {
        let encoding = match column.kind {
            ColumnKind::Word(_) => continue,
            ColumnKind::Integer => Encoding::DELTA_BINARY_PACKED,
            ColumnKind::Real => Encoding::BYTE_STREAM_SPLIT,
        };
        let path = ColumnPath::from(column.name);
        properties = properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding);
    }
    properties.build()
}

/// The error without the text that the library adds.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(inner) => *inner,
            Err(inner) => io::Error::other(inner.to_string()),
        },
        other => io::Error::other(other.to_string()),
    }
}
