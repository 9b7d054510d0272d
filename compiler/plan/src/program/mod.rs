//! What the planner asks of the checked program, and of the world outside.

mod analysis;

use std::sync::Arc;

use flow_analysis::{
    body::{Body, Instance, ItemRef},
    signature::{Declaration, Signature},
};
use flow_ir::{
    hash::Hash,
    key::{Key, NUMERICS_CPU},
    node::OperatorPlace,
};
use flow_syntax::diagnostic::Diagnostic;

/// A program that the checker found no error in.
pub trait Program {
    fn signature(&self, module: &str, workflow: &str) -> Option<Arc<Signature>>;
    fn workflow_body(&self, module: &str, workflow: &str) -> Option<Arc<Body>>;
    fn body(&self, function: &Instance) -> Option<Arc<Body>>;
    fn const_body(&self, constant: &ItemRef) -> Option<Arc<Body>>;
    /// An operator's declaration: the limits of its parameters; and readers of bound paths are called
    /// without a call in the text.
    fn operator(&self, operator: &ItemRef) -> Option<Declaration>;
    /// What breaks a rule of provenance where some of a workflow's parameters are one source, and breaks none else.
    /// For each parameter, in order, `same` has a number that those which are one source share. Spans count from
    /// the start of the file.
    fn check_where_same(&self, module: &str, workflow: &str, same: &[u32]) -> Vec<Diagnostic>;
    /// The full names of all operators, verbs and workflows.
    fn callables(&self) -> Vec<String>;
    /// The byte at which an item starts in its file: the spans of its body count from there.
    fn item_offset(&self, item: &ItemRef) -> u32;
    /// A module's file, relative to the project's root, with `/` between its parts.
    fn file(&self, module: &str) -> Option<String>;
    /// The hash of a module's text.
    fn source_hash(&self, module: &str) -> Option<Hash>;
}

/// Why an external operator cannot be run, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCode {
    pub reason: String,
    pub help: Option<String>,
}

/// What the planner asks of the machine: the operators there are, the files and the cache.
pub trait PlanFacts {
    /// The version of an operator's implementation, where there is one.
    fn operator_version(&self, operator: &str) -> Option<u32>;
    /// Whether a native operator can compute on a GPU.
    fn can_use_gpu(&self, operator: &str) -> bool;
    /// Whether calls of a native operator can be steps of a query: see [`fuse`](crate::passes::fuse).
    fn is_step(&self, operator: &str) -> bool {
        let _ = operator;
        false
    }
    /// The hash of a file's content, where it is known without reading the whole file.
    fn file_hash(&self, path: &str) -> Option<Hash>;
    /// Whether there is certainly no such file.
    fn is_absent(&self, path: &str) -> bool {
        let _ = path;
        false
    }
    /// The version of an external operator's implementation, where its code is there as far as can be seen
    /// without running it.
    fn external_version(&self, place: &OperatorPlace) -> Result<u32, NoCode> {
        let _ = place;
        Ok(1)
    }
    /// Whether a file of the project lies at a path from its root: a command's word that names one beside its
    /// text stands for it.
    fn is_code(&self, path: &str) -> bool {
        let _ = path;
        false
    }
    /// A hash of an external operator's code and environment, where it is known.
    fn environment(&self, place: &OperatorPlace) -> Option<Hash>;
    /// The content hashes of a node's outputs, where the cache holds them under this key.
    fn cached(&self, key: Key) -> Option<Vec<Hash>>;
    /// What kind of device computes.
    fn numerics(&self) -> &str {
        NUMERICS_CPU
    }
}
