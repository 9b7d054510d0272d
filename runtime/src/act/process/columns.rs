//! Holds a table of a stranger's against the row that was promised, and makes it one of that row.
//!
//! What says the same in another way is taken: narrower numbers, dictionaries, other units of time, whole floats
//! where integers are due (pandas has no missing integers). What would lose something is not.

use std::{fmt, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, FixedSizeListArray, ListArray, RecordBatch, RecordBatchOptions,
        StructArray, make_array,
    },
    compute::{CastOptions, cast_with_options},
    datatypes::{
        DataType, Date32Type, Field, Float64Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
    },
    error::ArrowError,
    util::display::{ArrayFormatter, FormatOptions},
};
use flow_ir::{
    text::shortened,
    types::{Row, Type},
    value::Value,
};

use crate::{artifact::table::data_type, operator::Table};

/// Why a table is not the promised one. Rows count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    Columns { lacks: Vec<String>, has_too: Vec<String> },
    Twice { column: String },
    Type { column: String, expected: String, found: String },
    Missing { column: String, row: usize, expected: String },
    Cell { column: String, row: usize, expected: String, cell: Option<String>, reason: Option<String> },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &[String]| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            names.join(", ")
        };
        match self {
            Self::Columns { lacks, has_too } if lacks.is_empty() => {
                write!(f, "it has columns that its type has not: {}", names(has_too))
            }
            Self::Columns { lacks, has_too } if has_too.is_empty() => {
                write!(f, "it lacks columns of its type: {}", names(lacks))
            }
            Self::Columns { lacks, has_too } => {
                write!(f, "it lacks columns of its type: {}; it has {} instead", names(lacks), names(has_too))
            }
            Self::Twice { column } => write!(f, "it has two columns `{column}`"),
            Self::Type { column, expected, found } => {
                write!(f, "column `{column}` is {expected}, and holds Arrow's {found}")
            }
            Self::Missing { column, row, expected } => {
                write!(f, "row {row} of column `{column}` is missing, and {expected} has no `?`")
            }
            Self::Cell { column, row, expected, cell, reason } => {
                write!(f, "row {row} of column `{column}` ")?;
                match cell {
                    Some(cell) => write!(f, "holds {cell}, which is no {expected}")?,
                    None => write!(f, "holds what is no {expected}; it is personal data, and not shown")?,
                }
                match reason {
                    Some(reason) => write!(f, ": {reason}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The table as one of `row`, its columns in that order.
pub fn conform(table: &Table, row: &Row) -> Result<Table, Misfit> {
    let names: Vec<&str> = table.schema.fields().iter().map(|field| field.name().as_str()).collect();
    if let Some((_, twice)) =
        names.iter().enumerate().find(|(index, name)| names.iter().take(*index).any(|n| n == *name))
    {
        return Err(Misfit::Twice { column: (*twice).to_owned() });
    }
    let lacks = row.columns.iter().filter(|column| !names.contains(&column.name.as_str()));
    let lacks: Vec<String> = lacks.map(|column| column.name.clone()).collect();
    let has_too = names.iter().filter(|name| row.column(name).is_none());
    let has_too: Vec<String> = has_too.map(|name| (*name).to_owned()).collect();
    if !lacks.is_empty() || !has_too.is_empty() {
        return Err(Misfit::Columns { lacks, has_too });
    }
    let mut fields = Vec::with_capacity(row.columns.len());
    for column in &row.columns {
        let ty = data_type(&column.ty).ok_or_else(|| Misfit::Type {
            column: column.name.clone(),
            expected: column.ty.to_string(),
            found: "columns, which never hold that".to_owned(),
        })?;
        fields.push(Field::new(&column.name, ty, column.ty.is_optional()));
    }
    let schema = Arc::new(Schema::new(fields));
    let mut batches = Vec::with_capacity(table.batches.len());
    let mut first_row = 0;
    for batch in &table.batches {
        let columns = row.columns.iter().map(|column| {
            let array = batch
                .column_by_name(&column.name)
                .ok_or_else(|| Misfit::Columns { lacks: vec![column.name.clone()], has_too: Vec::new() })?;
            Column { name: &column.name, declared: &column.ty, first_row }.conform(array)
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch_of_row = RecordBatch::try_new_with_options(schema.clone(), columns, &options);
        batches.push(batch_of_row.map_err(|error| Misfit::Type {
            column: names.join(", "),
            expected: "a row".to_owned(),
            found: error.to_string(),
        })?);
        first_row += batch.num_rows();
    }
    Ok(Table { schema, batches })
}

/// A column while it is held against its type.
#[derive(Clone, Copy)]
struct Column<'a> {
    name: &'a str,
    /// Of the whole column: messages name it also where a part of a list is wrong.
    declared: &'a Type,
    first_row: usize,
}

impl Column<'_> {
    fn conform(self, array: &ArrayRef) -> Result<ArrayRef, Misfit> {
        self.of_type(array, self.declared, &Rows { of: Vec::new(), is_same: true })
    }

    /// `rows` says in which row of the batch each element stands.
    fn of_type(self, array: &ArrayRef, ty: &Type, rows: &Rows) -> Result<ArrayRef, Misfit> {
        let target = data_type(ty).ok_or_else(|| self.wrong_type(array))?;
        // A dictionary stands for its values.
        let array = match array.data_type() {
            DataType::Dictionary(_, values) => &self.cast(array, values, ty, rows)?,
            DataType::RunEndEncoded(_, values) => &self.cast(array, values.data_type(), ty, rows)?,
            _ => array,
        };
        let converted = match (array.data_type(), ty.storage()) {
            // Without a single value there is nothing to say of their type.
            (DataType::Null, _) => arrow::array::new_null_array(&target, array.len()),
            (
                DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..),
                Type::Embedding(length),
            ) => self.embedding(array, *length, ty, rows)?,
            (DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..), Type::List(of)) => {
                self.list(array, of, rows)?
            }
            (DataType::Struct(_), Type::Record(_)) => self.record(array, ty, rows)?,
            (found, _) if *found == target => array.clone(),
            (found, _) if is_like(found, &target) => self.cast(array, &target, ty, rows)?,
            _ => return Err(self.wrong_type(array)),
        };
        if !ty.is_optional()
            && let Some(row) = first(&converted, |array, index| array.is_null(index))
        {
            let expected = ty.to_string();
            return Err(Misfit::Missing {
                column: self.name.to_owned(),
                row: self.row(rows.row(row)),
                expected,
            });
        }
        if has_limits(ty) {
            self.check_limits(&converted, ty, rows)?;
        }
        Ok(converted)
    }

    /// Changes the Arrow type, and finds what did not survive it.
    fn cast(self, array: &ArrayRef, to: &DataType, ty: &Type, rows: &Rows) -> Result<ArrayRef, Misfit> {
        let wrong = |_: ArrowError| self.wrong_type(array);
        let converted = convert(array, to).map_err(wrong)?;
        match first_lost(array, &converted).map_err(wrong)? {
            Some(index) => Err(self.cell(array, index, ty, rows, None)),
            None => Ok(converted),
        }
    }

    fn embedding(self, array: &ArrayRef, length: u32, ty: &Type, rows: &Rows) -> Result<ArrayRef, Misfit> {
        let lists = self.as_lists(array, ty, rows)?;
        let length = i32::try_from(length).map_err(|_| self.wrong_type(array))?;
        let wrong =
            |array: &ArrayRef, index: usize| array.is_valid(index) && lists.value_length(index) != length;
        if let Some(index) = first(array, wrong) {
            let reason = format!("it has {} numbers, not {length}", lists.value_length(index));
            return Err(self.cell(array, index, ty, rows, Some(reason)));
        }
        // What stands under a missing list may have any length: it is left out, and zeros stand there.
        let (values, own_rows) = self.elements(&lists, rows);
        let values = self.of_type(&values, &Type::Float, &own_rows)?;
        let numbers = values.as_primitive::<Float64Type>();
        let mut filled = Vec::with_capacity(array.len() * usize::try_from(length).unwrap_or_default());
        let mut next = 0;
        for index in 0..array.len() {
            for _ in 0..length {
                if array.is_valid(index) {
                    filled.push(numbers.value(next));
                    next += 1;
                } else {
                    filled.push(0.0);
                }
            }
        }
        let filled: ArrayRef = Arc::new(arrow::array::Float64Array::from(filled));
        let item = Arc::new(Field::new("item", DataType::Float64, false));
        let nulls = array.nulls().cloned();
        FixedSizeListArray::try_new_with_length(item, length, filled, nulls, array.len())
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(|_| self.wrong_type(array))
    }

    fn list(self, array: &ArrayRef, of: &Type, rows: &Rows) -> Result<ArrayRef, Misfit> {
        let lists = self.as_lists(array, of, rows)?;
        let (values, own_rows) = self.elements(&lists, rows);
        let values = self.of_type(&values, of, &own_rows)?;
        let item = Arc::new(Field::new("item", values.data_type().clone(), of.is_optional()));
        let lengths = (0..lists.len()).map(|index| {
            if lists.is_valid(index) {
                usize::try_from(lists.value_length(index)).unwrap_or_default()
            } else {
                0
            }
        });
        let offsets = arrow::buffer::OffsetBuffer::from_lengths(lengths);
        ListArray::try_new(item, offsets, values, lists.nulls().cloned())
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(|_| self.wrong_type(array))
    }

    fn record(self, array: &ArrayRef, ty: &Type, rows: &Rows) -> Result<ArrayRef, Misfit> {
        let (Type::Record(record), Some(DataType::Struct(fields))) = (ty.storage(), data_type(ty)) else {
            return Err(self.wrong_type(array));
        };
        let parts = array.as_struct();
        if parts.num_columns() != record.fields.len() {
            return Err(self.wrong_type(array));
        }
        let columns = record.fields.iter().map(|field| {
            let part = parts.column_by_name(&field.name).ok_or_else(|| self.wrong_type(array))?;
            // What stands under a missing record is missing too, and no reason to complain.
            let is_hidden = parts.nulls().is_some_and(|nulls| nulls.null_count() > 0);
            let field_ty = if is_hidden { field.ty.clone().optional() } else { field.ty.clone() };
            let part = self.of_type(part, &field_ty, rows)?;
            let is_missing = |index: usize| part.is_null(index) && parts.is_valid(index);
            match (0..part.len()).find(|index| !field.ty.is_optional() && is_missing(*index)) {
                Some(index) => Err(Misfit::Missing {
                    column: self.name.to_owned(),
                    row: self.row(rows.row(index)),
                    expected: field.ty.to_string(),
                }),
                None => Ok(part),
            }
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        StructArray::try_new_with_length(fields, columns, parts.nulls().cloned(), array.len())
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(|_| self.wrong_type(array))
    }

    /// Any kind of list as the usual one.
    fn as_lists(self, array: &ArrayRef, ty: &Type, rows: &Rows) -> Result<ListArray, Misfit> {
        let item = match array.data_type() {
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                item.clone()
            }
            _ => return Err(self.wrong_type(array)),
        };
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let lists =
            cast_with_options(array, &DataType::List(item), &options).map_err(|_| self.wrong_type(array))?;
        let lists = lists.as_list_opt::<i32>().cloned();
        lists.ok_or_else(|| self.cell(array, 0, ty, rows, None))
    }

    /// The elements of lists that are there, and in which rows they stand.
    fn elements(self, lists: &ListArray, rows: &Rows) -> (ArrayRef, Rows) {
        let data = lists.values().to_data();
        let mut elements = arrow::array::MutableArrayData::new(vec![&data], false, data.len());
        let mut of = Vec::with_capacity(data.len());
        for index in 0..lists.len() {
            if lists.is_valid(index) {
                let offsets = lists.value_offsets();
                let (start, end) = (offsets.get(index), offsets.get(index + 1));
                let (Some(start), Some(end)) = (start, end) else { continue };
                let (start, end) = (usize::try_from(*start).unwrap_or(0), usize::try_from(*end).unwrap_or(0));
                // Offsets were checked when the array was made.
                if elements.try_extend(0, start, end).is_ok() {
                    of.extend(std::iter::repeat_n(rows.row(index), end - start));
                }
            }
        }
        (make_array(elements.freeze()), Rows { of, is_same: false })
    }

    fn check_limits(self, array: &ArrayRef, ty: &Type, rows: &Rows) -> Result<(), Misfit> {
        for index in 0..array.len() {
            let value = match ty.storage() {
                _ if array.is_null(index) => continue,
                Type::Int => array.as_primitive_opt::<Int64Type>().map(|of| Value::Int(of.value(index))),
                Type::Float => array.as_primitive_opt::<Float64Type>().map(|of| Value::from(of.value(index))),
                Type::Text => array.as_string_opt::<i32>().map(|of| Value::from(of.value(index))),
                Type::Enum(of) => array
                    .as_string_opt::<i32>()
                    .map(|array| Value::Enum { ty: of.name.clone(), variant: array.value(index).to_owned() }),
                _ => return Ok(()),
            };
            if let Some(value) = value
                && let Err(misfit) = value.fits(ty)
            {
                let reason = matches!(ty.storage(), Type::Enum(_)).then(|| misfit.to_string());
                return Err(self.cell(array, index, ty, rows, reason));
            }
        }
        Ok(())
    }

    fn wrong_type(self, array: &ArrayRef) -> Misfit {
        Misfit::Type {
            column: self.name.to_owned(),
            expected: self.declared.to_string(),
            found: array.data_type().to_string(),
        }
    }

    fn cell(self, array: &ArrayRef, index: usize, ty: &Type, rows: &Rows, reason: Option<String>) -> Misfit {
        let is_personal = self.declared.is_personal() || ty.is_personal();
        let options = FormatOptions::default().with_display_error(true);
        let array = &without_zone(array);
        let cell = ArrayFormatter::try_new(array, &options).map(|cells| cells.value(index).to_string());
        let cell = cell.unwrap_or_else(|_| "something".to_owned());
        Misfit::Cell {
            column: self.name.to_owned(),
            row: self.row(rows.row(index)),
            expected: ty.to_string(),
            cell: (!is_personal).then(|| format!("`{}`", shortened(&cell))),
            reason: reason.filter(|_| !is_personal),
        }
    }

    fn row(self, in_batch: usize) -> usize {
        self.first_row + in_batch + 1
    }
}

/// In which row of the batch each element of an array stands.
struct Rows {
    of: Vec<usize>,
    /// Each in the row of its own number.
    is_same: bool,
}

impl Rows {
    fn row(&self, index: usize) -> usize {
        if self.is_same { index } else { self.of.get(index).copied().unwrap_or(index) }
    }
}

/// Whether values of one Arrow type say the same as those of another, each by itself being in range.
fn is_like(found: &DataType, target: &DataType) -> bool {
    use DataType::{
        Binary, BinaryView, Date32, Date64, Decimal128, Duration, FixedSizeBinary, Float16, Float32, Float64,
        Int64, LargeBinary, LargeUtf8, Timestamp, UInt64, Utf8, Utf8View,
    };
    match target {
        Int64 | UInt64 => found.is_integer() || found.is_floating() || matches!(found, Decimal128(..)),
        Float64 | Float32 => {
            found.is_integer() || matches!(found, Float16 | Float32 | Float64 | Decimal128(..))
        }
        Utf8 => matches!(found, LargeUtf8 | Utf8View),
        Binary => matches!(found, LargeBinary | BinaryView | FixedSizeBinary(_)),
        Date32 => matches!(found, Date64 | Timestamp(..)),
        Timestamp(..) => matches!(found, Timestamp(..) | Date32 | Date64),
        Duration(_) => matches!(found, Duration(_)),
        _ => false,
    }
}

/// What cannot be said in the other type becomes missing.
fn convert(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    match (array.data_type(), to) {
        // An instant is the same in every zone; one without a zone is meant in UTC.
        (DataType::Timestamp(..), DataType::Timestamp(TimeUnit::Microsecond, _)) => {
            Ok(Arc::new(microseconds(array)?.with_timezone("UTC")))
        }
        (DataType::Timestamp(..), DataType::Date32) => {
            let times: ArrayRef = Arc::new(microseconds(array)?);
            cast_with_options(&times, to, &options)
        }
        (DataType::Date32 | DataType::Date64, DataType::Timestamp(unit, _)) => {
            let times = cast_with_options(array, &DataType::Timestamp(*unit, None), &options)?;
            Ok(Arc::new(times.as_primitive::<TimestampMicrosecondType>().clone().with_timezone("UTC")))
        }
        _ => cast_with_options(array, to, &options),
    }
}

/// Times as they are in UTC: names of zones are unknown here, even that one.
fn without_zone(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Timestamp(_, Some(_)) => {
            microseconds(array).map_or_else(|_| array.clone(), |of| Arc::new(of))
        }
        _ => array.clone(),
    }
}

/// In UTC, without a zone.
fn microseconds(array: &ArrayRef) -> Result<arrow::array::TimestampMicrosecondArray, ArrowError> {
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let times = cast_with_options(array, &DataType::Timestamp(TimeUnit::Microsecond, zone), &options)?;
    Ok(times.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(None::<Arc<str>>))
}

/// The first value that does not say what it said before it was converted.
fn first_lost(from: &ArrayRef, to: &ArrayRef) -> Result<Option<usize>, ArrowError> {
    // Beyond 2^53 a float no longer says which integer was meant.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    const DAY: i64 = 86_400_000_000;
    let is_gone = |index: usize| from.is_valid(index) && to.is_null(index);
    let mut indices = 0..from.len();
    Ok(match (from.data_type(), to.data_type()) {
        (found, DataType::Int64 | DataType::UInt64) if found.is_floating() => {
            let floats = convert(from, &DataType::Float64)?;
            let floats = floats.as_primitive::<Float64Type>();
            indices.find(|index| {
                let float = floats.value(*index);
                is_gone(*index) || from.is_valid(*index) && (float.fract() != 0.0 || float.abs() > EXACT)
            })
        }
        (DataType::Timestamp(..), DataType::Date32) => {
            let (times, days) = (microseconds(from)?, to.as_primitive::<Date32Type>());
            indices.find(|index| {
                let is_midnight = || times.value(*index) == i64::from(days.value(*index)) * DAY;
                is_gone(*index) || from.is_valid(*index) && !is_midnight()
            })
        }
        _ if to.null_count() == from.null_count() => None,
        _ => indices.find(|index| is_gone(*index)),
    })
}

fn has_limits(ty: &Type) -> bool {
    match ty {
        Type::Refined { .. } | Type::Enum(_) => true,
        Type::Optional(of) | Type::Id(of) | Type::QueryId(of) | Type::Pii(of) | Type::Label { of, .. } => {
            has_limits(of)
        }
        _ => false,
    }
}

/// The first element of which something holds.
fn first(array: &ArrayRef, mut holds: impl FnMut(&ArrayRef, usize) -> bool) -> Option<usize> {
    (0..array.len()).find(|index| holds(array, *index))
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{
            BooleanArray, Date32Array, DictionaryArray, Float64Array, Int32Array, Int64Array,
            LargeStringArray, NullArray, StringArray, StringViewArray, TimestampNanosecondArray, UInt8Array,
            UInt64Array,
        },
        datatypes::Int32Type,
    };

    use super::*;

    fn row(text: &str) -> Row {
        match Type::parse(&format!("Dataset<{{ {text} }}>")).unwrap() {
            Type::Dataset(row) => row,
            other => panic!("{other}"),
        }
    }

    fn table(columns: Vec<(&str, ArrayRef)>) -> Table {
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, true)),
        );
        let batch = batch.unwrap();
        Table {
            schema: batch.schema(),
            batches: vec![batch.slice(0, 1), batch.slice(1, batch.num_rows() - 1)],
        }
    }

    /// The only column, as it comes out, or what is wrong with it.
    fn told(ty: &str, column: ArrayRef) -> String {
        match conform(&table(vec![("x", column)]), &row(&format!("x: {ty}"))) {
            Ok(table) => {
                let options = FormatOptions::default().with_null("none");
                let cells = table.batches.iter().flat_map(|batch| {
                    let column = without_zone(batch.column(0));
                    let cells = ArrayFormatter::try_new(&column, &options).unwrap();
                    (0..batch.num_rows()).map(|row| cells.value(row).to_string()).collect::<Vec<_>>()
                });
                cells.collect::<Vec<_>>().join(" ")
            }
            Err(misfit) => misfit.to_string(),
        }
    }

    #[test]
    fn what_says_the_same_is_taken() {
        assert_eq!(told("Int", Arc::new(Int32Array::from(vec![1, -2]))), "1 -2");
        assert_eq!(told("Int", Arc::new(UInt64Array::from(vec![1, 2]))), "1 2");
        assert_eq!(told("Int?", Arc::new(Float64Array::from(vec![Some(1.0), None]))), "1 none");
        assert_eq!(told("Float", Arc::new(UInt8Array::from(vec![1, 2]))), "1.0 2.0");
        assert_eq!(told("Category", Arc::new(DictionaryArray::<Int32Type>::from_iter(["a", "b"]))), "a b");
        assert_eq!(told("Text", Arc::new(LargeStringArray::from(vec!["a", "b"]))), "a b");
        assert_eq!(told("Text", Arc::new(StringViewArray::from(vec!["a", "b"]))), "a b");
        assert_eq!(told("Text?", Arc::new(NullArray::new(2))), "none none");
        let day = 86_400_000_000_000;
        let times = || TimestampNanosecondArray::from(vec![0, day]);
        assert_eq!(told("Time", Arc::new(times())), "1970-01-01T00:00:00 1970-01-02T00:00:00");
        let berlin = times().with_timezone("+02:00");
        assert_eq!(told("EventTime", Arc::new(berlin)), "1970-01-01T00:00:00 1970-01-02T00:00:00");
        assert_eq!(told("Date", Arc::new(times())), "1970-01-01 1970-01-02");
        assert_eq!(
            told("Time", Arc::new(Date32Array::from(vec![0, 1]))),
            "1970-01-01T00:00:00 1970-01-02T00:00:00"
        );
        let lists = |lists: &[&[f64]]| -> ArrayRef {
            let lists = lists.iter().map(|list| Some(list.iter().map(|number| Some(*number))));
            Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(lists))
        };
        assert_eq!(told("Embedding<2>", lists(&[&[1.0, 2.0], &[3.0, 4.0]])), "[1.0, 2.0] [3.0, 4.0]");
        assert_eq!(told("List<Int>", lists(&[&[1.0, 2.0], &[]])), "[1, 2] []");
    }

    #[test]
    fn what_would_lose_something_is_named_with_its_row_and_cell() {
        for (ty, column, expected) in [
            (
                "Int",
                Arc::new(Float64Array::from(vec![1.0, 2.5])) as ArrayRef,
                "row 2 of column `x` holds `2.5`, which is no Int",
            ),
            (
                "Int",
                Arc::new(UInt64Array::from(vec![0, u64::MAX])),
                "row 2 of column `x` holds `18446744073709551615`, which is no Int",
            ),
            (
                "Int",
                Arc::new(Int64Array::from(vec![Some(1), None])),
                "row 2 of column `x` is missing, and Int has no `?`",
            ),
            ("Int", Arc::new(NullArray::new(2)), "row 1 of column `x` is missing, and Int has no `?`"),
            ("Int", Arc::new(StringArray::from(vec!["1", "2"])), "column `x` is Int, and holds Arrow's Utf8"),
            ("Text", Arc::new(Int64Array::from(vec![1, 2])), "column `x` is Text, and holds Arrow's Int64"),
            (
                "Float",
                Arc::new(BooleanArray::from(vec![true, false])),
                "column `x` is Float, and holds Arrow's Boolean",
            ),
            (
                "Date",
                Arc::new(TimestampNanosecondArray::from(vec![0, 1_000_000])),
                "row 2 of column `x` holds `1970-01-01T00:00:00.001`, which is no Date",
            ),
            (
                "Int in 0..=9",
                Arc::new(Int64Array::from(vec![9, 10])),
                "row 2 of column `x` holds `10`, which is no Int in 0..=9",
            ),
            (
                "Pii<Int>",
                Arc::new(Float64Array::from(vec![1.0, 2.5])),
                "row 2 of column `x` holds what is no Pii<Int>; it is personal data, and not shown",
            ),
        ] {
            assert_eq!(told(ty, column), expected, "{ty}");
        }
        let lists = [Some(vec![Some(1.0), Some(2.0)]), Some(vec![Some(1.0)])];
        let lists = || Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(lists.clone()));
        assert_eq!(
            told("Embedding<2>", lists()),
            "row 2 of column `x` holds `[1.0]`, which is no Embedding<2>: it has 1 numbers, not 2"
        );
        let lists = [Some(vec![Some(1.0)]), Some(vec![Some(1.0), Some(0.5)])];
        let lists = Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(lists));
        assert_eq!(told("List<Int>", lists), "row 2 of column `x` holds `0.5`, which is no Int");
    }

    #[test]
    fn columns_are_put_in_order_and_none_is_lost_or_made_up() {
        let of = |names: &[&'static str]| {
            let column = || Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef;
            table(names.iter().map(|name| (*name, column())).collect())
        };
        let row = row("a: Int, b: Int");
        let conformed = conform(&of(&["b", "a"]), &row).unwrap();
        let names: Vec<&String> = conformed.schema.fields().iter().map(|field| field.name()).collect();
        assert_eq!(names, ["a", "b"]);
        let told = |names: &[&'static str]| conform(&of(names), &row).unwrap_err().to_string();
        assert_eq!(told(&["a"]), "it lacks columns of its type: `b`");
        assert_eq!(told(&["a", "b", "c"]), "it has columns that its type has not: `c`");
        assert_eq!(told(&["a", "c"]), "it lacks columns of its type: `b`; it has `c` instead");
    }
}
