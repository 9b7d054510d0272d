//! A datum's one written form, its hash, and what is said of it without reading it.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use flow_ir::{hash::Hash, value::Value};
use serde_json::{Value as Json, json};
use tempfile::NamedTempFile;

use super::{
    SMALL,
    file::is_extension,
    table::{self, TableError},
    value,
    writer::TableWriter,
};
use crate::operator::{Blob, Datum, Table};

/// Names an artifact, and says as much of it as fits in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub hash: Hash,
    /// Bytes of the written form.
    pub size: u64,
    pub summary: Summary,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Summary {
    /// The value itself where it is short: then its bytes are made from it and stored nowhere else.
    Value(Option<Value>),
    Table {
        rows: u64,
        columns: u64,
    },
    Blob {
        format: String,
    },
    List {
        length: u64,
    },
    /// Its bytes are the file's own.
    File {
        /// `csv`, `tar.gz`; empty where its name has none.
        extension: String,
    },
}

/// A datum in its written form.
#[derive(Debug)]
pub struct Encoded {
    pub reference: Reference,
    /// As it would be read back; none where it is in its artifact alone.
    pub datum: Option<Datum>,
    /// What its reference does not hold already; its own bytes last, those of a list's elements before.
    pub contents: Vec<Content>,
}

/// Bytes that are not yet stored.
#[derive(Debug)]
pub enum Content {
    Small {
        hash: Hash,
        bytes: Arc<[u8]>,
    },
    /// Written, but not synced, and without its name.
    Large {
        hash: Hash,
        size: u64,
        file: NamedTempFile,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("cannot write to `{folder}`: {error}")]
    Write { folder: String, error: io::Error },
}

/// Values whose JSON is no longer than this are part of their summary.
const SHORT: usize = 1024;

/// A table of so many bytes is written batch by batch, and from then on read from its file: what a node gave takes
/// no memory while it waits for the nodes that want it.
const LARGE: usize = 16 << 20;

/// What opens a blob; its format follows, then a line feed, then its bytes.
const BLOB: &[u8] = b"flow-blob/1 ";

/// Writes a datum; what is large goes to a temporary file in `folder` while it is hashed.
pub fn encode(datum: Datum, folder: &Path) -> Result<Encoded, EncodeError> {
    let mut sink = Sink::new(folder);
    let failed = |error| EncodeError::Write { folder: folder.display().to_string(), error };
    let mut contents = Vec::new();
    let (datum, summary) = match datum {
        Datum::Value(value) => {
            let text = value::to_json(&value).to_string();
            if text.len() <= SHORT {
                let summary = Summary::Value(Some(value.clone()));
                let reference =
                    Reference { hash: Hash::of(text.as_bytes()), size: text.len() as u64, summary };
                return Ok(Encoded { reference, datum: Some(Datum::Value(value)), contents });
            }
            sink.write_all(text.as_bytes()).map_err(failed)?;
            (Datum::Value(value), Summary::Value(None))
        }
        Datum::Written(written) => return written.take(folder),
        Datum::File(file) => return file.encode(folder).map_err(failed),
        Datum::Table(table) if memory_of(&table) >= LARGE => {
            let mut writer = TableWriter::new(&table.schema, folder)?;
            for batch in table.batches {
                writer.push(batch)?;
            }
            return writer.finish().map(|(_, encoded)| encoded);
        }
        Datum::Table(table) => {
            let table = table::canonical(&table)?;
            table::write(&table, &mut sink).map_err(|error| match error {
                TableError::Arrow(ArrowError::IoError(_, error)) => failed(error),
                error => error.into(),
            })?;
            let summary =
                Summary::Table { rows: table.rows() as u64, columns: table.schema.fields().len() as u64 };
            (Datum::Table(table), summary)
        }
        Datum::Blob(blob) => {
            let header = [BLOB, blob.format.as_bytes(), b"\n"].concat();
            sink.write_all(&header).and_then(|()| sink.write_all(&blob.bytes)).map_err(failed)?;
            let format = blob.format.clone();
            (Datum::Blob(blob), Summary::Blob { format })
        }
        Datum::List(elements) => {
            let mut references = Vec::with_capacity(elements.len());
            let mut data = Vec::with_capacity(elements.len());
            for element in elements {
                let encoded = encode(element, folder)?;
                references.push(encoded.reference);
                data.extend(encoded.datum);
                contents.extend(encoded.contents);
            }
            let summary = Summary::List { length: data.len() as u64 };
            sink.write_all(list_text(&references).as_bytes()).map_err(failed)?;
            (Datum::List(data), summary)
        }
    };
    let content = sink.finish().map_err(failed)?;
    let reference = Reference { hash: content.hash(), size: content.size(), summary };
    contents.push(content);
    Ok(Encoded { reference, datum: Some(datum), contents })
}

fn memory_of(table: &Table) -> usize {
    table.batches.iter().map(RecordBatch::get_array_memory_size).sum()
}

/// A list of what is written already; equal to what [`encode`] makes of the same data.
pub fn encode_list(elements: &[Reference], folder: &Path) -> Result<(Reference, Content), EncodeError> {
    let mut sink = Sink::new(folder);
    let failed = |error| EncodeError::Write { folder: folder.display().to_string(), error };
    sink.write_all(list_text(elements).as_bytes()).map_err(failed)?;
    let content = sink.finish().map_err(failed)?;
    let summary = Summary::List { length: elements.len() as u64 };
    Ok((Reference { hash: content.hash(), size: content.size(), summary }, content))
}

