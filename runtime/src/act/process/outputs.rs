//! Reads what a process has written, and holds it against what its operator promised.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::MetadataExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::RecordBatch,
    buffer::Buffer,
    datatypes::SchemaRef,
    error::ArrowError,
    ipc::{
        Block,
        convert::fb_to_schema,
        reader::{FileDecoder, StreamDecoder, read_footer_length},
        root_as_footer,
    },
};
use flow_ir::{
    node::Port,
    types::{Row, Type},
    value::Value,
};
use serde_json::Value as Json;

use super::{
    call::{Kind, output_path},
    columns::conform,
};
use crate::{
    artifact::{MadeFile, is_extension},
    folder::AttemptFolder,
    operator::{Blob, Datum, OperatorError, Table},
};

/// The outputs, in their order.
pub fn read(ports: &[Port], folder: &AttemptFolder) -> Result<Vec<Datum>, OperatorError> {
    ports
        .iter()
        .map(|port| {
            if port.ty == Type::Nothing {
                return Ok(Datum::Value(Value::None));
            }
            let wrong = |problem: Problem| problem.of(&port.name, &port.ty);
            let kind = Kind::of(&port.ty).ok_or_else(|| wrong(Problem::Impossible))?;
            let path = output_path(folder, &port.name, &kind);
            datum(&path, &kind, &port.ty).map_err(wrong)
        })
        .collect()
}

/// What is wrong with an output.
#[derive(Debug)]
enum Problem {
    NotWritten,
    Impossible,
    Unreadable(io::Error),
    /// In words that follow "output `name`".
    Wrong(String),
    WithHelp(String, &'static str),
}

impl Problem {
    fn of(self, name: &str, ty: &Type) -> OperatorError {
        match self {
            Self::NotWritten => OperatorError::with_help(
                format!("the process ended without an error, but did not write its output `{name}`"),
                format!(
                    "a command writes it to the path that `out.{name}` stands for; a function returns it"
                ),
            ),
            Self::Impossible => {
                OperatorError::failed(format!("output `{name}` is a {ty}, which no process can give"))
            }
            Self::Unreadable(error) => {
                OperatorError::failed(format!("output `{name}` cannot be read: {error}"))
            }
            Self::Wrong(reason) => OperatorError::failed(format!("output `{name}`: {reason}")),
            Self::WithHelp(reason, help) => {
                OperatorError::with_help(format!("output `{name}`: {reason}"), help)
            }
        }
    }
}

fn datum(path: &Path, kind: &Kind, ty: &Type) -> Result<Datum, Problem> {
    let is_given = path.exists();
    if *kind == Kind::File {
        let found = if is_given { Some((path.to_owned(), String::new())) } else { with_extension(path)? };
        if let Some((path, extension)) = found {
            return made_file(path, extension);
        }
    }
    if !is_given {
        return if ty.is_optional() { Ok(Datum::Value(Value::None)) } else { Err(Problem::NotWritten) };
    }
    match (kind, ty.present()) {
        (Kind::Table, Type::Dataset(row)) => table(bytes(path)?, row).map(Datum::Table),
        (Kind::Blob, Type::Opaque(environment)) => {
            let format = regular_file(&path.with_extension("format")).unwrap_or_default();
            let format = String::from_utf8_lossy(&format);
            let format = match format.trim() {
                "" => "bytes",
                format => format,
            };
            Ok(Datum::Blob(Blob {
                format: format!("opaque/{environment}/{format}"),
                bytes: bytes(path)?.into(),
            }))
        }
        (Kind::List(of), Type::List(element)) => {
            let mut elements = Vec::new();
            loop {
                let file = path.join(format!("{}{}", elements.len(), of.extension()));
                if !file.exists() {
                    break;
                }
                let place = format!("[{}]: ", elements.len());
                let within = |problem| match problem {
                    Problem::Wrong(reason) => Problem::Wrong(place + &reason),
                    other => other,
                };
                elements.push(datum(&file, of, element).map_err(within)?);
            }
            Ok(Datum::List(elements))
        }
        _ if is_short(ty) && fs::metadata(path).is_ok_and(|file| file.len() > SHORT) => {
            let size = fs::metadata(path).map_or(0, |file| file.len());
            Err(Problem::Wrong(format!("expected {ty}, found {size} bytes")))
        }
        _ => value(&bytes(path)?, ty).map(Datum::Value),
    }
}

/// The one file that has the output's name, and an extension.
fn with_extension(path: &Path) -> Result<Option<(PathBuf, String)>, Problem> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str)) else {
        return Ok(None);
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Problem::Unreadable)? {
        let entry = entry.map_err(Problem::Unreadable)?;
        let file = entry.file_name();
        let rest = file.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix('.'));
        if let Some(extension) = rest.filter(|rest| is_extension(rest)) {
            found.push((entry.path(), extension.to_owned()));
        }
    }
    match found.as_slice() {
        [] | [_] => Ok(found.pop()),
        several => {
            let mut names: Vec<String> =
                several.iter().map(|(_, extension)| format!("`{name}.{extension}`")).collect();
            names.sort_unstable();
            Err(Problem::Wrong(format!("it is one file, and there are {}", names.join(", "))))
        }
    }
}

