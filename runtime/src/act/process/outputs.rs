//! Reads what a process has written, and holds it against what its operator promised.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use arrow::{
    array::RecordBatch,
    error::ArrowError,
    ipc::reader::{FileReader, StreamReader},
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
    if !path.exists() {
        return if ty.is_optional() { Ok(Datum::Value(Value::None)) } else { Err(Problem::NotWritten) };
    }
    match (kind, ty.present()) {
        (Kind::Table, Type::Dataset(row)) => table(&bytes(path)?, row).map(Datum::Table),
        (Kind::Blob, Type::Opaque(environment)) => {
            let format = fs::read_to_string(path.with_extension("format")).unwrap_or_default();
            let format = match format.trim() {
                "" => "bytes",
                format => format,
            };
            Ok(Datum::Blob(Blob {
                format: format!("opaque/{environment}/{format}"),
                bytes: bytes(path)?.into(),
            }))
        }
        (Kind::File, _) => {
            let path = path.to_str().ok_or_else(|| Problem::Wrong("its path is not UTF-8".to_owned()))?;
            Ok(Datum::Value(Value::File(path.to_owned())))
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
        _ => value(&bytes(path)?, ty).map(Datum::Value),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    fs::read(path).map_err(Problem::Unreadable)
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
        (Err(_), Ok(Err(misfit))) => Err(wrong(misfit.to_string())),
        (Err(_), _) if line.is_empty() => Err(wrong(format!("expected {ty}, found an empty file"))),
        (Err(misfit), _) => Err(wrong(misfit.to_string())),
    }
}

fn masked(ty: &Type) -> String {
    format!("expected {ty}, found something else, which is not shown because it is personal data")
}

fn table(bytes: &[u8], row: &Row) -> Result<Table, Problem> {
    // The reader takes what its own writer wrote; of other bytes some make it panic.
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
        Ok(Err(error)) => {
            let found = beginning(bytes);
            return Err(Problem::Wrong(format!("{found} is no Arrow IPC file: {error}")));
        }
        Err(_) => return Err(Problem::Wrong(format!("{} is no sound Arrow IPC file", beginning(bytes)))),
    };
    conform(&Table { schema, batches }, row).map_err(|misfit| Problem::Wrong(misfit.to_string()))
}

type Read = (arrow::datatypes::SchemaRef, Vec<RecordBatch>);

fn read_batches(bytes: &[u8]) -> Result<Read, ArrowError> {
    let cursor = io::Cursor::new(bytes);
    if bytes.starts_with(b"ARROW1") {
        let reader = FileReader::try_new(cursor, None)?;
        Ok((reader.schema(), reader.collect::<Result<_, _>>()?))
    } else {
        let reader = StreamReader::try_new(cursor, None)?;
        Ok((reader.schema(), reader.collect::<Result<_, _>>()?))
    }
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
        fn no_bytes_bring_the_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..200), is_arrow: bool) {
            let mut file = if is_arrow { b"ARROW1\0\0".to_vec() } else { Vec::new() };
            file.extend(&bytes);
            if is_arrow {
                file.extend(b"\x10\0\0\0ARROW1");
            }
            prop_assert!(table(&file, &Row::default()).is_err() || bytes.len() > 8);
            let _ = value(&bytes, &Type::Text);
        }
    }
}
