//! Blocks and what `let` binds.

use flow_ir::types::Type;
use flow_syntax::{
    ast::{self, ExprKind, Statement},
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{Binding, Checker, EntryKind, Typed};
use crate::{body, stages::Stage};

impl<'db> Checker<'db> {
    pub fn block(&mut self, block: &'db ast::Block, expected: Option<&Type>) -> Typed {
        let outer = self.env.len();
        let mut bindings = Vec::new();
        let mut value = None;
        let count = block.statements.len();
        for (index, statement) in block.statements.iter().enumerate() {
            let is_last = index + 1 == count;
            match statement {
                Statement::Let(binding) => self.let_statement(binding, &mut bindings),
                Statement::Assert { condition, span } => {
                    if let Some(value) = self.assertion(condition, *span) {
                        let local = self.new_local("_", value.ty.clone());
                        let pattern = body::Pattern::Local(local);
                        bindings.push(body::Binding { pattern, value, span: *span });
                    }
                }
                Statement::Expr(expr) if is_last => value = Some(self.expr(expr, expected)),
                Statement::Expr(expr) => {
                    // A call for its effect is a node that nothing reads.
                    let typed = self.expr(expr, None);
                    let span = typed.span();
                    self.report_forgotten(typed.ty().cloned().as_ref(), &typed.stage, span);
                    let local = self.new_local("_", typed.expr.ty.clone());
                    bindings.push(body::Binding {
                        pattern: body::Pattern::Local(local),
                        value: typed.expr,
                        span,
                    });
                }
            }
        }
        self.leave_scope(outer);
        let Some(value) = value else {
            let end = Span::new(block.span.end.saturating_sub(1), block.span.end);
            return self.valueless(block, bindings, end);
        };
        if bindings.is_empty() {
            return value;
        }
        let ty = value.expr.ty.clone();
        let kind = body::ExprKind::Block { bindings, value: Box::new(value.expr) };
        Typed { expr: body::Expr { kind, ty, span: block.span }, stage: value.stage }
    }

    /// A block whose last statement has no value: nothing, which only a statement may be.
    fn valueless(&mut self, block: &ast::Block, bindings: Vec<body::Binding>, end: Span) -> Typed {
        let nothing = Typed::new(
            body::ExprKind::Value(flow_ir::value::Value::None),
            Type::Nothing,
            end,
            Stage::Planned,
        );
        let ty = nothing.expr.ty.clone();
        let kind = body::ExprKind::Block { bindings, value: Box::new(nothing.expr) };
        Typed { expr: body::Expr { kind, ty, span: block.span }, stage: Stage::Planned }
    }

    fn let_statement(&mut self, binding: &'db ast::Let, bindings: &mut Vec<body::Binding>) {
        if let (ast::Pattern::Name(name), ExprKind::Lambda { params, body }) =
            (&binding.pattern, lambda_of(&binding.value))
        {
            if let Some(ty) = &binding.ty {
                let message = "a lambda has no type of its own: it is checked anew at each call";
                self.fail(code::TYPE_MISMATCH, ty.span, message);
            }
            let depth = self.env.len();
            self.bind(name, Binding::Lambda { params, body, depth, is_called: false }, EntryKind::Let);
            return;
        }
        let wanted = binding.ty.as_ref().map(|ty| self.written_type(ty));
        let name_end = match &binding.pattern {
            ast::Pattern::Name(name) if binding.ty.is_none() => Some(Span::new(name.span.end, name.span.end)),
            _ => None,
        };
        let outer = std::mem::replace(&mut self.annotation, name_end);
        let value = match &wanted {
            Some(Some(wanted)) => self.expr_as(&binding.value, wanted),
            Some(None) => {
                let outer = std::mem::replace(&mut self.is_wanted_hidden, true);
                self.expr(&binding.value, None);
                self.is_wanted_hidden = outer;
                Typed::error(binding.value.span)
            }
            None => self.expr(&binding.value, None),
        };
        self.annotation = outer;
        if value.ty() == Some(&Type::Nothing)
            && !matches!(value.expr.kind, body::ExprKind::Value(_) | body::ExprKind::CallOperator(_))
        {
            self.report(
                Diagnostic::error(code::TYPE_MISMATCH, binding.value.span, "this block has no value to bind")
                    .help("a block's value is its last expression"),
            );
        }
        let Typed { expr: value, stage } = value;
        let mut ty = value.ty.clone();
        if let (Some(Some(wanted)), Some(_)) = (wanted, ty.ground()) {
            // What was written is what it is, `?` included.
            ty = crate::ty::Ty::Ground(wanted);
        }
        let pattern = self.pattern(&binding.pattern, &ty, &stage, EntryKind::Let);
        if let Some(pattern) = pattern {
            if let body::Pattern::Local(local) = &pattern {
                self.note_length(local.id, &value);
            }
            bindings.push(body::Binding { pattern, value, span: binding.span });
        }
    }

    /// A type that is written in a body; `None` where it is wrong, which is reported.
    pub fn written_type(&mut self, ty: &ast::TypeExpr) -> Option<Type> {
        let mut resolver = crate::types::Resolver::new(self.db, self.file);
        resolver.generics = self.generics.vars.keys().cloned().collect();
        let scheme = resolver.ty(ty);
        for diagnostic in resolver.diagnostics {
            self.report(diagnostic);
        }
        match scheme.substitute(&self.generics) {
            Ok(ty) => Some(ty),
            Err(crate::types::Unknown::Open) => {
                self.fail(code::TYPE_MISMATCH, ty.span, "a value has one row: it cannot be open here");
                None
            }
            Err(crate::types::Unknown::Label(..)) => {
                self.fail(code::LABEL_COUNT, ty.span, "the row of a `Predictor` has exactly one label");
                None
            }
            Err(_) => None,
        }
    }
}

/// What a value is, without the parentheses around it.
fn lambda_of(expr: &ast::Expr) -> &ExprKind {
    match &expr.kind {
        ExprKind::Paren(inner) => lambda_of(inner),
        other => other,
    }
}
