//! Files that operators have made: artifacts as they are, which are never whole in memory.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use flow_ir::{hash::Hash, value::Value};
use tempfile::{Builder, NamedTempFile, TempDir};

use super::encode::{Content, Encoded, Reference, Summary};
use crate::operator::Datum;

/// A file that an operator has made. Nobody writes to it any more.
#[derive(Clone, Debug)]
pub struct MadeFile {
    path: PathBuf,
    extension: String,
    /// Of its artifact, once it is one.
    written: Option<(Hash, u64)>,
    /// It lies in there, and is wanted for as long.
    #[expect(dead_code, reason = "it goes when this is dropped")]
    folder: Option<Arc<TempDir>>,
}

/// No longer than what anybody calls an extension.
const LONGEST: usize = 40;

impl MadeFile {
    /// One that its maker has left at `path`; no other file shares its bytes.
    pub fn new(path: PathBuf, extension: String) -> Self {
        Self { path, extension, written: None, folder: None }
    }

    /// The one of an artifact that lies at `path`.
    pub(super) fn of_artifact(path: PathBuf, extension: String, hash: Hash, size: u64) -> Self {
        Self { path, extension, written: Some((hash, size)), folder: None }
    }

    /// Keeps the folder that it lies in.
    #[must_use]
    pub fn within(self, folder: Arc<TempDir>) -> Self {
        Self { folder: Some(folder), ..self }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// As a value: where it lies now.
    pub fn value(&self) -> Value {
        Value::File(self.path.to_string_lossy().into_owned())
    }

    /// `name` with its extension, if it has one.
    pub fn name(&self, name: &str) -> String {
        match self.extension.as_str() {
            "" => name.to_owned(),
            extension => format!("{name}.{extension}"),
        }
    }

    /// Gives it another name, for one who reads it.
    pub fn link(&self, to: &Path) -> io::Result<()> {
        fs::hard_link(&self.path, to).or_else(|_| {
            // On another disk.
            fs::metadata(&self.path)?;
            std::os::unix::fs::symlink(&self.path, to)
        })
    }

    /// Hashes it where it lies, and links it into `folder`, where it is to have its name as an artifact; on another
    /// disk it is copied.
    pub(super) fn encode(mut self, folder: &Path) -> io::Result<Encoded> {
        let mut contents = Vec::new();
        let (hash, size) = match self.written {
            Some(written) => written,
            None => {
                let file = self.linked(folder).or_else(|_| self.copied(folder))?;
                let mut hasher = blake3::Hasher::new();
                hasher.update_reader(file.reopen()?)?;
                let (hash, size) = (Hash(*hasher.finalize().as_bytes()), hasher.count());
                contents.push(Content::Large { hash, size, file });
                *self.written.insert((hash, size))
            }
        };
        let summary = Summary::File { extension: self.extension.clone() };
        let reference = Reference { hash, size, summary };
        Ok(Encoded { reference, datum: Some(Datum::File(self)), contents })
    }

    fn linked(&self, folder: &Path) -> io::Result<NamedTempFile> {
        let file = Builder::new().prefix("new-").make_in(folder, |path| {
            fs::hard_link(&self.path, path)?;
            File::open(path)
        })?;
        // Its maker may have given it any age, and what is old is taken for what nobody needs.
        file.as_file().set_modified(SystemTime::now())?;
        Ok(file)
    }

    fn copied(&self, folder: &Path) -> io::Result<NamedTempFile> {
        let mut file = NamedTempFile::with_prefix_in("new-", folder)?;
        io::copy(&mut File::open(&self.path)?, &mut file)?;
        Ok(file)
    }
}

/// Whether a file's name may end so: it becomes a part of other names.
pub fn is_extension(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
    !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(is_plain)
        && !text.starts_with('.')
        && !text.ends_with('.')
}
