//! `std.data.csv`: a table from a CSV file.

use std::fmt;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use flow_ir::types::{Column, Row};
use flow_runtime::operator::{Call, Context, Datum, OperatorError, Reservation};

use super::{
    cell::{CellReader, ColumnBuilder, Misfit, Scalar, is_date_format},
    chunks::Chunks,
    records::{Record, Records, UnclosedQuote},
};
use crate::{arguments, storage};

/// Rows of a batch: a guess, large enough that a batch's overhead does not count.
const BATCH_ROWS: usize = 65_536;
/// Bytes of the file that are read at once: a guess, large enough that a piece's overhead does not count.
const WINDOW: usize = 1 << 20;
/// Between two looks at whether anybody still wants the table: a row takes some microseconds.
const CHECK_ROWS: u64 = 1024;
/// A batch ends after this much text, so that the offsets of its texts stay far below 32 bits.
const BATCH_BYTES: usize = 256 << 20;

/// Reads the columns of the output's row, by their names in the header, and passes over the rest.
///
/// Rows keep the file's order. Blank lines are passed over, unless the file has one column.
///
/// # Errors
/// One line that names the file and, for a row that does not fit, its line in the file (counted from
/// 1, with the header and every line break), the column and the cell.
pub fn csv(call: &Call, context: &dyn Context) -> Result<Vec<Datum>, OperatorError> {
    let options = Options::of(call)?;
    let row = arguments::output_row(call, 0)?;
    let schema = storage::schema(row)?;
    let mut chunks = Chunks::open(options.path)?;
    let mut window = Window::new(context);
    let columns = columns(&options, row, &mut chunks, &mut window, context)?;
    Ok(vec![read_rows(&options, schema, columns, chunks, window, context)?])
}

/// How much of the file is in memory, and where that stands in it.
struct Window {
    /// Bytes of its text that have been read.
    used: usize,
    /// The line on which the rest begins.
    line: u64,
    /// Bytes to read next.
    size: usize,
    /// As long as rows are short.
    usual: usize,
    reserved: Option<Reservation>,
}

struct Options<'a> {
    path: &'a str,
    delimiter: u8,
    header: bool,
    missing: Vec<&'a str>,
    dates: &'a str,
    skip_bad_rows: bool,
}

/// A column of the row, and where the file has it.
struct Source<'a> {
    column: &'a Column,
    /// Among a record's cells, from 0.
    place: usize,
    reader: CellReader,
    builder: ColumnBuilder,
}

struct Sources<'a> {
    columns: Vec<Source<'a>>,
    /// How many cells each row must have.
    width: usize,
}

/// Why a row does not fit the schema.
enum BadRow<'a> {
    Width { line: u64, found: usize, expected: usize },
    Broken { line: u64, column: &'a Column },
    Cell { line: u64, column: &'a Column, cell: String, misfit: Misfit },
}

impl<'a> Options<'a> {
    fn of(call: &'a Call) -> Result<Self, OperatorError> {
        let delimiter = arguments::text(call, "delimiter")?;
        let delimiter = match delimiter.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => *byte,
            _ => {
                return Err(OperatorError::with_help(
                    format!("the delimiter {delimiter:?} cannot separate cells"),
                    "`delimiter` is one ASCII character, neither a quote nor a line break",
                ));
            }
        };
        let dates = arguments::text(call, "dates")?;
        if !is_date_format(dates) {
            return Err(OperatorError::with_help(
                format!("`{dates}` is no format of dates"),
                "`dates` is written as in strftime: `%Y-%m-%d`, `%d.%m.%Y`",
            ));
        }
        Ok(Self {
            path: arguments::text(call, "path")?,
            delimiter,
            header: arguments::bool(call, "header")?,
            missing: arguments::texts(call, "missing")?,
            dates,
            skip_bad_rows: arguments::text(call, "bad_rows")? == "skip",
        })
    }
}

/// Reads the header, where there is one, and finds the row's columns in it.
fn columns<'a>(
    options: &Options<'_>,
    row: &'a Row,
    chunks: &mut Chunks<'_>,
    window: &mut Window,
    context: &dyn Context,
) -> Result<Sources<'a>, OperatorError> {
    window.advance(chunks, context)?;
    let header = match options.header {
        false => None,
        true => Some(read_header(options, chunks, window, context)?),
    };
    let mut columns = Vec::with_capacity(row.columns.len());
    for (index, column) in row.columns.iter().enumerate() {
        let place = match &header {
            None => index,
            Some(header) => place_in_header(options.path, header, column)?,
        };
        let reader = CellReader::new(&column.ty, options.dates).ok_or_else(|| {
            OperatorError::failed(format!("column `{}` has a type that no CSV file can hold", column.name))
        })?;
        let builder = reader.builder();
        columns.push(Source { column, place, reader, builder });
    }
    let width = header.map_or(columns.len(), |header| header.len());
    Ok(Sources { columns, width })
}

