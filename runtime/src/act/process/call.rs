//! What a process is called with: inputs as files, and a `call.json` that names all there is to know.
//!
//! ```json
//! {"format": "flow-call/1", "operator": "train.fit", "function": "train:fit", "attempt": 1, "cores": 2,
//!  "memory": 536870912, "folder": "…/1", "work": "…/1/work", "checkpoint": "…/checkpoint", "project": "…",
//!  "messages": 3,
//!  "inputs": {"data": {"table": "…/1/in/data.arrow"}, "depth": {"value": 6},
//!             "model": {"blob": "…/1/in/model", "format": "opaque/sklearn/pickle"},
//!             "parts": {"list": [{"table": "…"}]}, "both": {"record": {"a": {"value": 1}}}},
//!  "outputs": [{"name": "model", "kind": "blob", "type": "Opaque<\"sklearn\">", "path": "…/1/out/model"}]}
//! ```
//!
//! Values stand as constants of a `flow-dag/1` do: `6`, `{"float": 0.5}`, `{"date": "2026-11-20"}`. A table is an
//! Arrow IPC file, in `outputs` too. A `list` of tables or blobs is a folder with `0.arrow`, `1.arrow`, … in it.
//! An output of tables has `columns`, `[{"name": "minutes", "type": "Float", "arrow": "double", "personal": false}]`:
//! `arrow` is what pyarrow calls the type, none for nested ones, and `personal` is true of what no message may show.
//! The folder `checkpoint` is made by who needs it. A process that fails may leave `error.json` in `folder`,
//! `{"message": "…", "help": "…"}`.

use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use arrow::datatypes::DataType;
use flow_ir::{
    node::{CommandWord, OperatorPlace, Port},
    types::{Column, Row, Type},
    value::Value,
};
use serde_json::{Map, Value as Json, json};

use super::environment::Environment;
use crate::{
    artifact::{
        table::{self, data_type},
        value::to_json,
    },
    folder::AttemptFolder,
    operator::{Argument, Call, Context, Datum, OperatorError},
};

pub const FORMAT: &str = "flow-call/1";

/// How an output is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An Arrow IPC file.
    Table,
    /// Any bytes.
    Blob,
    /// JSON; a text may stand as it is.
    Value,
    /// Itself, wherever it was told to be.
    File,
    /// A folder.
    List(Box<Kind>),
}

impl Kind {
    /// None for what no process can give: a model of the standard library, say.
    pub fn of(ty: &Type) -> Option<Self> {
        Some(match ty.present() {
            Type::Dataset(_) => Self::Table,
            Type::Opaque(_) => Self::Blob,
            Type::Model(_) => return None,
            Type::File => Self::File,
            Type::List(of) => match Self::of(of)? {
                Self::Value => Self::Value,
                Self::File | Self::List(_) => return None,
                kind => Self::List(Box::new(kind)),
            },
            Type::Record(record) => {
                let is_plain = record.fields.iter().all(|field| Self::of(&field.ty) == Some(Self::Value));
                return is_plain.then_some(Self::Value);
            }
            _ => Self::Value,
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Blob => "blob",
            Self::Value => "value",
            Self::File => "file",
            Self::List(_) => "list",
        }
    }

    /// Of a file of this kind.
    pub fn extension(&self) -> &'static str {
        match self {
            Self::Table => ".arrow",
            Self::Value => ".json",
            Self::Blob | Self::File | Self::List(_) => "",
        }
    }
}

/// Where an output of that kind is to be written.
pub fn output_path(folder: &AttemptFolder, name: &str, kind: &Kind) -> PathBuf {
    folder.outputs().join(format!("{name}{}", kind.extension()))
}

/// A call that is written down.
#[derive(Debug)]
pub struct Written {
    pub call: PathBuf,
    /// Of a command; empty for Python.
    pub words: Vec<String>,
}

