//! Writes `sweep.parquet`, and the table of `server tune`.
//!
//! Rows are gathered by column and written in groups, so memory does not grow with the sweep. They go into a temporary
//! file, which gets its name when it is complete.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;
use tempfile::NamedTempFile;

use super::columns::{Cell, Kind};
use crate::output::part::part;

/// Rows per group: some 20 MB of memory.
const GROUP: usize = 32_768;

/// A table that is being written. If it is dropped before its end, no file is left.
pub(crate) struct Table {
    path: PathBuf,
    writer: SerializedFileWriter<NamedTempFile>,
    columns: Vec<(Kind, Vec<Cell>)>,
    rows: usize,
}

impl Table {
    /// Begins the table at this path. `None` if this build cannot write it.
    pub(crate) fn create(path: &Path, columns: &[(String, Kind)]) -> io::Result<Option<Self>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = part(path.parent().unwrap_or(Path::new(".")), &name)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_created_by(format!("plumb version {}", env!("CARGO_PKG_VERSION")))
            .build();
        let schema = schema(columns).map_err(io_error)?;
        let writer = SerializedFileWriter::new(part, Arc::new(schema), Arc::new(properties)).map_err(io_error)?;
        let columns = columns.iter().map(|(_, kind)| (*kind, Vec::new())).collect();
        Ok(Some(Self { path: path.to_owned(), writer, columns, rows: 0 }))
    }

    /// Adds a row: a cell for each column.
    pub(crate) fn add(&mut self, row: Vec<Cell>) -> io::Result<()> {
        for ((_, cells), cell) in self.columns.iter_mut().zip(row) {
            cells.push(cell);
        }
        self.rows += 1;
        if self.rows == GROUP { self.write_group() } else { Ok(()) }
    }

    /// Writes the rest, with the plan as metadata, and gives the file its name.
    pub(crate) fn finish(mut self, plan: &str) -> io::Result<()> {
        if self.rows > 0 {
            self.write_group()?;
        }
        for (key, value) in [("plumb.plan", plan), ("plumb.version", env!("CARGO_PKG_VERSION"))] {
            self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value.to_owned()));
        }
        let part = self.writer.into_inner().map_err(io_error)?;
        part.as_file().sync_all()?;
        part.persist(&self.path).map(drop).map_err(|failed| failed.error)
    }

    fn write_group(&mut self) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(io_error)?;
        for (kind, cells) in &mut self.columns {
            // invariant: the file has as many columns as were gathered.
            if let Some(mut column) = group.next_column().map_err(io_error)? {
                written(*kind, cells, &mut column).and_then(|()| column.close()).map_err(io_error)?;
            }
            cells.clear();
        }
        group.close().map_err(io_error)?;
        self.rows = 0;
        Ok(())
    }
}

fn written(kind: Kind, cells: &[Cell], column: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(*cell != Cell::Null)).collect();
    let levels = Some(levels.as_slice());
    match kind {
        Kind::Integer | Kind::Unsigned => {
            let values: Vec<i64> = cells
                .iter()
                .filter_map(|cell| if let Cell::Integer(value) = cell { Some(*value) } else { None })
                .collect();
            column.typed::<Int64Type>().write_batch(&values, levels, None)
        }
        Kind::Real => {
            let values: Vec<f64> = cells
                .iter()
                .filter_map(|cell| if let Cell::Real(value) = cell { Some(*value) } else { None })
                .collect();
            column.typed::<DoubleType>().write_batch(&values, levels, None)
        }
        Kind::Word => {
            let values: Vec<ByteArray> = cells
                .iter()
                .filter_map(|cell| if let Cell::Word(value) = cell { Some(value.as_str().into()) } else { None })
                .collect();
            column.typed::<ByteArrayType>().write_batch(&values, levels, None)
        }
    }
    .map(drop)
}

fn schema(columns: &[(String, Kind)]) -> Result<Type, ParquetError> {
    let fields = columns.iter().map(|(name, kind)| {
        let (physical, logical, converted) = match kind {
            Kind::Integer => (Physical::INT64, None, ConvertedType::NONE),
            Kind::Unsigned => (Physical::INT64, None, ConvertedType::UINT_64),
            Kind::Real => (Physical::DOUBLE, None, ConvertedType::NONE),
            Kind::Word => (Physical::BYTE_ARRAY, Some(LogicalType::String), ConvertedType::NONE),
        };
        let field = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        let field = match logical {
            Some(logical) => field.with_logical_type(Some(logical)),
            None => field.with_converted_type(converted),
        };
        Ok(Arc::new(field.build()?))
    });
    let fields = fields.collect::<Result<Vec<_>, ParquetError>>()?;
    Type::group_type_builder("sweep").with_fields(fields).build()
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
