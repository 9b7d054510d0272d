//! The names bound within a body.

use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::Checker;
use crate::{body::LocalId, stages::Stage, ty::Ty};

pub(crate) struct Entry<'db> {
    pub name: &'db str,
    pub binding: Binding<'db>,
    pub kind: EntryKind,
    /// Where it is bound.
    pub span: Span,
    pub is_used: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// Parameters and loop variables may stay unused.
    Param,
    Let,
    /// `let (train, test) = …`: a binding by a field's own name.
    Field,
}

#[derive(Clone)]
pub(crate) enum Binding<'db> {
    Local {
        id: LocalId,
        ty: Ty,
        stage: Stage,
    },
    /// Checked anew at each call, in the scope that it was written in: the first `depth` entries.
    Lambda {
        params: &'db [ast::Name],
        body: &'db ast::Expr,
        depth: usize,
        is_called: bool,
    },
}

impl<'db> Checker<'db> {
    /// The place of a name's binding, which counts as used from then on.
    pub fn look_up(&mut self, name: &str) -> Option<usize> {
        let index = *self.places.get(name)?.last()?;
        if let Some(entry) = self.env.get_mut(index) {
            entry.is_used = true;
        }
        Some(index)
    }

    pub fn is_bound(&self, name: &str) -> bool {
        self.places.get(name).is_some_and(|places| !places.is_empty())
    }

    pub fn bind(&mut self, name: &'db ast::Name, binding: Binding<'db>, kind: EntryKind) {
        self.push(Entry { name: &name.text, binding, kind, span: name.span, is_used: false });
    }

    fn push(&mut self, entry: Entry<'db>) {
        self.places.entry(entry.name).or_default().push(self.env.len());
        self.env.push(entry);
    }

    fn pop(&mut self) -> Option<Entry<'db>> {
        let entry = self.env.pop()?;
        if let Some(places) = self.places.get_mut(entry.name) {
            places.pop();
        }
        Some(entry)
    }

    /// Takes the bindings from a depth on out of sight, the last first; [`Self::show`] brings them back.
    pub fn hide(&mut self, depth: usize) -> Vec<Entry<'db>> {
        let mut hidden = Vec::with_capacity(self.env.len().saturating_sub(depth));
        while self.env.len() > depth {
            hidden.extend(self.pop());
        }
        hidden
    }

    pub fn show(&mut self, hidden: Vec<Entry<'db>>) {
        hidden.into_iter().rev().for_each(|entry| self.push(entry));
    }

    /// Ends a scope: bindings that nobody used are reported, and lambdas that nobody called are checked once.
    pub fn leave_scope(&mut self, outer: usize) {
        while self.env.len() > outer {
            if let Some(Entry {
                binding: Binding::Lambda { params, body, depth, is_called: false }, ..
            }) = self.env.last()
            {
                let (params, body, depth) = (*params, *body, *depth);
                self.check_uncalled(params, body, depth);
            }
            if let Some(entry) = self.pop() {
                self.report_unused(&entry);
                self.keep_name(&entry);
            }
        }
    }

    /// A misspelled field that is used as it is misspelled: the fix keeps that name for it.
    fn keep_name(&mut self, entry: &Entry<'_>) {
        if !entry.is_used || entry.kind != EntryKind::Field {
            return;
        }
        let mut told = self.diagnostics.iter_mut().filter(|told| told.span == entry.span);
        if let Some(fix) = told.find_map(|told| told.fix.as_mut().filter(|_| told.code == code::UNKNOWN_NAME))
            && let [edit] = fix.edits.as_mut_slice()
            && edit.span == entry.span
            && !edit.text.contains(':')
        {
            edit.text = format!("{}: {}", edit.text, entry.name);
            fix.title = format!("write `{}`", edit.text);
        }
    }

    fn report_unused(&mut self, entry: &Entry<'_>) {
        if entry.is_used || entry.kind == EntryKind::Param || entry.name.starts_with('_') {
            return;
        }
        let text = match entry.kind {
            EntryKind::Field => format!("{0}: _{0}", entry.name),
            _ => format!("_{}", entry.name),
        };
        self.report(
            Diagnostic::warning(code::UNUSED, entry.span, format!("`{}` is never used", entry.name))
                .help(format!("remove it, or call it `_{}` to keep it", entry.name))
                .fix(format!("call it `_{}`", entry.name), vec![Edit { span: entry.span, text }]),
        );
    }
}
