//! What an item mentions, read from its tree alone: for unused imports and for recursion.

use std::collections::BTreeSet;

use flow_syntax::ast::*;
use rustc_hash::FxHashMap;

use crate::db::{Db, Item, parse_item};

/// Names that an item uses and does not bind itself, without places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct References {
    pub names: BTreeSet<String>,
    /// `tree.gbdt` as (`tree`, `gbdt`).
    pub qualified: BTreeSet<(String, String)>,
    /// The `f` of `x.f(…)`.
    pub dot_calls: BTreeSet<String>,
}

#[salsa::tracked]
pub fn references<'db>(db: &'db dyn Db, item: Item<'db>) -> References {
    let parsed = parse_item(db, item);
    let mut walker = Walker::default();
    walker.item(&parsed.item.kind);
    walker.found
}

#[derive(Default)]
struct Walker<'t> {
    found: References,
    /// Innermost last.
    bound: Vec<&'t str>,
    /// How often each name stands there: a body may bind thousands.
    times: FxHashMap<&'t str, u32>,
}

impl<'t> Walker<'t> {
    fn item(&mut self, item: &'t ItemKind) {
        match item {
            ItemKind::Use(_) | ItemKind::Enum(_) | ItemKind::Error => {}
            ItemKind::Const(item) => {
                self.types(item.ty.iter());
                self.expr(&item.value);
            }
            ItemKind::Type(item) => self.ty(&item.ty),
            ItemKind::Schema(item) => self.types(item.columns.iter().map(|column| &column.ty)),
            ItemKind::Fn(item) => {
                self.generics(&item.generics);
                self.params(&item.params);
                self.types(item.result.iter());
                if let Some(body) = &item.body {
                    self.block(body);
                }
            }
            ItemKind::Operator(item) => {
                self.generics(&item.generics);
                self.params(&item.params);
                self.outputs(&item.result);
                for entry in &item.policy {
                    self.expr(&entry.value);
                }
            }
            ItemKind::Workflow(item) => {
                self.generics(&item.generics);
                self.params(&item.params);
                self.outputs(&item.result);
                self.block(&item.body);
            }
            ItemKind::Test(item) => self.block(&item.body),
        }
    }

    fn generics(&mut self, generics: &'t [Generic]) {
        self.bind(generics.iter().map(|generic| &generic.name));
        self.types(generics.iter().filter_map(|generic| generic.bound.as_ref()));
    }

    /// Defaults see no parameter; what follows sees them all.
    fn params(&mut self, params: &'t [Param]) {
        for param in params {
            self.ty(&param.ty);
            if let Some(default) = &param.default {
                self.expr(default);
            }
        }
        self.bind(params.iter().map(|param| &param.name));
    }

    fn outputs(&mut self, outputs: &'t Outputs) {
        match outputs {
            Outputs::One(output) => self.ty(&output.ty),
            Outputs::Named(outputs) => self.types(outputs.iter().map(|output| &output.ty)),
            Outputs::None => {}
        }
    }

    fn types(&mut self, types: impl Iterator<Item = &'t TypeExpr>) {
        types.for_each(|ty| self.ty(ty));
    }

    fn ty(&mut self, ty: &'t TypeExpr) {
        match &ty.kind {
            TypeKind::Named { path, args } => {
                self.path(path);
                for arg in args {
                    if let TypeArg::Type(ty) = arg {
                        self.ty(ty);
                    }
                }
            }
            TypeKind::Optional(inner) => self.ty(inner),
            TypeKind::Refined { base, refinement } => {
                self.ty(base);
                if let Refinement::In { low, high, .. } = refinement {
                    for bound in [low, high].into_iter().flatten() {
                        self.expr(bound);
                    }
                }
            }
            TypeKind::Row(entries) => {
                for entry in entries {
                    match entry {
                        RowEntry::Spread { row, change, .. } => {
                            self.path(row);
                            if let Some(RowChange::WithType(_, ty)) = change {
                                self.ty(ty);
                            }
                        }
                        RowEntry::Column { ty, .. } | RowEntry::Named { ty, .. } => self.ty(ty),
                        RowEntry::Open(_) => {}
                    }
                }
            }
            TypeKind::Record(fields) => self.types(fields.iter().map(|field| &field.ty)),
            TypeKind::Error => {}
        }
    }

    fn path(&mut self, path: &'t Path) {
        let Some(first) = path.names.first() else { return };
        self.name(&first.text);
        if let Some(second) = path.names.get(1) {
            self.found.qualified.insert((first.text.clone(), second.text.clone()));
        }
    }