/// What lies there, as an output.
fn made_file(path: PathBuf, extension: String) -> Result<Datum, Problem> {
    let of = fs::metadata(&path).map_err(Problem::Unreadable)?;
    if of.is_dir() {
        let path = path.to_str().ok_or_else(|| Problem::Wrong("its path is not UTF-8".to_owned()))?;
        return Ok(Datum::Value(Value::File(path.to_owned())));
    }
    if !of.is_file() {
        return Err(Problem::Unreadable(io::Error::other(IRREGULAR)));
    }
    let own = || {
        if fs::symlink_metadata(&path)?.is_file() && of.nlink() == 1 {
            return Ok(());
        }
        // Its bytes are another file's too, and whoever has that one may change them.
        let copy = path.with_extension("copy");
        io::copy(&mut fs::File::open(&path)?, &mut fs::File::create(&copy)?)?;
        fs::rename(&copy, &path)
    };
    own().map_err(Problem::Unreadable)?;
    Ok(Datum::File(MadeFile::new(path, extension)))
}

const IRREGULAR: &str = "it is no regular file";

/// No single number, day or time takes so many bytes.
const SHORT: u64 = 64 << 10;

/// Whether a value of the type is one number or the like, however it is written.
fn is_short(ty: &Type) -> bool {
    match ty.present() {
        Type::Bool
        | Type::Int
        | Type::Float
        | Type::Float32
        | Type::Date
        | Type::Time
        | Type::Duration
        | Type::Size
        | Type::Fraction
        | Type::Weight
        | Type::EventTime
        | Type::Probability
        | Type::Score => true,
        Type::Id(of) | Type::QueryId(of) | Type::Pii(of) | Type::Label { of, .. } => is_short(of),
        _ => false,
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    regular_file(path).map_err(Problem::Unreadable)
}

/// A file that a process may have made: a pipe or a device, or a link to one, would be read without end.
pub(super) fn regular_file(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other(IRREGULAR));
    }
    fs::read(path)
}

/// JSON, or a text as it is: `echo done > "$out"` is no mistake.
fn value(bytes: &[u8], ty: &Type) -> Result<Value, Problem> {
    let wrong = |reason: String| Problem::Wrong(if ty.is_personal() { masked(ty) } else { reason });
    let text = std::str::from_utf8(bytes).map_err(|_| wrong(format!("{} is no text", beginning(bytes))))?;
    let json = serde_json::from_str::<Json>(text);
    let as_json = json.as_ref().map(|json| Value::from_json(json, ty));
    if let Ok(Ok(value)) = as_json {
        return Ok(value);
    }
    let line = text.strip_suffix('\n').unwrap_or(text);
    match (Value::from_json(&Json::String(line.to_owned()), ty), as_json) {
        (Ok(value), _) => Ok(value),
        // The reader of JSON makes a Float of it, which nobody wrote.
        (Err(_), Ok(Err(_))) if is_too_long(line) && Value::from_json(&Json::from(0), ty).is_ok() => {
            Err(wrong(format!("expected {ty}, found {line}, which does not fit into 64 bits")))
        }
        (Err(_), Ok(Err(misfit))) => Err(wrong(misfit.to_string())),
        (Err(_), _) if line.is_empty() => Err(wrong(format!("expected {ty}, found an empty file"))),
        (Err(misfit), _) => Err(wrong(misfit.to_string())),
    }
}

