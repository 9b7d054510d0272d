//! Expressions.

use super::doc::{Doc, concat_docs};
use super::printer::{Brackets, Printer, comment_lines};
use super::types::joined;
use crate::ast::{
    Arg, BinaryOp, Block, Expr, ExprKind, MatchArm, MatchPattern, Name, Path, Pattern, PolicyEntry,
    RecordField, Statement, UnaryOp,
};

impl<'t> Printer<'t> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Doc<'t> {
        match &expr.kind {
            // Literals keep their spelling: `1_000`, `2GiB`, `r"\d"`.
            ExprKind::Literal(_) | ExprKind::Name(_) => Doc::Text(self.source(expr.span)),
            ExprKind::Interpolated(_) | ExprKind::Error => self.verbatim(expr.span),
            ExprKind::Column(name) => concat_docs![Doc::Text("."), self.name(name)],
            ExprKind::Field { .. }
            | ExprKind::Call { .. }
            | ExprKind::Index { .. }
            | ExprKind::With { .. } => self.chain(expr),
            ExprKind::Unary { op: UnaryOp::Negate, operand } => {
                concat_docs![Doc::Text("-"), self.expr(operand)]
            }
            ExprKind::Unary { op: UnaryOp::Not, operand } => {
                concat_docs![Doc::Text("not "), self.expr(operand)]
            }
            ExprKind::Binary { op, .. } => self.binary(expr, *op),
            ExprKind::Range { low, high, inclusive } => {
                let low = self.expr(low);
                concat_docs![low, Doc::Text(if *inclusive { "..=" } else { ".." }), self.expr(high)]
            }
            ExprKind::If { condition, then, otherwise } => {
                Doc::group(self.if_else("if ", condition, then, otherwise.as_deref()))
            }
            ExprKind::RunIf { condition, then, otherwise } => {
                Doc::group(self.if_else("run if ", condition, then, otherwise.as_deref()))
            }
            ExprKind::Match { subject, arms } => {
                let subject = self.expr(subject);
                let arms = self.list(Brackets::BRACES, arms, expr.span.end, arm_start, Self::arm);
                concat_docs![Doc::Text("match "), subject, Doc::Text(" "), arms]
            }
            ExprKind::For { pattern, list, body } => {
                let head = concat_docs![self.pattern(pattern), Doc::Text(" in "), self.expr(list)];
                Doc::group(concat_docs![Doc::Text("for "), head, Doc::Text(" "), self.block(body)])
            }
            ExprKind::RunFor { pattern, list, max, body } => {
                let head = concat_docs![self.pattern(pattern), Doc::Text(" in "), self.expr(list)];
                let max = self.max(max.as_deref());
                Doc::group(concat_docs![Doc::Text("run for "), head, max, Doc::Text(" "), self.block(body)])
            }
            ExprKind::RunWhile { condition, state, start, max, body } => {
                let condition = concat_docs![Doc::Text("run while "), self.expr(condition)];
                let state = concat_docs![Doc::Text(" from "), self.name(state)];
                let start = concat_docs![Doc::Text(" = "), self.expr(start)];
                let max = self.max(max.as_deref());
                Doc::group(concat_docs![condition, state, start, max, Doc::Text(" "), self.block(body)])
            }
            ExprKind::Lambda { params, body } => {
                let params: Vec<Doc<'t>> = params.iter().map(|name| self.name(name)).collect();
                let params = concat_docs![Doc::Text("("), joined(params), Doc::Text(") ")];
                concat_docs![params, self.after("=>", body.span.start, |printer| printer.expr(body))]
            }
            ExprKind::List(elements) => self.list(
                Brackets::SQUARE,
                elements,
                expr.span.end,
                |element| element.span.start,
                |printer, element| printer.expr(element),
            ),
            ExprKind::Record(fields) => {
                self.list(Brackets::PARENS, fields, expr.span.end, |field| field.name.span.start, Self::field)
            }
            ExprKind::Paren(inner) => concat_docs![Doc::Text("("), self.expr(inner), Doc::Text(")")],
            ExprKind::Block(block) => Doc::group(self.block(block)),
        }
    }

    /// A block whose lines belong to the group around it, so that `if` and `else` break together.
    pub(super) fn block(&mut self, block: &Block) -> Doc<'t> {
        self.open_list(Brackets::BLOCK, &block.statements, block.span.end, statement_start, Self::statement)
    }

    /// The arguments of a call.
    pub(super) fn args(&mut self, args: &[Arg], end: u32) -> Doc<'t> {
        let start = |arg: &Arg| arg.name.as_ref().map_or(arg.value.span.start, |name| name.span.start);
        if let [only] = args
            && hugs(&only.value)
            && !self.begins_line(start(only))
            && !self.has_comment_before(start(only))
        {
            return concat_docs![Doc::Text("("), self.arg(only), Doc::Text(")")];
        }
        self.list(Brackets::PARENS, args, end, start, Self::arg)
    }

    /// `(cpu: 2, memory: 2GiB)`
    pub(super) fn policy(&mut self, entries: &[PolicyEntry], end: u32) -> Doc<'t> {
        self.list(
            Brackets::PARENS,
            entries,
            end,
            |entry| entry.key.span.start,
            |printer, entry| printer.named(&entry.key, &entry.value),
        )
    }

    pub(super) fn pattern(&mut self, pattern: &Pattern) -> Doc<'t> {
        match pattern {
            Pattern::Name(name) => self.name(name),
            Pattern::Record { fields, span } => self.list(
                Brackets::PARENS,
                fields,
                span.end,
                |field| field.field.span.start,
                |printer, field| {
                    let name = printer.name(&field.field);
                    if field.binding.span == field.field.span {
                        return name;
                    }
                    concat_docs![name, Doc::Text(": "), printer.name(&field.binding)]
                },
            ),
            Pattern::Error(span) => Doc::Text(self.source(*span)),
        }
    }

    pub(super) fn name(&mut self, name: &Name) -> Doc<'t> {
        Doc::Text(self.source(name.span))
    }

    pub(super) fn path(&mut self, path: &Path) -> Doc<'t> {
        let mut parts = Vec::new();
        for (position, name) in path.names.iter().enumerate() {
            if position > 0 {
                parts.push(Doc::Text("."));
            }
            parts.push(self.name(name));
        }
        Doc::Concat(parts)
    }

    fn named(&mut self, name: &Name, value: &Expr) -> Doc<'t> {
        let name = self.name(name);
        concat_docs![name, self.after(":", value.span.start, |printer| printer.expr(value))]
    }

    fn arg(&mut self, arg: &Arg) -> Doc<'t> {
        match &arg.name {
            Some(name) => self.named(name, &arg.value),
            None => self.expr(&arg.value),
        }
    }

    fn field(&mut self, field: &RecordField) -> Doc<'t> {
        if field.is_named { self.named(&field.name, &field.value) } else { self.expr(&field.value) }
    }

    /// Operators of one precedence break together, each at the begin of its line.
    fn binary(&mut self, expr: &Expr, op: BinaryOp) -> Doc<'t> {
        let mut operands = Vec::new();
        let mut first = expr;
        while let ExprKind::Binary { op: next, op_span, left, right } = &first.kind
            && precedence(*next) == precedence(op)
        {
            operands.push((*next, *op_span, right));
            first = left;
        }
        let first = self.expr(first);
        let mut rest = Vec::new();
        for (op, op_span, operand) in operands.into_iter().rev() {
            rest.push(self.line_before(op_span.start));
            rest.push(Doc::Text(op.symbol()));
            rest.push(Doc::Text(" "));
            rest.push(self.expr(operand));
        }
        Doc::group(concat_docs![first, Doc::Concat(rest).indent()])
    }

    fn if_else(
        &mut self,
        opening: &'static str,
        condition: &Expr,
        then: &Block,
        otherwise: Option<&Expr>,
    ) -> Doc<'t> {
        let condition = self.expr(condition);
        let mut parts = vec![Doc::Text(opening), condition, Doc::Text(" "), self.block(then)];
        if let Some(otherwise) = otherwise {
            // A comment before `else` goes along with it.
            let comments = self.take_before(otherwise.span.start);
            parts.extend(match comment_lines(&comments, true) {
                lines if lines.is_empty() => vec![Doc::Text(" ")],
                lines if comments.len() == 1 && comments.iter().all(|comment| comment.follows_code) => {
                    lines.into_iter().chain([Doc::Text(" ")]).collect()
                }
                lines => lines.into_iter().chain([Doc::HardLine]).collect(),
            });
            parts.push(Doc::Text("else "));
            parts.push(match &otherwise.kind {
                ExprKind::Block(block) => self.block(block),
                ExprKind::If { condition, then, otherwise } => {
                    self.if_else("if ", condition, then, otherwise.as_deref())
                }
                ExprKind::RunIf { condition, then, otherwise } => {
                    self.if_else("run if ", condition, then, otherwise.as_deref())
                }
                _ => self.expr(otherwise),
            });
        }
        Doc::Concat(parts)
    }

    fn max(&mut self, max: Option<&Expr>) -> Doc<'t> {
        max.map_or(Doc::Nil, |max| concat_docs![Doc::Text(" max "), self.expr(max)])
    }

    fn arm(&mut self, arm: &MatchArm) -> Doc<'t> {
        let pattern = match &arm.pattern {
            MatchPattern::Value(value) => self.expr(value),
            MatchPattern::Any(_) => Doc::Text("_"),
        };
        let value = self.after("=>", arm.value.span.start, |printer| printer.expr(&arm.value));
        concat_docs![pattern, Doc::Text(" "), value]
    }

    fn statement(&mut self, statement: &Statement) -> Doc<'t> {
        match statement {
            Statement::Let(binding) => {
                let pattern = self.pattern(&binding.pattern);
                let ty = match &binding.ty {
                    Some(ty) => self.after(":", ty.span.start, |printer| printer.ty(ty)),
                    None => Doc::Nil,
                };
                let value = self.after("=", binding.value.span.start, |printer| printer.expr(&binding.value));
                concat_docs![Doc::Text("let "), pattern, ty, Doc::Text(" "), value]
            }
            Statement::Assert { condition, .. } => {
                concat_docs![Doc::Text("assert "), self.expr(condition)]
            }
            Statement::Expr(expr) => self.expr(expr),
        }
    }
}

fn statement_start(statement: &Statement) -> u32 {
    match statement {
        Statement::Let(binding) => binding.span.start,
        Statement::Assert { span, .. } => span.start,
        Statement::Expr(expr) => expr.span.start,
    }
}

fn arm_start(arm: &MatchArm) -> u32 {
    match &arm.pattern {
        MatchPattern::Value(value) => value.span.start,
        MatchPattern::Any(span) => span.start,
    }
}

/// Whether a call's only argument shares its brackets: `f([` … `])`.
fn hugs(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::List(elements) => !elements.is_empty(),
        ExprKind::Record(_) | ExprKind::Match { .. } | ExprKind::For { .. } => true,
        ExprKind::Lambda { body, .. } => matches!(body.kind, ExprKind::Block(_)),
        _ => false,
    }
}

/// Operators of one number stand side by side; those of the grammar that do not chain have one each.
fn precedence(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Power => 0,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => 1,
        BinaryOp::Add | BinaryOp::Subtract => 2,
        BinaryOp::OrElse => 3,
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual
        | BinaryOp::In => 4,
        BinaryOp::And => 5,
        BinaryOp::Or => 6,
    }
}
