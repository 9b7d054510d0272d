//! One rule for each form of expression.

use flow_ir::{
    expr::Aggregate,
    types::{Field, RecordType, Type},
    value::Value,
};
use flow_syntax::{
    ast::{self, ExprKind, TextPart},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{Binding, Checker, MAX_SUGGESTIONS, RowInScope, Typed, literal::literal};
use crate::{
    body::{self, Part},
    db::{File, Item, Keyword},
    header::item_ref,
    names::{Import, did_you_mean, prelude, quoted, resolve, scope, verbs},
    stages::Stage,
    ty::Ty,
    types::{MAX_PARTS, enum_of, is_too_large, join, show},
};

impl<'db> Checker<'db> {
    /// The type of an expression. `expected` is what its place would like, which decides what the expression
    /// itself leaves open; whether it fits is for the place to say.
    pub fn expr(&mut self, expr: &'db ast::Expr, expected: Option<&Type>) -> Typed {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Literal(value) => match literal(value) {
                Some((ty, value)) => Typed::new(body::ExprKind::Value(value), ty, span, Stage::Planned),
                None => self.fail(code::MALFORMED_LITERAL, span, "this is above the greatest Int"),
            },
            ExprKind::Interpolated(parts) => self.interpolated(parts, span),
            ExprKind::Name(name) => self.name(name, expected, span),
            ExprKind::Column(name) => self.column(name, expected, span),
            ExprKind::Field { base, name } => self.field(base, name, span),
            ExprKind::Call { callee, args } => self.call(callee, args, None, expected, span),
            ExprKind::Index { base, index } => self.index(base, index, span),
            ExprKind::With { call, policy } => self.with(call, policy, expected, span),
            ExprKind::Unary { op, operand } => self.unary(*op, operand, expected, span),
            ExprKind::Binary { op, left, right, .. } => self.binary(*op, left, right, span),
            ExprKind::Range { low, high, inclusive } => self.range(low, high, *inclusive, span),
            ExprKind::If { condition, then, otherwise } => {
                self.if_else(condition, then, otherwise.as_deref(), expected, span)
            }
            ExprKind::Match { subject, arms } => self.match_arms(subject, arms, expected, span),
            ExprKind::For { pattern, list, body } => self.for_each(pattern, list, body, expected, span),
            ExprKind::RunIf { condition, then, otherwise } => {
                self.run_if(condition, then, otherwise.as_deref(), expected, span)
            }
            ExprKind::RunFor { pattern, list, max, body } => {
                self.run_for(pattern, list, max.as_deref(), body, expected, span)
            }
            ExprKind::RunWhile { condition, state, start, max, body } => {
                self.run_while(condition, state, start, max.as_deref(), body, span)
            }
            ExprKind::Lambda { .. } => {
                let message = "a lambda is bound with `let` and called; it is no value by itself";
                self.fail(code::TYPE_MISMATCH, span, message)
            }
            ExprKind::List(values) => self.list(values, expected, span),
            ExprKind::Record(fields) => self.record(fields, expected, span),
            ExprKind::Paren(inner) => {
                let mut inner = self.expr(inner, expected);
                inner.expr.span = span;
                inner
            }
            ExprKind::Block(block) => self.block(block, expected),
            ExprKind::Error => Typed::error(span),
        }
    }

    fn interpolated(&mut self, parts: &'db [TextPart], span: Span) -> Typed {
        let mut typed = Vec::with_capacity(parts.len());
        let mut stage = Stage::Planned;
        let (mut is_sound, mut is_personal) = (true, false);
        for part in parts {
            match part {
                TextPart::Text(text) => typed.push(Part::Text(text.clone())),
                TextPart::Expr(value) => {
                    let value = self.expr(value, None);
                    let Some(ty) = value.ty() else {
                        is_sound = false;
                        continue;
                    };
                    if ty.is_optional() || *ty == Type::Nothing {
                        self.missing(value.span(), "a text");
                        is_sound = false;
                    } else if !is_printable(ty) {
                        let message = format!("a text cannot hold `{}`", show(ty));
                        self.fail(code::TYPE_MISMATCH, value.span(), message);
                        is_sound = false;
                    }
                    is_personal |= ty.is_personal();
                    stage = stage.and(&value.stage);
                    typed.push(Part::Expr(value.expr));
                }
            }
        }
        if is_sound {
            let text = Typed::new(body::ExprKind::Interpolate(typed), Type::Text, span, stage);
            self.decided_by(is_personal, text)
        } else {
            Typed::error(span)
        }
    }

    fn name(&mut self, name: &'db ast::Name, expected: Option<&Type>, span: Span) -> Typed {
        if let Some(index) = self.look_up(&name.text) {
            return match self.env.get(index).map(|entry| &entry.binding) {
                Some(Binding::Local { id, ty, stage }) => Typed {
                    expr: body::Expr { kind: body::ExprKind::Local(*id), ty: ty.clone(), span },
                    stage: stage.clone(),
                },
                _ => self.fail(
                    code::TYPE_MISMATCH,
                    span,
                    format!("`{0}` is a lambda: call it, `{0}(…)`", name.text),
                ),
            };
        }
        match resolve(self.db, self.file, &name.text) {
            Some(Import::Item(item)) => self.item_value(item, name, span),
            Some(Import::Module(_)) => {
                let message = format!("`{0}` is a module; its items are behind a dot: `{0}.…`", name.text);
                self.fail(code::TYPE_MISMATCH, span, message)
            }
            Some(Import::Broken) => Typed::error(span),
            None => self.unknown_name(name, expected, span),
        }
    }

    /// An item as a value: a constant is one.
    pub fn item_value(&mut self, item: Item<'db>, name: &ast::Name, span: Span) -> Typed {
        let what = match item.keyword(self.db) {
            Keyword::Const => {
                let ty = super::bodies::const_type(self.db, item);
                let kind = body::ExprKind::Const(item_ref(self.db, item));
                let stage = Stage::Planned;
                return match (super::literal::const_value(self.db, item), ty) {
                    (Some(value), Ty::Ground(ty)) => {
                        Typed::new(body::ExprKind::Value(value.clone()), ty.clone(), span, stage)
                    }
                    (_, ty) => Typed { expr: body::Expr { kind, ty: ty.clone(), span }, stage },
                };
            }
            Keyword::Enum => format!("is an enum; its variants are behind a dot: `{}.…`", name.text),
            Keyword::Schema | Keyword::Type => "is a type, not a value".to_owned(),
            _ => format!("is called: `{}(…)`", name.text),
        };
        self.fail(code::TYPE_MISMATCH, span, format!("`{}` {what}", name.text))
    }

    /// Whether an unknown name was told before; from now on it is.
    pub fn is_told(&mut self, name: &str) -> bool {
        !self.told.insert(name.to_owned())
    }

    fn unknown_name(&mut self, name: &ast::Name, expected: Option<&Type>, span: Span) -> Typed {
        if self.is_told(&name.text) {
            return Typed::error(span);
        }
        let diagnostic =
            Diagnostic::error(code::UNKNOWN_NAME, span, format!("there is no `{}` here", name.text));
        if let Some(variant) = variant_named(&name.text, expected) {
            let fix = format!("write `{variant}`");
            let diagnostic = diagnostic.help(format!("the variant is written `{variant}`"));
            self.report(diagnostic.fix(fix, vec![Edit { span, text: variant }]));
            return Typed::error(span);
        }
        if let Some(word) = literal_for(&name.text) {
            let diagnostic = diagnostic.help(format!("it is written `{word}`"));
            let edit = Edit { span, text: word.to_owned() };
            self.report(diagnostic.fix(format!("write `{word}`"), vec![edit]));
            return Typed::error(span);
        }
        if self.row.has_aggregates()
            && let Some(aggregate) = Aggregate::named(&name.text)
        {
            let call = if aggregate == Aggregate::Count {
                "count()".to_owned()
            } else {
                format!("{}(.column)", name.text)
            };
            self.report(diagnostic.help(format!("an aggregate is called: `{call}`")));
            return Typed::error(span);
        }
        if self.row.columns().is_some_and(|row| row.column(&name.text).is_some()) {
            let column = format!(".{}", quoted(&name.text));
            self.report(
                diagnostic
                    .help(format!("the column is written `{column}`"))
                    .fix(format!("write `{column}`"), vec![Edit { span, text: column }]),
            );
            return Typed::error(span);
        }
        let diagnostic = if self.told.len() > MAX_SUGGESTIONS {
            diagnostic
        } else {
            let own = scope(self.db, self.file);
            let known = self
                .env
                .iter()
                .map(|entry| entry.name)
                .chain(own.items.keys().map(String::as_str))
                .chain(own.imports.keys().map(String::as_str))
                .chain(prelude(self.db).keys().map(String::as_str));
            let mut known: Vec<&str> = known.collect();
            known.sort_unstable();
            match flow_syntax::suggest::suggest(&name.text, known.iter().copied()) {
                _ if verbs(self.db).contains_key(&name.text) => {
                    diagnostic.help(format!("it is a verb of tables, and called: `table.{}(…)`", name.text))
                }
                Some(_) => did_you_mean(diagnostic, &name.text, span, known),
                None => self.help_import(diagnostic, &name.text),
            }
        };
        self.report(diagnostic);
        Typed::error(span)
    }

    /// `tree` without `use std.tree`.
    fn help_import(&self, diagnostic: Diagnostic, name: &str) -> Diagnostic {
        let mut modules = crate::db::all_modules(self.db);
        match modules.find(|(module, _)| module.rsplit('.').next() == Some(name)) {
            Some((module, _)) => diagnostic.help(format!("import it: `use {module}`")),
            None => diagnostic,
        }
    }

    pub fn column(&mut self, name: &ast::Name, expected: Option<&Type>, span: Span) -> Typed {
        match &self.row {
            RowInScope::Unknown => Typed::error(span),
            RowInScope::None if variant_named(&name.text, expected).is_some() => {
                self.unknown_name(name, expected, span)
            }
            RowInScope::None => {
                let message = format!("`.{}` names a column, and there is no row here", name.text);
                self.fail(code::UNKNOWN_NAME, span, message)
            }
            RowInScope::Group { row, keys }
                if !keys.contains(&name.text) && row.column(&name.text).is_some() =>
            {
                self.many_values(name, span)
            }
            RowInScope::Row(row)
            | RowInScope::Group { row, .. }
            | RowInScope::Window(row)
            | RowInScope::Aggregated(row) => match row.column(&name.text) {
                Some(column) => {
                    let ty = column.ty.clone();
                    Typed::new(body::ExprKind::Column(name.text.clone()), ty, span, Stage::Planned)
                }
                None => {
                    let row = row.clone();
                    self.no_such_column(&name.text, name.span, &row);
                    Typed::error(span)
                }
            },
        }
    }

    pub fn no_such_column(&mut self, name: &str, span: Span, row: &flow_ir::types::Row) {
        let diagnostic =
            Diagnostic::error(code::NO_SUCH_COLUMN, span, format!("this table has no column `{name}`"));
        if self.diagnostics.len() > MAX_SUGGESTIONS {
            self.report(diagnostic);
            return;
        }
        let columns: Vec<String> = row.columns.iter().map(|column| column.name.clone()).collect();
        self.report(did_you_mean(diagnostic, name, span, columns.iter().map(String::as_str)));
    }

    fn field(&mut self, base: &'db ast::Expr, name: &'db ast::Name, span: Span) -> Typed {
        if let Some(module) = self.module(base) {
            return match scope(self.db, module).items.get(&name.text) {
                Some(item) => self.item_value(*item, name, span),
                None => {
                    self.no_such_item(module, name);
                    Typed::error(span)
                }
            };
        }
        if let Some(item) = self.enum_item(base) {
            return self.variant(item, name, span);
        }
        let base = self.expr(base, None);
        if let Some(typed) = self.test_field(&base, name, span) {
            return typed;
        }
        let Some(ty) = base.ty() else { return Typed::error(span) };
        let record = match ty {
            Type::Record(record) => record,
            Type::Optional(inner) if matches!(**inner, Type::Record(_)) => {
                return self.missing(base.span(), &format!("`.{}`", name.text));
            }
            other => {
                let message = format!("`{}` has no field `{}`", show(other), name.text);
                let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
                let is_column = matches!(other, Type::Dataset(row) if row.column(&name.text).is_some());
                let column = quoted(&name.text);
                self.report(if is_column {
                    diagnostic.help(format!(
                        "`.{column}` names the column within a verb, `.where(.{column} == …)`; `.values(.{column})` makes a list of it"
                    ))
                } else {
                    diagnostic
                });
                return Typed::error(span);
            }
        };
        match record.field(&name.text) {
            Some(field) => {
                let ty = field.ty.clone();
                let stage = base.stage.field(&name.text);
                let kind = body::ExprKind::Field { base: Box::new(base.expr), name: name.text.clone() };
                Typed::new(kind, ty, span, stage)
            }
            None => {
                let record = record.clone();
                self.no_such_field(name, &record);
                Typed::error(span)
            }
        }
    }

    pub fn no_such_field(&mut self, name: &ast::Name, record: &RecordType) {
        let diagnostic = Diagnostic::error(
            code::UNKNOWN_NAME,
            name.span,
            format!("there is no field `{}` in this record", name.text),
        );
        let fields = record.fields.iter().map(|field| field.name.as_str());
        self.report(did_you_mean(diagnostic, &name.text, name.span, fields));
    }

    pub fn no_such_item(&mut self, module: File, name: &ast::Name) {
        let message = format!("`{}` has no item `{}`", module.module(self.db), name.text);
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
        let mut known: Vec<&str> = scope(self.db, module).items.keys().map(String::as_str).collect();
        known.sort_unstable();
        self.report(did_you_mean(diagnostic, &name.text, name.span, known));
    }

    /// The module that an expression names.
    pub fn module(&self, expr: &ast::Expr) -> Option<File> {
        let ExprKind::Name(name) = &expr.kind else { return None };
        if self.is_bound(&name.text) {
            return None;
        }
        match resolve(self.db, self.file, &name.text) {
            Some(Import::Module(file)) => Some(file),
            _ => None,
        }
    }

    /// The enum that an expression names: `Loss`, `tree.Loss`.
    pub fn enum_item(&self, expr: &ast::Expr) -> Option<Item<'db>> {
        let item = match &expr.kind {
            ExprKind::Name(name) if !self.is_bound(&name.text) => self.item_named(&name.text)?,
            ExprKind::Field { base, name } => *scope(self.db, self.module(base)?).items.get(&name.text)?,
            _ => return None,
        };
        matches!(item.keyword(self.db), Keyword::Enum | Keyword::Type).then_some(item)
    }

    pub fn variant(&mut self, item: Item<'db>, name: &ast::Name, span: Span) -> Typed {
        let Some(ty) = enum_of(self.db, item) else {
            if item.keyword(self.db) == Keyword::Type {
                let message = format!("`{}` is a type, not a value", item.name(self.db));
                return self.fail(code::TYPE_MISMATCH, span, message);
            }
            return Typed::error(span);
        };
        if ty.variants.contains(&name.text) {
            let value = Value::Enum { ty: ty.name.clone(), variant: name.text.clone() };
            return Typed::new(body::ExprKind::Value(value), Type::Enum(ty.clone()), span, Stage::Planned);
        }
        let message = format!("`{}` has no variant `{}`", item.name(self.db), name.text);
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
        let variants = ty.variants.iter().map(String::as_str);
        self.report(did_you_mean(diagnostic, &name.text, name.span, variants));
        Typed::error(span)
    }

    fn index(&mut self, base: &'db ast::Expr, index: &'db ast::Expr, span: Span) -> Typed {
        let base = self.expr(base, None);
        if let (Some(Type::Dataset(_)), Some(Value::Text(name))) =
            (base.ty(), super::literal_value(self.db, self.file, index))
        {
            let name = quoted(&name);
            self.report(
                Diagnostic::error(code::TYPE_MISMATCH, base.span(), "`[…]` takes an element of a list")
                    .help(format!("a table's column is `.select(.{name})`, its values `.values(.{name})`")),
            );
            return Typed::error(span);
        }
        let index = self.expr_as(index, &Type::Int);
        let Some(ty) = base.ty() else { return Typed::error(span) };
        let element = match ty {
            Type::List(element) => (**element).clone(),
            Type::Optional(inner) if matches!(**inner, Type::List(_)) => {
                return self.missing(base.span(), "`[…]`");
            }
            other => {
                let message = format!("`[…]` takes an element of a list, and this is `{}`", show(other));
                return self.fail(code::TYPE_MISMATCH, base.span(), message);
            }
        };
        if index.ty().is_none() {
            return Typed::error(span);
        }
        if matches!(base.stage, Stage::List(_)) && !index.stage.has_known_shape() {
            let message = "which element is meant must be known when the workflow is planned";
            return self.fail(code::KNOWN_TOO_LATE, index.span(), message);
        }
        if let (Some(length), Some(Value::Int(at))) =
            (self.known_length(&base.expr), super::known_value(&index.expr))
            && usize::try_from(at).map_or(true, |at| at >= length)
        {
            let message = match length {
                0 => "this list is empty".to_owned(),
                1 => "this list has one element, which is `[0]`".to_owned(),
                _ => format!("this list has {length} elements, and they count from 0"),
            };
            return self.fail(code::OUT_OF_RANGE, index.span(), message);
        }
        let stage = if index.stage.is_planned() { base.stage.element() } else { Stage::Run };
        let kind = body::ExprKind::Index { base: Box::new(base.expr), index: Box::new(index.expr) };
        Typed::new(kind, element, span, stage)
    }

    fn list(&mut self, values: &'db [ast::Expr], expected: Option<&Type>, span: Span) -> Typed {
        let wanted = expected.and_then(|ty| match ty.present() {
            Type::List(element) => Some((**element).clone()),
            _ => None,
        });
        let typed: Vec<Typed> = values.iter().map(|value| self.expr(value, wanted.as_ref())).collect();
        self.list_of(typed, wanted, span)
    }

    /// A list of values, with the type that they have in common.
    pub fn list_of(&mut self, values: Vec<Typed>, wanted: Option<Type>, span: Span) -> Typed {
        let mut element = Type::Nothing;
        let mut stage = Stage::Planned;
        for (index, value) in values.iter().enumerate() {
            let Some(ty) = value.ty() else { return Typed::error(span) };
            let common = if index == 0 { Some(one_of(ty)) } else { join(&element, ty) };
            let Some(common) = common else {
                let message = format!(
                    "the elements of a list have one type, and these are `{}` and `{}`",
                    show(&element),
                    show(ty)
                );
                return self.fail(code::TYPE_MISMATCH, value.span(), message);
            };
            element = common;
            stage = stage.either(value.stage.clone());
        }
        if values.is_empty()
            && let Some(wanted) = wanted
        {
            element = wanted;
        }
        let values = values.into_iter().map(|value| self.coerce(value, &element, "").expr).collect();
        Typed::new(body::ExprKind::List(values), Type::List(Box::new(element)), span, Stage::list(stage))
    }

    fn record(&mut self, fields: &'db [ast::RecordField], expected: Option<&Type>, span: Span) -> Typed {
        let wanted = expected.and_then(|ty| match ty.present() {
            Type::Record(record) => Some(record.clone()),
            _ => None,
        });
        let mut types: Vec<Field> = Vec::with_capacity(fields.len());
        let (mut values, mut stages, mut is_sound) = (Vec::new(), Vec::new(), true);
        for field in fields {
            let name = &field.name.text;
            if types.iter().any(|other| other.name == *name) {
                let message = format!("the field `{name}` is given twice");
                let first = fields.iter().find(|other| other.name.text == *name);
                let diagnostic = Diagnostic::error(code::DEFINED_TWICE, field.name.span, message);
                self.report(match first {
                    Some(first) => diagnostic.label(first.name.span, "the first is here"),
                    None => diagnostic,
                });
                continue;
            }
            let hint = wanted.as_ref().and_then(|record| record.field(name)).map(|field| field.ty.clone());
            let value = self.expr(&field.value, hint.as_ref());
            let Some(ty) = value.ty() else {
                is_sound = false;
                continue;
            };
            types.push(Field { name: name.clone(), ty: ty.clone() });
            stages.push((name.clone(), value.stage));
            values.push((name.clone(), value.expr));
        }
        if !is_sound {
            return Typed::error(span);
        }
        let ty = Type::Record(RecordType { name: None, fields: types });
        if !self.has_bearable_size(&ty, span) {
            return Typed::error(span);
        }
        Typed::new(body::ExprKind::Record(values), ty, span, Stage::record(stages))
    }

    /// Whether a type that is made of others is one that can be worked with; else it is reported.
    pub fn has_bearable_size(&mut self, ty: &Type, span: Span) -> bool {
        let is_bearable = !is_too_large(ty);
        if !is_bearable {
            self.report(
                Diagnostic::error(
                    code::TYPE_MISMATCH,
                    span,
                    format!("the type of this has more than {MAX_PARTS} parts"),
                )
                .help("each record of two values of one type doubles it: keep what is needed of them alone"),
            );
        }
        is_bearable
    }
}

