//! Tables as bytes: equal rows are equal bytes, however they were cut into batches and built.
//!
//! Arrow leaves much open that is no part of a table's meaning: where batches end, what stands in the slots
//! of missing values, offsets into shared buffers, dictionaries, metadata. [`canonical`] settles all of it,
//! and what consumers get from memory is that form too, so that they cannot tell it from the stored one.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BooleanArray, FixedSizeListArray, ListArray, MutableArrayData,
        PrimitiveArray, RecordBatch, RecordBatchOptions, StringArray, StructArray, downcast_primitive_array,
        make_array,
    },
    buffer::{BooleanBuffer, NullBuffer, OffsetBuffer},
    compute::{cast, concat},
    datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit},
    error::ArrowError,
    ipc::{reader::FileReader, writer::FileWriter},
};

use flow_ir::types::Type;

use crate::operator::Table;

/// Rows of every batch but the last.
pub const BATCH_ROWS: usize = 65_536;

/// Why a table cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("column `{column}` has the Arrow type {ty}, which no artifact holds")]
    Type { column: String, ty: DataType },
    #[error("column `{column}` must not be missing, but is in row {row}")]
    Missing { column: String, row: usize },
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

/// How a column of that type is stored, a meaning as what it is a meaning of; none for what cannot be a column,
/// as tables and models.
pub fn data_type(ty: &Type) -> Option<DataType> {
    Some(match ty.storage() {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Float32 => DataType::Float32,
        Type::Text | Type::File | Type::Enum(_) => DataType::Utf8,
        Type::Bytes => DataType::Binary,
        Type::Date => DataType::Date32,
        Type::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::Duration => DataType::Duration(TimeUnit::Microsecond),
        Type::Size => DataType::UInt64,
        Type::Embedding(length) => DataType::FixedSizeList(
            Arc::new(Field::new("item", DataType::Float64, false)),
            i32::try_from(*length).ok()?,
        ),
        Type::List(of) => DataType::List(Arc::new(field("item", of)?)),
        Type::Record(record) => {
            let fields = record.fields.iter().map(|of| field(&of.name, &of.ty));
            DataType::Struct(fields.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// A named Arrow field, nullable where the type has `?`.
pub fn field(name: &str, ty: &Type) -> Option<Field> {
    Some(Field::new(name, data_type(ty)?, ty.is_optional()))
}

/// The one form of a table's rows: batches of [`BATCH_ROWS`], plain types without metadata, zeros where
/// values are missing. Columns that are in that form already are not copied.
pub fn canonical(table: &Table) -> Result<Table, TableError> {
    let schema = canonical_schema(&table.schema)?;
    let rows = table.rows();
    let mut batches = Vec::with_capacity(rows.div_ceil(BATCH_ROWS));
    let mut pieces = Pieces { batches: &table.batches, offset: 0 };
    let mut first_row = 0;
    while first_row < rows {
        let count = BATCH_ROWS.min(rows - first_row);
        batches.push(canonical_batch(&schema, &pieces.take(count), first_row)?);
        first_row += count;
    }
    Ok(Table { schema, batches })
}

pub(super) fn canonical_schema(schema: &Schema) -> Result<SchemaRef, TableError> {
    let fields = schema.fields().iter().map(|field| canonical_field(field));
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<FieldRef>, _>>()?)))
}

/// One batch of these rows, of which the first is the `first_row`th of its table.
pub(super) fn canonical_batch(
    schema: &SchemaRef,
    pieces: &[RecordBatch],
    first_row: usize,
) -> Result<RecordBatch, TableError> {
    let columns = (0..).zip(schema.fields()).map(|(index, field)| {
        let parts: Vec<&dyn Array> = pieces.iter().map(|batch| batch.column(index).as_ref()).collect();
        let joined = match parts.as_slice() {
            [_] => pieces.first().map(|batch| batch.column(index).clone()),
            _ => None,
        };
        let joined = joined.map_or_else(|| concat(&parts), Ok)?;
        canonical_array(&joined, field, None, first_row)
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let options =
        RecordBatchOptions::new().with_row_count(Some(pieces.iter().map(RecordBatch::num_rows).sum()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

/// Writes a canonical table as an Arrow IPC file.
pub fn write(table: &Table, to: impl std::io::Write) -> Result<(), TableError> {
    let mut writer = FileWriter::try_new(to, &table.schema)?;
    for batch in &table.batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(())
}

/// Reads back what [`write`] wrote.
pub fn read(bytes: &[u8]) -> Result<Table, TableError> {
    let reader = FileReader::try_new(std::io::Cursor::new(bytes), None)?;
    let schema = reader.schema();
    Ok(Table { schema, batches: reader.collect::<Result<_, _>>()? })
}

/// What is left of a table, from the front.
struct Pieces<'a> {
    batches: &'a [RecordBatch],
    /// Rows of the first batch that are gone.
    offset: usize,
}

impl Pieces<'_> {
    fn take(&mut self, mut rows: usize) -> Vec<RecordBatch> {
        let mut taken = Vec::new();
        while rows > 0
            && let Some((first, rest)) = self.batches.split_first()
        {
            let count = rows.min(first.num_rows() - self.offset);
            if count > 0 {
                taken.push(first.slice(self.offset, count));
            }
            rows -= count;
            self.offset += count;
            if self.offset == first.num_rows() {
                self.batches = rest;
                self.offset = 0;
            }
        }
        taken
    }
}

fn canonical_field(field: &Field) -> Result<FieldRef, TableError> {
    let unsupported = || TableError::Type { column: field.name().clone(), ty: field.data_type().clone() };
    Ok(Arc::new(Field::new(
        field.name(),
        match field.data_type() {
            DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
            DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
            DataType::Dictionary(_, values) => {
                canonical_field(&Field::new(field.name(), (**values).clone(), field.is_nullable()))?
                    .data_type()
                    .clone()
            }
            DataType::List(item) => DataType::List(canonical_field(item)?),
            DataType::FixedSizeList(item, length) => DataType::FixedSizeList(canonical_field(item)?, *length),
            DataType::Struct(fields) => {
                DataType::Struct(fields.iter().map(|field| canonical_field(field)).collect::<Result<_, _>>()?)
            }
            plain @ (DataType::Boolean | DataType::Utf8 | DataType::Binary) => plain.clone(),
            plain if plain.is_primitive() => plain.clone(),
            _ => return Err(unsupported()),
        },
        field.is_nullable(),
    )))
}

/// `mask` is where the array's parent has a value: what stands elsewhere is nobody's, and becomes missing
/// where the field allows it, else zero.
fn canonical_array(
    array: &ArrayRef,
    field: &Field,
    mask: Option<&NullBuffer>,
    first_row: usize,
) -> Result<ArrayRef, TableError> {
    let array = match (array.data_type(), field.data_type()) {
        (
            DataType::Utf8View
            | DataType::LargeUtf8
            | DataType::BinaryView
            | DataType::LargeBinary
            | DataType::Dictionary(..),
            to,
        ) => &cast(array, to)?,
        _ => array,
    };
    let valid = NullBuffer::union(array.nulls(), mask).filter(|valid| valid.null_count() > 0);
    let nulls = valid.as_ref().filter(|_| field.is_nullable()).map(compact);
    if !field.is_nullable()
        && let Some(own) = array.nulls()
        && let Some(row) =
            (0..array.len()).find(|row| own.is_null(*row) && mask.is_none_or(|mask| mask.is_valid(*row)))
    {
        return Err(TableError::Missing { column: field.name().clone(), row: first_row + row });
    }
    let is_valid = |row: usize| valid.as_ref().is_none_or(|valid| valid.is_valid(row));
    let inner = |array: &ArrayRef, field: &Field, mask: Option<&NullBuffer>| {
        canonical_array(array, field, mask, first_row)
    };
    downcast_primitive_array!(
        array => {
            if valid.is_none() && array.nulls().is_none() {
                return Ok(Arc::new(array.clone()));
            }
            let values = (0..).zip(array.values().iter());
            let values = values.map(|(row, value)| if is_valid(row) { *value } else { Default::default() });
            let plain = with_values(array, values.collect(), nulls);
            Ok(Arc::new(plain))
        }
        DataType::Boolean => {
            let values = array.as_boolean().values();
            let values = BooleanBuffer::collect_bool(array.len(), |row| is_valid(row) && values.value(row));
            Ok(Arc::new(BooleanArray::new(values, nulls)))
        }
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            if valid.is_none() && array.nulls().is_none() {
                return Ok(array.clone());
            }
            let texts = (0..array.len()).map(|row| if is_valid(row) { texts.value(row) } else { "" });
            let (offsets, values, _) = StringArray::from_iter_values(texts).into_parts();
            Ok(Arc::new(StringArray::try_new(offsets, values, nulls)?))
        }
        DataType::Binary => {
            let bytes = array.as_binary::<i32>();
            let bytes = (0..array.len()).map(|row| if is_valid(row) { bytes.value(row) } else { &[] });
            let (offsets, values, _) = BinaryArray::from_iter_values(bytes).into_parts();
            Ok(Arc::new(BinaryArray::try_new(offsets, values, nulls)?))
        }
        DataType::List(_) => {
            let DataType::List(item) = field.data_type() else { return Ok(array.clone()) };
            let lists = array.as_list::<i32>();
            let kept: Vec<(usize, usize)> = (0..array.len())
                .map(|row| {
                    let (start, end) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
                    if is_valid(row) { (start, end) } else { (start, start) }
                })
                .collect();
            let data = lists.values().to_data();
            let mut items = MutableArrayData::new(vec![&data], false, data.len());
            for (start, end) in &kept {
                items.try_extend(0, *start, *end)?;
            }
            let items = inner(&make_array(items.freeze()), item, None)?;
            let offsets = OffsetBuffer::from_lengths(kept.iter().map(|(start, end)| end - start));
            Ok(Arc::new(ListArray::try_new(item.clone(), offsets, items, nulls)?))
        }
        DataType::FixedSizeList(_, length) => {
            let DataType::FixedSizeList(item, _) = field.data_type() else { return Ok(array.clone()) };
            let lists = array.as_fixed_size_list();
            let length = *length;
            let mask = valid.as_ref().map(|valid| valid.expand(usize::try_from(length).unwrap_or_default()));
            let items = inner(lists.values(), item, mask.as_ref())?;
            Ok(Arc::new(FixedSizeListArray::try_new_with_length(item.clone(), length, items, nulls, array.len())?))
        }
        DataType::Struct(_) => {
            let DataType::Struct(fields) = field.data_type() else { return Ok(array.clone()) };
            let columns = array.as_struct().columns().iter().zip(fields);
            let columns = columns.map(|(column, field)| inner(column, field, valid.as_ref()));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, array.len())?))
        }
        ty => Err(TableError::Type { column: field.name().clone(), ty: ty.clone() }),
    )
}

/// Without offset, and zero in the bits after the last.
fn compact(nulls: &NullBuffer) -> NullBuffer {
    NullBuffer::new(BooleanBuffer::collect_bool(nulls.len(), |row| nulls.is_valid(row)))
}

fn with_values<T: arrow::datatypes::ArrowPrimitiveType>(
    like: &PrimitiveArray<T>,
    values: Vec<T::Native>,
    nulls: Option<NullBuffer>,
) -> PrimitiveArray<T> {
    PrimitiveArray::new(values.into(), nulls).with_data_type(like.data_type().clone())
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Float64Array, Int64Array, LargeStringArray, StringViewArray};
    use arrow::datatypes::{Float64Type, Int32Type};
    use proptest::prelude::*;

    use super::*;

    fn bytes(table: &Table) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&canonical(table).unwrap(), &mut bytes).unwrap();
        bytes
    }

    fn table(columns: Vec<(&str, ArrayRef)>) -> Table {
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        Table { schema: schema.clone(), batches: vec![RecordBatch::try_new(schema, columns).unwrap()] }
    }

    proptest! {
        #[test]
        fn the_cuts_between_batches_leave_no_trace(
            rows in prop::collection::vec((any::<Option<i64>>(), any::<Option<bool>>(), ".{0,4}"), 0..200),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let whole = table(vec![
                ("a", Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0)))),
                ("b", Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.1)))),
                ("c", Arc::new(StringArray::from_iter(rows.iter().map(|row| Some(&row.2).filter(|text| text.len() != 1))))),
                ("d", Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(
                    rows.iter().map(|row| row.0.map(|a| [Some(a as f64), None])), 2))),
                ("e", Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(
                    rows.iter().map(|row| row.0.map(|a| vec![Some(1.0); (a & 3) as usize]))))),
            ]);
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(rows.len() + 1)).collect();
            at.extend([0, rows.len()]);
            at.sort_unstable();
            let batch = &whole.batches[0];
            let cut = Table {
                schema: whole.schema.clone(),
                batches: at.windows(2).map(|ends| batch.slice(ends[0], ends[1] - ends[0])).collect(),
            };
            prop_assert_eq!(bytes(&cut), bytes(&whole));
            let canonical = canonical(&whole).unwrap();
            let back = read(&bytes(&whole)).unwrap();
            prop_assert_eq!(&back.batches, &canonical.batches);
            prop_assert_eq!(back.schema, canonical.schema);
        }
    }

    #[test]
    fn what_stands_under_a_missing_value_leaves_no_trace() {
        let nulls = || Some(NullBuffer::from(vec![true, false, true]));
        let one = table(vec![("a", Arc::new(Float64Array::new(vec![1.0, 2.0, 3.0].into(), nulls())))]);
        let other = table(vec![("a", Arc::new(Float64Array::new(vec![1.0, f64::NAN, 3.0].into(), nulls())))]);
        assert_eq!(bytes(&one), bytes(&other));
    }

    #[test]
    fn the_ways_to_hold_text_leave_no_trace() {
        let texts = ["b", "a", "b"];
        let plain = table(vec![("t", Arc::new(StringArray::from_iter_values(texts)))]);
        for column in [
            Arc::new(StringViewArray::from_iter_values(texts)) as ArrayRef,
            Arc::new(LargeStringArray::from_iter_values(texts)),
            Arc::new(DictionaryArray::<Int32Type>::from_iter(texts)),
        ] {
            assert_eq!(bytes(&table(vec![("t", column)])), bytes(&plain));
        }
    }

    #[test]
    fn batches_have_one_size() {
        let rows = BATCH_ROWS + 10;
        let long = table(vec![("a", Arc::new(Int64Array::from_iter_values(0..rows as i64)))]);
        let sizes: Vec<usize> = canonical(&long).unwrap().batches.iter().map(RecordBatch::num_rows).collect();
        assert_eq!(sizes, [BATCH_ROWS, 10]);
    }

    #[test]
    fn a_value_that_must_not_be_missing_is_named() {
        let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, true)]));
        let column: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        let batch = RecordBatch::try_new(schema, vec![column]).unwrap();
        let strict = Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, false)]));
        let error = canonical(&Table { schema: strict, batches: vec![batch] }).unwrap_err();
        assert_eq!(error.to_string(), "column `a` must not be missing, but is in row 1");
    }
}