/// Whether it is written as an integer that has no room in 64 bits.
fn is_too_long(text: &str) -> bool {
    let digits = text.trim().strip_prefix('-').unwrap_or(text.trim());
    let is_written = (1..=100).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_written && text.trim().parse::<i64>().is_err()
}

fn masked(ty: &Type) -> String {
    format!("expected {ty}, found something else, which is not shown because it is personal data")
}

fn table(bytes: Vec<u8>, row: &Row) -> Result<Table, Problem> {
    // The reader takes what its own writer wrote; of other bytes some make it panic.
    let found = beginning(&bytes);
    let read = catch_unwind(AssertUnwindSafe(|| read_batches(bytes)));
    let (schema, batches) = match read {
        Ok(Ok(read)) => read,
        Ok(Err(ArrowError::InvalidArgumentError(reason) | ArrowError::IpcError(reason)))
            if reason.contains("compress") =>
        {
            return Err(Problem::WithHelp(
                "its buffers are compressed, which this flowc does not read".to_owned(),
                "write it uncompressed: `compression=\"uncompressed\"` of write_feather",
            ));
        }
        Ok(Err(error)) => return Err(Problem::Wrong(format!("{found} is no Arrow IPC file: {error}"))),
        Err(_) => return Err(Problem::Wrong(format!("{found} is no sound Arrow IPC file"))),
    };
    conform(&Table { schema, batches }, row).map_err(|misfit| Problem::Wrong(misfit.to_string()))
}

type Read = (SchemaRef, Vec<RecordBatch>);

/// Reads the two forms of Arrow IPC, without ever making room for as much as the bytes claim to hold.
fn read_batches(bytes: Vec<u8>) -> Result<Read, ArrowError> {
    let buffer = Buffer::from_vec(bytes);
    if buffer.starts_with(b"ARROW1") { read_file(&buffer) } else { read_stream(buffer) }
}

fn read_file(buffer: &Buffer) -> Result<Read, ArrowError> {
    let broken = |what: &str| ArrowError::IpcError(what.to_owned());
    let part = |offset: usize, length: usize| {
        let end = offset.checked_add(length).filter(|end| *end <= buffer.len());
        end.map(|_| buffer.slice_with_length(offset, length)).ok_or_else(|| broken("it ends too early"))
    };
    let trailer = buffer.len().checked_sub(10).ok_or_else(|| broken("it ends too early"))?;
    let end = <[u8; 10]>::try_from(part(trailer, 10)?.as_slice()).map_err(|_| broken("it ends too early"))?;
    let footer_length = read_footer_length(end)?;
    let start = trailer.checked_sub(footer_length).ok_or_else(|| broken("it ends too early"))?;
    let footer = part(start, footer_length)?;
    let footer = root_as_footer(&footer).map_err(|error| broken(&error.to_string()))?;
    let schema = Arc::new(fb_to_schema(footer.schema().ok_or_else(|| broken("it has no schema"))?));
    let mut decoder = FileDecoder::new(schema.clone(), footer.version());
    let data = |block: &Block| {
        let number = |number: i64| usize::try_from(number).map_err(|_| broken("a length is negative"));
        let metadata = number(i64::from(block.metaDataLength()))?;
        let length = number(block.bodyLength())?
            .checked_add(metadata)
            .ok_or_else(|| broken("a length is too large"))?;
        part(number(block.offset())?, length)
    };
    for block in footer.dictionaries().iter().flatten() {
        decoder.read_dictionary(block, &data(block)?)?;
    }
    let mut batches = Vec::new();
    for block in footer.recordBatches().iter().flatten() {
        batches.extend(decoder.read_record_batch(block, &data(block)?)?);
    }
    Ok((schema, batches))
}

