//! Where artifacts lie: files named after their hash, and small contents beside the events.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use flow_ir::hash::Hash;

use super::{
    SMALL,
    encode::{Content, Reference, Summary, decode, decode_list},
    file::MadeFile,
    map,
};
use crate::operator::Datum;

/// Tables of so many bytes are read where they lie.
const MAPPED: u64 = 16 << 20;

/// Finds the contents that are too small to be files.
pub trait SmallContents: Send + Sync {
    fn content(&self, hash: Hash) -> Result<Option<Arc<[u8]>>, String>;
    fn has_content(&self, hash: Hash) -> Result<bool, String>;
}

/// All artifacts of a project.
#[derive(Clone)]
pub struct Artifacts {
    folder: PathBuf,
    small: Arc<dyn SmallContents>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactError {
    #[error("artifact {hash} is missing")]
    Missing { hash: Hash },
    #[error("artifact {hash} is corrupt: {}", if found == size { "its bytes have changed".to_owned() } else { format!("it has {found} bytes of {size}") })]
    Corrupt { hash: Hash, size: u64, found: u64 },
    #[error("artifact {hash} is not a {kind} that this version reads")]
    Unreadable { hash: Hash, kind: &'static str },
    #[error("cannot read artifact {hash}: {reason}")]
    Read { hash: Hash, reason: String },
    #[error("cannot store artifact {hash}: {reason}")]
    Write { hash: Hash, reason: String },
}

impl ArtifactError {
    /// Whether running the node again would mend it.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Corrupt { .. })
    }

    pub fn hash(&self) -> Hash {
        match self {
            Self::Missing { hash }
            | Self::Corrupt { hash, .. }
            | Self::Unreadable { hash, .. }
            | Self::Read { hash, .. }
            | Self::Write { hash, .. } => *hash,
        }
    }
}

impl Artifacts {
    /// Those whose files lie in `folder`, which is made if need be.
    pub fn open(folder: PathBuf, small: Arc<dyn SmallContents>) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, small })
    }

    /// Small contents alone: what is large cannot be kept, and lies among temporary files while it is hashed.
    pub(crate) fn without_files(small: Arc<dyn SmallContents>) -> Self {
        Self { folder: std::env::temp_dir(), small }
    }

    /// Where the files lie, and new ones are written.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the file of that content is, if it is one.
    pub fn path(&self, hash: Hash) -> PathBuf {
        let name = hash.to_string();
        let (first, rest) = name.split_at_checked(2).unwrap_or(("", &name));
        self.folder.join(first).join(rest)
    }

    /// Whether the content is there with its size. Its bytes are checked when they are read.
    pub fn is_there(&self, reference: &Reference) -> Result<bool, ArtifactError> {
        if matches!(reference.summary, Summary::Value(Some(_))) {
            return Ok(true);
        }
        if reference.size < SMALL && !matches!(reference.summary, Summary::File { .. }) {
            let hash = reference.hash;
            let known =
                self.small.has_content(hash).map_err(|reason| ArtifactError::Read { hash, reason })?;
            if known {
                return Ok(true);
            }
        }
        Ok(fs::metadata(self.path(reference.hash)).is_ok_and(|file| file.len() == reference.size))
    }

    /// The bytes, after checking that they are what was written.
    pub fn bytes(&self, reference: &Reference) -> Result<Arc<[u8]>, ArtifactError> {
        let Reference { hash, size, .. } = *reference;
        let beside = || match size < SMALL {
            true => self.small.content(hash).map_err(|reason| ArtifactError::Read { hash, reason }),
            false => Ok(None),
        };
        let bytes = match reference.held() {
            Some(bytes) => bytes.into(),
            None => match beside()? {
                Some(bytes) => bytes,
                None => self.file_bytes(hash)?,
            },
        };
        let found = bytes.len() as u64;
        if found != size || Hash::of(&bytes) != hash {
            return Err(ArtifactError::Corrupt { hash, size, found });
        }
        Ok(bytes)
    }

    /// The datum, after checking its bytes.
    pub fn load(&self, reference: &Reference) -> Result<Datum, ArtifactError> {
        match &reference.summary {
            Summary::Table { .. } if reference.size >= MAPPED => return self.map(reference),
            Summary::File { extension } => return self.file(reference, extension),
            _ => {}
        }
        let bytes = self.bytes(reference)?;
        let datum = decode(&bytes, &reference.summary, &mut |element| self.load(element))?;
        datum.ok_or(ArtifactError::Unreadable { hash: reference.hash, kind: reference.kind() })
    }

    /// What a list is made of, after checking its own bytes.
    pub fn elements(&self, reference: &Reference) -> Result<Vec<Reference>, ArtifactError> {
        let elements = decode_list(&self.bytes(reference)?);
        elements.ok_or(ArtifactError::Unreadable { hash: reference.hash, kind: reference.kind() })
    }

    /// Gives a written file its name, durably, in place of one that may have been damaged since. A small
    /// content becomes a file too: for processes that have no store of their own.
    pub fn publish(&self, content: Content) -> Result<(), ArtifactError> {
        let hash = content.hash();
        self.publish_file(content).map_err(|error| ArtifactError::Write { hash, reason: error.to_string() })
    }

    /// Removes a content that was found corrupt, so that it can be written again.
    pub fn remove(&self, hash: Hash) -> io::Result<()> {
        match fs::remove_file(self.path(hash)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// A large table, checked from end to end but not kept.
    fn map(&self, reference: &Reference) -> Result<Datum, ArtifactError> {
        match map::table(&self.checked(reference)?) {
            Ok(table) => Ok(Datum::Table(table)),
            Err(_) => Err(ArtifactError::Unreadable { hash: reference.hash, kind: reference.kind() }),
        }
    }

    /// A file, where it lies.
    fn file(&self, reference: &Reference, extension: &str) -> Result<Datum, ArtifactError> {
        self.checked(reference)?;
        let Reference { hash, size, .. } = *reference;
        Ok(Datum::File(MadeFile::of_artifact(self.path(hash), extension.to_owned(), hash, size)))
    }

    /// The file of an artifact, after checking its bytes.
    fn checked(&self, reference: &Reference) -> Result<File, ArtifactError> {
        let Reference { hash, size, .. } = *reference;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => ArtifactError::Missing { hash },
            _ => ArtifactError::Read { hash, reason: error.to_string() },
        };
        let file = File::open(self.path(hash)).map_err(failed)?;
        let found = file.metadata().map_err(failed)?.len();
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&file).map_err(failed)?;
        if found != size || Hash(*hasher.finalize().as_bytes()) != hash {
            return Err(ArtifactError::Corrupt { hash, size, found });
        }
        Ok(file)
    }

    fn file_bytes(&self, hash: Hash) -> Result<Arc<[u8]>, ArtifactError> {
        match fs::read(self.path(hash)) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ArtifactError::Missing { hash }),
            Err(error) => Err(ArtifactError::Read { hash, reason: error.to_string() }),
        }
    }

    fn publish_file(&self, content: Content) -> io::Result<()> {
        let path = self.path(content.hash());
        let file = match content {
            Content::Large { file, .. } => file,
            Content::Small { bytes, .. } => {
                let mut file = tempfile::NamedTempFile::with_prefix_in("new-", &self.folder)?;
                io::Write::write_all(&mut file, &bytes)?;
                file
            }
        };
        file.as_file().set_permissions(fs::Permissions::from_mode(0o444))?;
        file.as_file().sync_all()?;
        if let Some(folder) = path.parent() {
            if !folder.exists() {
                fs::create_dir_all(folder)?;
                File::open(&self.folder)?.sync_all()?;
            }
            file.persist(&path).map_err(|error| error.error)?;
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Artifacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Artifacts").field("folder", &self.folder).finish_non_exhaustive()
    }
}