/// The cells of the first line that is not blank.
fn read_header(
    options: &Options<'_>,
    chunks: &mut Chunks<'_>,
    window: &mut Window,
    context: &dyn Context,
) -> Result<Vec<String>, OperatorError> {
    loop {
        let mut records = Records::part(chunks.text(), options.delimiter, 1, chunks.is_at_end());
        let mut record = Record::default();
        let mut is_read = true;
        while is_read {
            is_read = records.read(&mut record).map_err(|quote| unclosed(options, &quote))?;
            if is_read && !record.is_blank() {
                break;
            }
        }
        if is_read || chunks.is_at_end() {
            (window.used, window.line) = (records.position(), records.line());
            return Ok(record.cells.iter().map(|cell| cell.text().trim_ascii().to_owned()).collect());
        }
        window.advance(chunks, context)?;
    }
}

fn place_in_header(path: &str, header: &[String], column: &Column) -> Result<usize, OperatorError> {
    let wanted = column.source.as_ref().unwrap_or(&column.name).trim_ascii();
    let mut places = header.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(place, _)| place);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(first), Some(second)) => Err(OperatorError::failed(format!(
            "`{path}` has two columns `{wanted}`: the {} and the {}",
            ordinal(first + 1),
            ordinal(second + 1)
        ))),
        (None, _) => {
            let named = header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            let listed = named.get(..20).map_or(named.join(", "), |first| first.join(", ") + ", …");
            let message = format!("`{path}` has no column `{wanted}`; it has {listed}");
            Err(if let Some(name) = closest(header, wanted) {
                let help = format!("did you mean {name:?}? write `{}: … from {name:?}`", column.name);
                OperatorError::with_help(message, help)
            } else if let Some(delimiter) = likely_delimiter(header) {
                OperatorError::with_help(
                    message,
                    format!("does `delimiter: {:?}` separate its cells?", delimiter.to_string()),
                )
            } else {
                OperatorError::failed(message)
            })
        }
    }
}

/// What else could separate the cells of a header that seems to be one cell.
fn likely_delimiter(header: &[String]) -> Option<char> {
    let [only] = header else { return None };
    [';', '\t', '|', ','].into_iter().find(|delimiter| only.contains(*delimiter))
}