/// The type of a list's elements by its first one: limits are left behind, and `none` alone is no type.
fn one_of(ty: &Type) -> Type {
    match ty {
        Type::Refined { base, .. } => (**base).clone(),
        Type::Nothing => Type::Optional(Box::new(Type::Nothing)),
        other => other.clone(),
    }
}

/// `Fill.mean` for `mean`, where a Fill is wanted.
fn variant_named(name: &str, expected: Option<&Type>) -> Option<String> {
    let Type::Enum(of) = expected?.present() else { return None };
    let short = of.name.rsplit('.').next().unwrap_or(&of.name);
    of.variants.iter().any(|variant| variant == name).then(|| format!("{short}.{}", quoted(name)))
}

fn is_printable(ty: &Type) -> bool {
    !matches!(
        ty.present(),
        Type::Dataset(_)
            | Type::Model(_)
            | Type::Opaque(_)
            | Type::List(_)
            | Type::Embedding(_)
            | Type::Record(_)
            | Type::Column(_)
            | Type::Nothing
    )
}

/// What other languages call a literal.
fn literal_for(word: &str) -> Option<&'static str> {
    Some(match word {
        "True" | "TRUE" => "true",
        "False" | "FALSE" => "false",
        "None" | "NULL" | "null" | "nil" | "NA" => "none",
        _ => return None,
    })
}
