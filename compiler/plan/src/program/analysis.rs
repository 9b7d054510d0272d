//! The checker's answers, as the planner asks for them.

use std::sync::Arc;

use flow_analysis::{
    Analysis,
    body::{Body, Instance, ItemRef},
    signature::{Declaration, Signature},
};
use flow_ir::hash::Hash;
use flow_syntax::diagnostic::Diagnostic;

use super::Program;

impl Program for Analysis {
    fn signature(&self, module: &str, workflow: &str) -> Option<Arc<Signature>> {
        self.signature(module, workflow)
    }

    fn workflow_body(&self, module: &str, workflow: &str) -> Option<Arc<Body>> {
        self.workflow_body(module, workflow)
    }

    fn body(&self, function: &Instance) -> Option<Arc<Body>> {
        self.body(function)
    }

    fn const_body(&self, constant: &ItemRef) -> Option<Arc<Body>> {
        self.const_body(constant)
    }

    fn operator(&self, operator: &ItemRef) -> Option<Declaration> {
        self.declaration(operator)
    }

    fn check_where_same(&self, module: &str, workflow: &str, same: &[u32]) -> Vec<Diagnostic> {
        self.check_where_same(module, workflow, same)
    }

    fn callables(&self) -> Vec<String> {
        let operators = self.operator_signatures().into_iter().map(|(name, _)| name);
        let workflows = |module: String| {
            let names = self.workflows(&module);
            names.into_iter().map(move |name| format!("{module}.{name}"))
        };
        operators.chain(self.modules().into_iter().flat_map(workflows)).collect()
    }

    fn item_offset(&self, item: &ItemRef) -> u32 {
        self.item_offset(item).unwrap_or(0)
    }

    /// The path that the module was given with, where it is relative; else where its name says that it is.
    fn file(&self, module: &str) -> Option<String> {
        let path = self.path(module)?;
        let is_relative = !path.starts_with('/') && !path.contains(['\\', ':']);
        Some(if is_relative { path.to_owned() } else { format!("{}.flow", module.replace('.', "/")) })
    }

    fn source_hash(&self, module: &str) -> Option<Hash> {
        self.text(module).map(|text| Hash::of(text.as_bytes()))
    }
}