/// The name that differs in case and punctuation alone, else the one with the fewest edits.
fn closest<'a>(header: &'a [String], wanted: &str) -> Option<&'a String> {
    let plain = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let wanted = plain(wanted);
    header
        .iter()
        .map(|name| (strsim::osa_distance(&plain(name), &wanted), name))
        .filter(|(distance, _)| *distance <= wanted.chars().count() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn read_rows(
    options: &Options<'_>,
    schema: SchemaRef,
    mut sources: Sources<'_>,
    mut chunks: Chunks<'_>,
    mut window: Window,
    context: &dyn Context,
) -> Result<Datum, OperatorError> {
    let mut table = context.table(schema.clone());
    let batch_bytes = BATCH_BYTES.min(usize::try_from(context.memory() / 8).unwrap_or(usize::MAX)).max(1);
    let (mut rows, mut bytes) = (0, 0);
    let (mut read, mut left_out, mut first_bad) = (0_u64, 0_u64, None);
    loop {
        let text = chunks.text().get(window.used..).unwrap_or_default();
        let mut records = Records::part(text, options.delimiter, window.line, chunks.is_at_end());
        let mut record = Record::default();
        let mut scalars = Vec::with_capacity(sources.columns.len());
        let mut begin = 0;
        while records.read(&mut record).map_err(|quote| unclosed(options, &quote))? {
            if sources.width != 1 && record.is_blank() {
                continue;
            }
            read += 1;
            if read.is_multiple_of(CHECK_ROWS) && context.is_cancelled() {
                return Err(OperatorError::Cancelled);
            }
            match read_row(&sources, &record, &options.missing, &mut scalars) {
                Ok(()) => {
                    for (source, scalar) in sources.columns.iter_mut().zip(&scalars) {
                        source.builder.append(scalar);
                    }
                    rows += 1;
                }
                Err(bad) if options.skip_bad_rows => {
                    left_out += 1;
                    first_bad.get_or_insert_with(|| bad.to_string());
                }
                Err(bad) => return Err(bad.error(options)),
            }
            if rows == BATCH_ROWS || bytes + records.position() - begin >= batch_bytes {
                table.push(finish_batch(&schema, &mut sources, rows)?)?;
                (rows, bytes, begin) = (0, 0, records.position());
            }
        }
        bytes += records.position() - begin;
        (window.used, window.line) = (window.used + records.position(), records.line());
        if chunks.is_at_end() {
            break;
        }
        window.advance(&mut chunks, context)?;
        if context.is_cancelled() {
            return Err(OperatorError::Cancelled);
        }
    }
    if rows > 0 {
        table.push(finish_batch(&schema, &mut sources, rows)?)?;
    }
    if let Some(first) = first_bad {
        context.log(&format!(
            "left out {left_out} of {read} rows of `{}` that do not fit; the first: {first}",
            options.path
        ));
    }
    table.finish()
}

impl Window {
    fn new(context: &dyn Context) -> Self {
        let usual = usize::try_from(context.memory() / 16).unwrap_or(usize::MAX).clamp(1, WINDOW);
        Self { used: 0, line: 1, size: usual, usual, reserved: None }
    }

    /// Lets go of what was used, and reads on. Where nothing was, a row is longer than the window.
    fn advance(&mut self, chunks: &mut Chunks<'_>, context: &dyn Context) -> Result<(), OperatorError> {
        if self.used == 0 && !chunks.text().is_empty() {
            self.size = chunks.text().len();
        }
        let bytes = 2 * (chunks.text().len() - self.used + self.size) as u64;
        self.reserved = None;
        self.reserved = Some(context.reserve("std.data.csv", "the text of a row", bytes)?);
        chunks.advance(self.used, self.size)?;
        self.size = self.usual;
        self.used = 0;
        let (read, size) = chunks.progress();
        context.progress(read, size);
        Ok(())
    }
}

fn read_row<'a, 't>(
    sources: &Sources<'a>,
    record: &Record<'t>,
    missing: &[&str],
    scalars: &mut Vec<Scalar<'t>>,
) -> Result<(), BadRow<'a>> {
    scalars.clear();
    let line = record.line;
    let width = BadRow::Width { line, found: record.cells.len(), expected: sources.width };
    if record.cells.len() != sources.width {
        return Err(width);
    }
    for source in &sources.columns {
        let column = source.column;
        let Some(cell) = record.cells.get(source.place) else { return Err(width) };
        if cell.is_broken() {
            return Err(BadRow::Broken { line, column });
        }
        match source.reader.read(cell.text(), missing) {
            Ok(scalar) => scalars.push(scalar),
            Err(misfit) => {
                return Err(BadRow::Cell { line, column, cell: cell.text().into_owned(), misfit });
            }
        }
    }
    Ok(())
}

fn finish_batch(
    schema: &SchemaRef,
    sources: &mut Sources<'_>,
    rows: usize,
) -> Result<RecordBatch, OperatorError> {
    let arrays = sources.columns.iter_mut().map(|source| source.builder.finish()).collect();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), arrays, &options).map_err(crate::internal)
}

impl BadRow<'_> {
    fn error(&self, options: &Options<'_>) -> OperatorError {
        let message = format!("`{}` {self}", options.path);
        match self {
            Self::Cell { column, misfit: Misfit::Missing, .. } => OperatorError::with_help(
                message,
                format!(
                    "write `?` behind the type of `{}`, or leave such rows out with `bad_rows: BadRows.skip`",
                    column.name
                ),
            ),
            Self::Width { found: 1, .. } if !options.header => OperatorError::with_help(
                message,
                "is it another character that separates the cells? `delimiter` says which",
            ),
            _ => OperatorError::with_help(message, "`bad_rows: BadRows.skip` leaves such rows out"),
        }
    }
}

impl fmt::Display for BadRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Width { line, found, expected } => {
                write!(f, "line {line}: {}, where {expected} are expected", cells(*found))
            }
            Self::Broken { line, column } => {
                write!(f, "line {line}, column `{}`: text follows the closing quote", column.name)
            }
            Self::Cell { line, column, misfit: Misfit::Missing, .. } => {
                write!(f, "line {line}, column `{}`: the cell {}", column.name, Misfit::Missing)
            }
            Self::Cell { line, column, cell, misfit } => {
                let shown = if storage::is_personal(&column.ty) { "***".to_owned() } else { shorten(cell) };
                write!(f, "line {line}, column `{}`: `{shown}` {misfit}", column.name)
            }
        }
    }
}

fn unclosed(options: &Options<'_>, quote: &UnclosedQuote) -> OperatorError {
    OperatorError::failed(format!(
        "`{}` line {}: the quote that opens the {} cell is never closed",
        options.path,
        quote.line,
        ordinal(quote.column + 1)
    ))
}

fn cells(count: usize) -> String {
    if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") }
}

/// On one line, and of a length that leaves the message readable.
fn shorten(cell: &str) -> String {
    let line: String = cell.chars().take(40).flat_map(char::escape_debug).collect();
    if cell.chars().nth(40).is_some() { line + "…" } else { line }
}

fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