fn read_stream(mut buffer: Buffer) -> Result<Read, ArrowError> {
    let mut decoder = StreamDecoder::new();
    let mut batches = Vec::new();
    while !buffer.is_empty() {
        batches.extend(decoder.decode(&mut buffer)?);
    }
    decoder.finish()?;
    let schema = decoder.schema().ok_or_else(|| ArrowError::IpcError("it has no schema".to_owned()))?;
    Ok((schema, batches))
}

/// What a file holds, for an error.
fn beginning(bytes: &[u8]) -> String {
    const SHOWN: usize = 24;
    if bytes.is_empty() {
        return "an empty file".to_owned();
    }
    let first = bytes.get(..SHOWN).unwrap_or(bytes);
    let text: String = String::from_utf8_lossy(first)
        .chars()
        .map(|letter| if letter.is_control() || letter == '\u{fffd}' { '·' } else { letter })
        .collect();
    let more = if bytes.len() > SHOWN { "…" } else { "" };
    format!("a file of {} bytes that begins with `{text}{more}`", bytes.len())
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{ArrayRef, DictionaryArray, Int64Array},
        datatypes::Int32Type,
        ipc::writer::{FileWriter, StreamWriter},
    };
    use proptest::prelude::*;

    use super::*;

    fn told(bytes: &[u8], ty: &str) -> String {
        match value(bytes, &Type::parse(ty).unwrap()) {
            Ok(value) => value.to_string(),
            Err(problem) => {
                let OperatorError::Failed { message, .. } = problem.of("x", &Type::Int) else { panic!() };
                message
            }
        }
    }

    #[test]
    fn values_are_json_or_plain_text() {
        for (bytes, ty, expected) in [
            ("7", "Int", "7"),
            ("7\n", "Int", "7"),
            ("0.5", "Float", "0.5"),
            ("done\n", "Text", "\"done\""),
            ("\"done\"", "Text", "\"done\""),
            ("2026-11-20\n", "Date", "date\"2026-11-20\""),
            ("[1, 2]", "List<Int>", "[1, 2]"),
            ("null", "Int?", "none"),
            ("null", "Int", "output `x`: expected Int, found nothing"),
            ("17", "Int in 1..=16", "output `x`: 17 is not in 1..=16"),
            ("", "Int", "output `x`: expected Int, found an empty file"),
            (
                "99999999999999999999",
                "Int",
                "output `x`: expected Int, found 99999999999999999999, which does not fit into 64 bits",
            ),
            ("seven", "Int", "output `x`: expected Int, found \"seven\""),
            (
                "seven",
                "Pii<Int>",
                "output `x`: expected Pii<Int>, found something else, which is not shown because it is personal data",
            ),
        ] {
            assert_eq!(told(bytes.as_bytes(), ty), expected, "{bytes} as {ty}");
        }
        assert!(told(b"\xff\xfe", "Text").ends_with("a file of 2 bytes that begins with `··` is no text"));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = value(&bytes, &Type::Text);
            prop_assert!(table(bytes, &Row::default()).is_err());
        }

        #[test]
        fn no_damage_brings_the_reader_down(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
            is_cut: bool,
        ) {
            let columns: Vec<(&str, ArrayRef)> = vec![
                ("a", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]))),
                ("b", Arc::new(DictionaryArray::<Int32Type>::from_iter(["x", "y", "x"]))),
            ];
            let batch = RecordBatch::try_from_iter(columns).unwrap();
            for is_stream in [false, true] {
                let mut bytes = Vec::new();
                if is_stream {
                    let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).unwrap();
                    writer.write(&batch).unwrap();
                    writer.finish().unwrap();
                } else {
                    let mut writer = FileWriter::try_new(&mut bytes, &batch.schema()).unwrap();
                    writer.write(&batch).unwrap();
                    writer.finish().unwrap();
                }
                let Type::Dataset(row) = Type::parse("Dataset<{ a: Int?, b: Text }>").unwrap() else { panic!() };
                prop_assert_eq!(table(bytes.clone(), &row).unwrap().rows(), 3);
                for (at, byte) in &damage {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                if is_cut {
                    bytes.truncate(cut.index(bytes.len()));
                }
                let _ = table(bytes, &row);
            }
        }
    }
}