fn list_text(elements: &[Reference]) -> String {
    json!({ "list": elements.iter().map(Reference::to_json).collect::<Vec<_>>() }).to_string()
}

/// The elements of a list's written form; `None` where the bytes are none.
pub(super) fn decode_list(bytes: &[u8]) -> Option<Vec<Reference>> {
    let json: Json = serde_json::from_slice(bytes).ok()?;
    json.get("list")?.as_array()?.iter().map(Reference::from_json).collect()
}

/// Reads a written form; `None` where the bytes are none. A list's elements come from `load`.
pub(super) fn decode<E>(
    bytes: &[u8],
    summary: &Summary,
    load: &mut dyn FnMut(&Reference) -> Result<Datum, E>,
) -> Result<Option<Datum>, E> {
    Ok(match summary {
        Summary::Value(_) => {
            serde_json::from_slice(bytes).ok().and_then(|json| value::from_json(&json)).map(Datum::Value)
        }
        Summary::Table { .. } => table::read(bytes).ok().map(|table: Table| Datum::Table(table)),
        Summary::Blob { .. } => decode_blob(bytes).map(Datum::Blob),
        Summary::List { .. } => match decode_list(bytes) {
            Some(elements) => Some(Datum::List(elements.iter().map(&mut *load).collect::<Result<_, _>>()?)),
            None => None,
        },
        // Never read into memory.
        Summary::File { .. } => None,
    })
}

fn decode_blob(bytes: &[u8]) -> Option<Blob> {
    let rest = bytes.strip_prefix(BLOB)?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (format, bytes) = rest.split_at(end);
    let format = String::from_utf8(format.to_vec()).ok()?;
    Some(Blob { format, bytes: bytes.get(1..)?.into() })
}

impl Reference {
    /// `{"hash": "…", "size": 12, "kind": "table", "rows": 150, "columns": 5}`
    pub fn to_json(&self) -> Json {
        let mut json = json!({ "hash": self.hash.to_string(), "size": self.size, "kind": self.kind() });
        match &self.summary {
            Summary::Value(Some(value)) => json["value"] = value::to_json(value),
            Summary::Value(None) => {}
            Summary::Table { rows, columns } => {
                json["rows"] = json!(rows);
                json["columns"] = json!(columns);
            }
            Summary::Blob { format } => json["format"] = json!(format),
            Summary::List { length } => json["length"] = json!(length),
            Summary::File { extension } if extension.is_empty() => {}
            Summary::File { extension } => json["extension"] = json!(extension),
        }
        json
    }

    pub fn from_json(json: &Json) -> Option<Self> {
        let count = |name| json.get(name).and_then(Json::as_u64);
        let summary = match json.get("kind")?.as_str()? {
            "value" => Summary::Value(match json.get("value") {
                Some(short) => Some(value::from_json(short)?),
                None => None,
            }),
            "table" => Summary::Table { rows: count("rows")?, columns: count("columns")? },
            "blob" => Summary::Blob { format: json.get("format")?.as_str()?.to_owned() },
            "list" => Summary::List { length: count("length")? },
            "file" => Summary::File {
                extension: match json.get("extension") {
                    Some(extension) => extension.as_str().filter(|text| is_extension(text))?.to_owned(),
                    None => String::new(),
                },
            },
            _ => return None,
        };
        let hash = Hash::from_hex(json.get("hash")?.as_str()?)?;
        Some(Self { hash, size: count("size")?, summary })
    }

    /// The bytes, where the reference itself holds what they are made from.
    pub(super) fn held(&self) -> Option<Vec<u8>> {
        match &self.summary {
            Summary::Value(Some(value)) => Some(value::to_json(value).to_string().into_bytes()),
            _ => None,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self.summary {
            Summary::Value(_) => "value",
            Summary::Table { .. } => "table",
            Summary::Blob { .. } => "blob",
            Summary::List { .. } => "list",
            Summary::File { .. } => "file",
        }
    }
}

impl Content {
    pub fn hash(&self) -> Hash {
        match self {
            Self::Small { hash, .. } | Self::Large { hash, .. } => *hash,
        }
    }

    pub fn size(&self) -> u64 {
        match self {
            Self::Small { bytes, .. } => bytes.len() as u64,
            Self::Large { size, .. } => *size,
        }
    }
}

/// Hashes what is written; keeps it in memory while it is small, then in a file.
pub(super) struct Sink {
    folder: PathBuf,
    hasher: blake3::Hasher,
    size: u64,
    buffer: Vec<u8>,
    file: Option<NamedTempFile>,
}

impl Sink {
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            hasher: blake3::Hasher::new(),
            size: 0,
            buffer: Vec::new(),
            file: None,
        }
    }

    pub fn finish(mut self) -> io::Result<Content> {
        let hash = Hash(*self.hasher.finalize().as_bytes());
        Ok(match self.file.take() {
            None => Content::Small { hash, bytes: self.buffer.into() },
            Some(mut file) => {
                file.write_all(&self.buffer)?;
                Content::Large { hash, size: self.size, file }
            }
        })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() as u64 >= SMALL {
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(NamedTempFile::with_prefix_in("new-", &self.folder)?),
            };
            file.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
