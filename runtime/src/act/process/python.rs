//! The Python package `flowlang`: embedded, so that it need not be installed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use flow_ir::hash::Hash;

const FILES: [(&str, &str); 7] = [
    ("__init__.py", include_str!("../../../python/flowlang/__init__.py")),
    ("__main__.py", include_str!("../../../python/flowlang/__main__.py")),
    ("calls.py", include_str!("../../../python/flowlang/calls.py")),
    ("errors.py", include_str!("../../../python/flowlang/errors.py")),
    ("tables.py", include_str!("../../../python/flowlang/tables.py")),
    ("values.py", include_str!("../../../python/flowlang/values.py")),
    ("py.typed", ""),
];

/// The folder in which the package lies; written once, and shared by all projects of the user. Where the user's cache
/// cannot be written to, it is one of this process alone, which is left to whoever cleans up temporary files.
pub fn package() -> io::Result<PathBuf> {
    static PACKAGE: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut package = PACKAGE.lock().unwrap_or_else(PoisonError::into_inner);
    // Caches and temporary files are cleaned up even while processes run.
    if let Some(path) = package.as_ref().filter(|path| path.join("flowlang/py.typed").exists()) {
        return Ok(path.clone());
    }
    Ok(package.insert(write_package(&base_folder())?).clone())
}

/// The hash of the package: what its code does to inputs and outputs counts as well.
pub fn hash() -> Hash {
    let mut hasher = blake3::Hasher::new();
    for (name, text) in FILES {
        hasher.update(name.as_bytes());
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    Hash(*hasher.finalize().as_bytes())
}

fn base_folder() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let cache = cache.filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    cache.or_else(home).unwrap_or_else(std::env::temp_dir).join("flow/python")
}

fn write_package(base: &Path) -> io::Result<PathBuf> {
    let hash: String = hash().to_string().chars().take(16).collect();
    let path = base.join(hash);
    if path.join("flowlang/py.typed").exists() {
        return Ok(path);
    }
    // Whole or not at all, whoever else writes it at the same time.
    let made = fs::create_dir_all(base).and_then(|()| tempfile::tempdir_in(base));
    let new = match made {
        Ok(new) => new,
        // A home that cannot be written to is no reason to fail.
        Err(_) => tempfile::tempdir()?,
    };
    let package = new.path().join("flowlang");
    fs::create_dir(&package)?;
    for (name, text) in FILES {
        fs::write(package.join(name), text)?;
    }
    let new = new.keep();
    match fs::rename(&new, &path) {
        Ok(()) => Ok(path),
        Err(_) if path.join("flowlang/py.typed").exists() => {
            fs::remove_dir_all(&new)?;
            Ok(path)
        }
        Err(_) => Ok(new),
    }
}