/// Makes the attempt's folders, and writes inputs and `call.json` into them.
pub fn write(
    call: &Call,
    place: &OperatorPlace,
    environment: &Environment,
    folder: &AttemptFolder,
    context: &dyn Context,
) -> Result<Written, OperatorError> {
    let mut writer = Writer { folder: folder.inputs(), is_made: false, files: 0 };
    let outputs =
        call.outputs.iter().map(|port| output(port, call, folder)).collect::<Result<Vec<_>, _>>()?;
    let prepare = || {
        if folder.path().exists() {
            // Of the same attempt, by a process that died before its end was known.
            fs::remove_dir_all(folder.path())?;
        }
        fs::create_dir_all(folder.work())?;
        if outputs.iter().any(|(port, ..)| port.ty != Type::Nothing) {
            fs::create_dir(folder.outputs())?;
        }
        for (_, kind, path) in &outputs {
            if let Kind::List(_) = kind {
                fs::create_dir(path)?;
            }
        }
        Ok(())
    };
    prepare().map_err(|error: io::Error| cannot_write(folder.path(), &error))?;

    let mut inputs = Map::new();
    let mut texts = Vec::new();
    for (name, argument) in &call.inputs {
        let json = writer.argument(name, argument)?;
        texts.push((name.as_str(), writer.text(name, argument, &json)?));
        inputs.insert(name.clone(), json);
    }
    let words = match place {
        OperatorPlace::Command(words) => words
            .iter()
            .map(|word| {
                Ok(match word {
                    CommandWord::Text(text) => environment.word(text),
                    CommandWord::Input(name) => {
                        let text = texts.iter().find(|(input, _)| input == name);
                        text.map(|(_, text)| text.clone()).ok_or_else(|| no_such("input", name))?
                    }
                    CommandWord::Output(name) => {
                        let path = outputs.iter().find(|(port, ..)| port.name == *name);
                        path.map(|(.., path)| path.display().to_string())
                            .ok_or_else(|| no_such("output", name))?
                    }
                })
            })
            .collect::<Result<_, OperatorError>>()?,
        OperatorPlace::Native | OperatorPlace::Python(_) => Vec::new(),
    };
    let outputs: Vec<Json> = outputs
        .iter()
        .map(|(port, kind, path)| {
            let mut json = json!({
                "name": port.name, "kind": kind.name(), "type": port.ty.to_string(), "path": path,
                "optional": port.ty.is_optional(),
            });
            if let Kind::List(of) = kind {
                json["of"] = json!(of.name());
            }
            if let Some(row) = row_of(&port.ty) {
                json["columns"] = row.columns.iter().map(column).collect();
            }
            json
        })
        .collect();
    let function = match place {
        OperatorPlace::Python(function) => Some(function),
        OperatorPlace::Native | OperatorPlace::Command(_) => None,
    };
    let json = json!({
        "format": FORMAT, "operator": call.op, "function": function, "attempt": context.attempt(),
        "cores": context.threads(), "memory": context.memory(), "folder": folder.path(), "work": folder.work(),
        "checkpoint": folder.checkpoint(), "project": environment.root, "messages": 3,
        "inputs": inputs, "outputs": outputs,
    });
    let path = folder.call();
    fs::write(&path, json.to_string()).map_err(|error| cannot_write(&path, &error))?;
    Ok(Written { call: path, words })
}

/// The row of a table, or of each table of a list.
fn row_of(ty: &Type) -> Option<&Row> {
    match ty.present() {
        Type::Dataset(row) => Some(row),
        Type::List(of) => row_of(of),
        _ => None,
    }
}

fn column(column: &Column) -> Json {
    let arrow = match data_type(&column.ty) {
        Some(DataType::Boolean) => Some("bool"),
        Some(DataType::Int64) => Some("int64"),
        Some(DataType::Float64) => Some("double"),
        Some(DataType::Float32) => Some("float"),
        Some(DataType::Utf8) => Some("string"),
        Some(DataType::Binary) => Some("binary"),
        Some(DataType::Date32) => Some("date32"),
        Some(DataType::Timestamp(..)) => Some("timestamp[us]"),
        Some(DataType::Duration(_)) => Some("duration[us]"),
        Some(DataType::UInt64) => Some("uint64"),
        _ => None,
    };
    json!({
        "name": column.name, "type": column.ty.to_string(), "arrow": arrow,
        "personal": column.ty.is_personal(),
    })
}

/// Fails where nothing that a process writes could be this output.
fn output<'a>(
    port: &'a Port,
    call: &Call,
    folder: &AttemptFolder,
) -> Result<(&'a Port, Kind, PathBuf), OperatorError> {
    let kind = match &port.ty {
        // What has no result has a port that others may wait for.
        Type::Nothing => Some(Kind::Value),
        ty => Kind::of(ty),
    };
    let kind = kind.ok_or_else(|| {
        OperatorError::with_help(
            format!("output `{}` of `{}` is a {}, which no process can give", port.name, call.op, port.ty),
            "a model of your own is an `Opaque<\"name\">`, and its predictions are a Dataset",
        )
    })?;
    let path = output_path(folder, &port.name, &kind);
    Ok((port, kind, path))
}