    fn name(&mut self, name: &str) {
        if !self.is_bound(name) {
            self.found.names.insert(name.to_owned());
        }
    }

    fn is_bound(&self, name: &str) -> bool {
        self.times.get(name).is_some_and(|times| *times > 0)
    }

    fn bind(&mut self, names: impl IntoIterator<Item = &'t Name>) {
        for name in names {
            self.bound.push(&name.text);
            *self.times.entry(&name.text).or_default() += 1;
        }
    }

    /// Forgets what was bound after the first `outer`.
    fn unbind(&mut self, outer: usize) {
        for name in self.bound.drain(outer..) {
            if let Some(times) = self.times.get_mut(name) {
                *times -= 1;
            }
        }
    }

    fn block(&mut self, block: &'t Block) {
        let outer = self.bound.len();
        for statement in &block.statements {
            match statement {
                Statement::Let(binding) => {
                    self.types(binding.ty.iter());
                    self.expr(&binding.value);
                    self.pattern(&binding.pattern);
                }
                Statement::Assert { condition, .. } => self.expr(condition),
                Statement::Expr(value) => self.expr(value),
            }
        }
        self.unbind(outer);
    }

    fn pattern(&mut self, pattern: &'t Pattern) {
        match pattern {
            Pattern::Name(name) => self.bind([name]),
            Pattern::Record { fields, .. } => {
                self.bind(fields.iter().map(|field| &field.binding));
            }
            Pattern::Error(_) => {}
        }
    }

    fn exprs(&mut self, exprs: impl IntoIterator<Item = &'t Expr>) {
        exprs.into_iter().for_each(|expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &'t Expr) {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Column(_) | ExprKind::Error => {}
            ExprKind::Interpolated(parts) => {
                for part in parts {
                    if let TextPart::Expr(value) = part {
                        self.expr(value);
                    }
                }
            }
            ExprKind::Name(name) => self.name(&name.text),
            ExprKind::Field { base, name } => {
                if let ExprKind::Name(alias) = &base.kind
                    && !self.is_bound(&alias.text)
                {
                    self.found.qualified.insert((alias.text.clone(), name.text.clone()));
                }
                self.expr(base);
            }
            ExprKind::Call { callee, args } => {
                // A call behind the name of a module or a constant counts among the qualified names.
                if let ExprKind::Field { base, name } = &callee.kind
                    && !matches!(&base.kind, ExprKind::Name(alias) if !self.is_bound(&alias.text))
                {
                    self.found.dot_calls.insert(name.text.clone());
                }
                self.expr(callee);
                self.exprs(args.iter().map(|arg| &arg.value));
            }
            ExprKind::Index { base, index } => self.exprs([&**base, &**index]),
            ExprKind::With { call, policy } => {
                self.expr(call);
                self.exprs(policy.iter().map(|entry| &entry.value));
            }
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Binary { left, right, .. } => self.exprs([&**left, &**right]),
            ExprKind::Range { low, high, .. } => self.exprs([&**low, &**high]),
            ExprKind::If { condition, then, otherwise } | ExprKind::RunIf { condition, then, otherwise } => {
                self.expr(condition);
                self.block(then);
                self.exprs(otherwise.as_deref());
            }
            ExprKind::Match { subject, arms } => {
                self.expr(subject);
                for arm in arms {
                    if let MatchPattern::Value(value) = &arm.pattern {
                        self.expr(value);
                    }
                    self.expr(&arm.value);
                }
            }
            ExprKind::For { pattern, list, body } => self.loop_body(pattern, list, None, body),
            ExprKind::RunFor { pattern, list, max, body } => {
                self.loop_body(pattern, list, max.as_deref(), body);
            }
            ExprKind::RunWhile { condition, state, start, max, body } => {
                self.expr(start);
                self.exprs(max.as_deref());
                let outer = self.bound.len();
                self.bind([state]);
                self.expr(condition);
                self.block(body);
                self.unbind(outer);
            }
            ExprKind::Lambda { params, body } => {
                let outer = self.bound.len();
                self.bind(params);
                self.expr(body);
                self.unbind(outer);
            }
            ExprKind::List(values) => self.exprs(values),
            ExprKind::Record(fields) => self.exprs(fields.iter().map(|field| &field.value)),
            ExprKind::Paren(inner) => self.expr(inner),
            ExprKind::Block(block) => self.block(block),
        }
    }

    fn loop_body(&mut self, pattern: &'t Pattern, list: &'t Expr, max: Option<&'t Expr>, body: &'t Block) {
        self.expr(list);
        self.exprs(max);
        let outer = self.bound.len();
        self.pattern(pattern);
        self.block(body);
        self.unbind(outer);
    }
}
