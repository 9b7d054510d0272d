//! What lies on the disk, as far as the server wants to know. Whoever starts it answers.

use std::path::Path;

use flow_analysis::Source;

/// Finds the project of a file. Nothing that it reads may lie outside of that project.
pub trait Disk: Send {
    /// The project that a file belongs to, or why it belongs to none: a sentence for the user.
    fn project(&self, file: &Path) -> Result<Box<dyn Folder>, String>;
}

/// A project on the disk. The paths that its [`Source`] gives are relative to its root.
pub trait Folder: Source + Send {
    /// What tells one project from another.
    fn root(&self) -> &Path;

    /// The module that a file of the project is, or why it is none.
    fn module(&self, file: &Path) -> Result<String, String>;

    /// The modules to check without being asked. A folder that nobody called a project has none: what is open
    /// is checked, with what it imports.
    fn modules(&self) -> Vec<String>;
}

impl std::fmt::Debug for dyn Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for dyn Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Folder").field(&self.root()).finish()
    }
}