struct Writer {
    folder: PathBuf,
    is_made: bool,
    /// Those within lists and records are numbered.
    files: usize,
}

impl Writer {
    fn argument(&mut self, name: &str, argument: &Argument) -> Result<Json, OperatorError> {
        match argument {
            Argument::Datum(datum) => self.datum(name, datum),
            Argument::Record(fields) => {
                let mut json = Map::new();
                for (field, argument) in fields {
                    let file = self.numbered(name);
                    json.insert(field.clone(), self.argument(&file, argument)?);
                }
                Ok(json!({ "record": json }))
            }
            Argument::Expression { .. } => Err(OperatorError::failed(format!(
                "input `{name}` is an expression, which no process can read"
            ))),
        }
    }

    fn datum(&mut self, name: &str, datum: &Datum) -> Result<Json, OperatorError> {
        Ok(match datum {
            Datum::Value(value) => json!({ "value": to_json(value) }),
            Datum::Table(rows) => {
                let path = self.file(&format!("{name}.arrow"))?;
                let file = File::create(&path).map_err(|error| cannot_write(&path, &error))?;
                table::write(rows, BufWriter::new(file)).map_err(|error| {
                    OperatorError::failed(format!("cannot write `{}`: {error}", path.display()))
                })?;
                json!({ "table": path })
            }
            Datum::Written(written) => self.datum(name, &Datum::Table(written.table().clone()))?,
            Datum::Blob(blob) => {
                let path = self.file(name)?;
                fs::write(&path, &blob.bytes).map_err(|error| cannot_write(&path, &error))?;
                json!({ "blob": path, "format": blob.format })
            }
            Datum::File(file) => {
                let path = self.file(&file.name(name))?;
                file.link(&path).map_err(|error| {
                    let from = file.path().display();
                    OperatorError::failed(format!(
                        "`{from}`, its input `{name}`, cannot be handed over: {error}"
                    ))
                })?;
                json!({ "value": to_json(&Value::File(path.display().to_string())) })
            }
            Datum::List(elements) => {
                let mut items = Vec::with_capacity(elements.len());
                for element in elements {
                    let file = self.numbered(name);
                    items.push(self.datum(&file, element)?);
                }
                json!({ "list": items })
            }
        })
    }

    /// The input as a word of a command: itself where it is a scalar, else the path of its file.
    fn text(&mut self, name: &str, argument: &Argument, json: &Json) -> Result<String, OperatorError> {
        if let Argument::Datum(Datum::Value(value)) = argument
            && let Some(text) = plain_text(value)
        {
            return Ok(text);
        }
        let file = json.get("table").or_else(|| json.get("blob")).or_else(|| json.pointer("/value/file"));
        let file = file.and_then(Json::as_str);
        if let Some(path) = file {
            return Ok(path.to_owned());
        }
        // Of a list or record there is a file that says what it is.
        let json = match argument {
            Argument::Datum(Datum::Value(value)) => value.to_json(),
            _ => json.clone(),
        };
        let path = self.file(&format!("{name}.json"))?;
        fs::write(&path, json.to_string()).map_err(|error| cannot_write(&path, &error))?;
        Ok(path.display().to_string())
    }

    fn file(&mut self, name: &str) -> Result<PathBuf, OperatorError> {
        if !self.is_made {
            fs::create_dir(&self.folder).map_err(|error| cannot_write(&self.folder, &error))?;
            self.is_made = true;
        }
        Ok(self.folder.join(name))
    }

    fn numbered(&mut self, name: &str) -> String {
        self.files += 1;
        format!("{name}.{}", self.files)
    }
}

/// None for lists and records.
fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::None => Some(String::new()),
        Value::List(_) | Value::Record(_) => None,
        _ => Some(match value.to_json() {
            Json::String(text) => text,
            other => other.to_string(),
        }),
    }
}

fn no_such(what: &str, name: &str) -> OperatorError {
    OperatorError::failed(format!("the command speaks of an {what} `{name}`, which the operator has not"))
}

pub fn cannot_write(path: &Path, error: &io::Error) -> OperatorError {
    let message = format!("cannot write `{}`: {error}", path.display());
    if error.kind() == io::ErrorKind::StorageFull {
        return OperatorError::with_help(message, "the disk is full: make room, then `flowc retry` the run");
    }
    OperatorError::failed(message)
}
