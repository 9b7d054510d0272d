//! Tables that are written while they are computed.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef, ipc::writer::FileWriter};

use super::{
    Content, EncodeError, Encoded, Reference, Summary,
    encode::Sink,
    map,
    table::{self, BATCH_ROWS, TableError},
};
use crate::operator::{Datum, OperatorError, Table};

/// Collects the batches of a result: in memory while they are few, then in the file that becomes its artifact.
pub struct TableBuilder {
    schema: SchemaRef,
    kept: Vec<RecordBatch>,
    bytes: u64,
    limit: u64,
    folder: Option<PathBuf>,
    writer: Option<TableWriter>,
}

/// A table that has been written, but has no name yet. Given as an output it costs nothing more.
#[derive(Debug)]
pub struct Written {
    table: Table,
    /// Until it is handed over.
    encoded: Mutex<Option<Encoded>>,
}

/// Writes a table in its canonical form, whatever the cuts between the batches that come.
pub(super) struct TableWriter {
    /// As given; the file has the canonical one.
    schema: SchemaRef,
    folder: PathBuf,
    file: FileWriter<Sink>,
    /// Fewer than a batch's rows.
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    rows: usize,
}

impl TableBuilder {
    /// Keeps `limit` bytes in memory; all where there is no folder.
    pub fn new(schema: SchemaRef, limit: u64, folder: Option<&Path>) -> Self {
        let folder = folder.map(Path::to_owned);
        Self { schema, kept: Vec::new(), bytes: 0, limit, folder, writer: None }
    }

    /// Adds rows at the end.
    ///
    /// # Errors
    /// Where they cannot be written: the disk is full, or a value is missing that must not be.
    pub fn push(&mut self, batch: RecordBatch) -> Result<(), OperatorError> {
        self.add(batch).map_err(failed)
    }

    /// The table, or that it has been written.
    ///
    /// # Errors
    /// As of [`TableBuilder::push`].
    pub fn finish(mut self) -> Result<Datum, OperatorError> {
        match self.writer.take() {
            None => Ok(Datum::Table(Table { schema: self.schema, batches: self.kept })),
            Some(writer) => {
                let (table, encoded) = writer.finish().map_err(failed)?;
                let encoded = Mutex::new(Some(encoded));
                Ok(Datum::Written(Written { table, encoded }.into()))
            }
        }
    }

    fn add(&mut self, batch: RecordBatch) -> Result<(), EncodeError> {
        if let Some(writer) = &mut self.writer {
            return writer.push(batch);
        }
        self.bytes += batch.get_array_memory_size() as u64;
        self.kept.push(batch);
        if self.bytes > self.limit
            && let Some(folder) = &self.folder
        {
            let mut writer = TableWriter::new(&self.schema, folder)?;
            self.kept.drain(..).try_for_each(|batch| writer.push(batch))?;
            self.writer = Some(writer);
        }
        Ok(())
    }
}

impl Written {
    /// The rows, read from the file.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// What it was written as. Whoever comes second writes it anew.
    pub(super) fn take(&self, folder: &Path) -> Result<Encoded, EncodeError> {
        let encoded = self.encoded.lock().unwrap_or_else(PoisonError::into_inner).take();
        match encoded {
            Some(encoded) => Ok(encoded),
            None => super::encode(Datum::Table(self.table.clone()), folder),
        }
    }
}

impl TableWriter {
    pub fn new(schema: &SchemaRef, folder: &Path) -> Result<Self, EncodeError> {
        let canonical = table::canonical_schema(schema)?;
        let file = FileWriter::try_new(Sink::new(folder), &canonical).map_err(TableError::from)?;
        let folder = folder.to_owned();
        Ok(Self { schema: canonical, folder, file, pending: Vec::new(), pending_rows: 0, rows: 0 })
    }

    pub fn push(&mut self, mut batch: RecordBatch) -> Result<(), EncodeError> {
        while self.pending_rows + batch.num_rows() >= BATCH_ROWS {
            let head = BATCH_ROWS - self.pending_rows;
            self.pending.push(batch.slice(0, head));
            batch = batch.slice(head, batch.num_rows() - head);
            self.write()?;
        }
        self.pending_rows += batch.num_rows();
        self.pending.extend((batch.num_rows() > 0).then_some(batch));
        Ok(())
    }

