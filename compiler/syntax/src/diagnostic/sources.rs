//! The texts that diagnostics point into.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::lines::LineIndex;

/// Module names to their files and texts. Whoever renders puts in the modules of the diagnostics and those
/// that their labels name; a label in a module that is not here is left out.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    by_module: BTreeMap<String, Source<'a>>,
}

/// One file: its name as it is to be shown, and its text.
#[derive(Debug)]
pub struct Source<'a> {
    pub file: String,
    pub text: &'a str,
    lines: OnceLock<LineIndex>,
}

impl<'a> Sources<'a> {
    pub fn new() -> Self {
        Self::default()
    }

    /// Says that `module` is the file `file` with the text `text`.
    pub fn add(&mut self, module: impl Into<String>, file: impl Into<String>, text: &'a str) {
        self.by_module.insert(module.into(), Source { file: file.into(), text, lines: OnceLock::new() });
    }

    pub fn get(&self, module: &str) -> Option<&Source<'a>> {
        self.by_module.get(module)
    }
}

impl Source<'_> {
    /// Where the lines begin; found on first use.
    pub fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(self.text))
    }
}