    /// The table, as it is read from now on.
    pub fn finish(mut self) -> Result<(Table, Encoded), EncodeError> {
        if !self.pending.is_empty() {
            self.write()?;
        }
        let sink = self.file.into_inner().map_err(|error| unwritten(error, &self.folder))?;
        let content = sink
            .finish()
            .map_err(|error| EncodeError::Write { folder: self.folder.display().to_string(), error })?;
        let table = match &content {
            Content::Small { bytes, .. } => table::read(bytes)?,
            Content::Large { file, .. } => map::table(file.as_file())?,
        };
        let summary = Summary::Table { rows: self.rows as u64, columns: self.schema.fields().len() as u64 };
        let reference = Reference { hash: content.hash(), size: content.size(), summary };
        let datum = Some(Datum::Table(table.clone()));
        Ok((table, Encoded { reference, datum, contents: vec![content] }))
    }

    fn write(&mut self) -> Result<(), EncodeError> {
        let batch = table::canonical_batch(&self.schema, &self.pending, self.rows)?;
        self.file.write(&batch).map_err(|error| unwritten(error, &self.folder))?;
        self.pending.iter().for_each(map::release);
        self.pending.clear();
        self.pending_rows = 0;
        self.rows += batch.num_rows();
        Ok(())
    }
}

fn unwritten(error: arrow::error::ArrowError, folder: &Path) -> EncodeError {
    match error {
        arrow::error::ArrowError::IoError(_, error) => {
            EncodeError::Write { folder: folder.display().to_string(), error }
        }
        other => TableError::from(other).into(),
    }
}

fn failed(error: EncodeError) -> OperatorError {
    OperatorError::failed(error.to_string())
}

impl std::fmt::Debug for TableBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableBuilder")
            .field("bytes", &self.bytes)
            .field("is_written", &self.writer.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{ArrayRef, Int64Array, StringArray},
        datatypes::{DataType, Field, Schema},
    };

    use super::*;

    fn batch(rows: std::ops::Range<i64>) -> RecordBatch {
        let schema = Arc::new(Schema::new(vec![
            Field::new("n", DataType::Int64, true),
            Field::new("t", DataType::Utf8, false),
        ]));
        let numbers: ArrayRef =
            Arc::new(rows.clone().map(|row| (row % 7 != 0).then_some(row)).collect::<Int64Array>());
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(rows.map(|row| format!("row {row}"))));
        RecordBatch::try_new(schema, vec![numbers, texts]).unwrap()
    }

    #[test]
    fn what_is_written_bit_by_bit_is_what_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let rows = 2 * BATCH_ROWS as i64 + 77;
        let whole = Table { schema: batch(0..1).schema(), batches: vec![batch(0..rows)] };
        let canonical = table::canonical(&whole).unwrap();
        let mut bytes = Vec::new();
        table::write(&canonical, &mut bytes).unwrap();
        for cut in [1_000, 65_536, 100_000, rows] {
            let mut builder = TableBuilder::new(whole.schema.clone(), 1 << 20, Some(folder.path()));
            let mut row = 0;
            while row < rows {
                builder.push(batch(row..rows.min(row + cut))).unwrap();
                row += cut;
            }
            let Datum::Written(written) = builder.finish().unwrap() else { panic!("it was kept") };
            assert_eq!(written.table().batches, canonical.batches);
            let encoded = written.take(folder.path()).unwrap();
            assert_eq!(encoded.reference.hash, flow_ir::hash::Hash::of(&bytes));
            assert_eq!(encoded.reference.size, bytes.len() as u64);
            let again = written.take(folder.path()).unwrap();
            assert_eq!(again.reference, encoded.reference);
            written.table().batches.iter().for_each(map::release);
            assert_eq!(written.table().batches, canonical.batches, "released pages come back");
        }
        assert!(TableBuilder::new(whole.schema, 0, Some(folder.path())).finish().is_ok(), "no rows at all");
    }
}
