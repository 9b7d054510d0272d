//! Every mistake that can be planted in a program: one edit each, with the place where it should be told.

use std::{collections::BTreeSet, ops::Range};

use flow_syntax::{
    ast::{self, Block, Expr, ExprKind, ItemKind, Literal, Name, Pattern, Statement, TypeExpr, TypeKind},
    parse::parse,
    span::Span,
};

use crate::signs;

/// The kinds of mistakes, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mistake {
    MisspelledColumn,
    MisspelledName,
    MisspelledFunction,
    MisspelledOperator,
    MisspelledVerb,
    MisspelledField,
    MisspelledParameter,
    MisspelledModule,
    MisspelledImport,
    MisspelledType,
    MisspelledVariant,
    MisspelledPolicyKey,
    MisspelledDefinition,
    MisspelledKeyword,
    DroppedArgument,
    ExtraArgument,
    SwappedArguments,
    WrongLiteral,
    ListForScalar,
    ScalarForList,
    DroppedColumn,
    DroppedOutput,
    DroppedDefault,
    WrongColumnType,
    DroppedLabel,
    RemovedLet,
    RemovedImport,
    RemovedParameter,
    RemovedOpening,
    RemovedClosing,
    AddedOpening,
    AddedClosing,
    RemovedAngle,
    RemovedQuote,
    RemovedComma,
    RemovedSign,
    WrongSign,
}

/// One mistake in one program.
#[derive(Clone, Debug)]
pub struct Plant {
    pub mistake: Mistake,
    /// What is replaced, and by what.
    pub edit: Range<usize>,
    pub text: String,
    /// Where in the sound text the mistake may be told beside the edit itself: a bracket's partner, the signs
    /// on both sides.
    pub also: Vec<Range<usize>>,
    /// The name that is misspelled, removed or no longer fits: its uses are right places too.
    pub name: Option<String>,
}

/// All mistakes that fit somewhere into a sound text.
pub fn plants(text: &str) -> Vec<Plant> {
    let (file, _) = parse(text);
    let modules = file.items.iter().filter_map(|(_, item)| match &item.kind {
        ItemKind::Use(import) if import.names.is_none() => Some(import.path.names.last()?.text.clone()),
        _ => None,
    });
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).map(str::to_owned).collect();
    let mut planter = Planter { text, start: 0, modules: modules.collect(), words, plants: Vec::new() };
    for (start, item) in &file.items {
        planter.start = *start as usize;
        planter.item(item);
    }
    signs::plant(text, &mut planter.plants);
    planter.plants
}

/// Named arguments of verbs whose other named arguments are new columns.
const OPTIONS: [&str; 5] = ["by", "order", "last", "seed", "data"];

struct Planter<'t> {
    text: &'t str,
    /// Where the item begins.
    start: usize,
    /// The imported modules.
    modules: BTreeSet<String>,
    /// Every word of the text: none is a misspelling.
    words: BTreeSet<String>,
    plants: Vec<Plant>,
}

impl Planter<'_> {
    fn range(&self, span: Span) -> Range<usize> {
        self.start + span.start as usize..self.start + span.end as usize
    }

    fn written(&self, span: Span) -> &str {
        &self.text[self.range(span)]
    }

    fn plant(&mut self, mistake: Mistake, edit: Range<usize>, text: impl Into<String>) -> &mut Plant {
        self.plants.push(Plant { mistake, edit, text: text.into(), also: Vec::new(), name: None });
        self.plants.last_mut().unwrap()
    }

    fn misspell(&mut self, mistake: Mistake, name: &Name) {
        let range = self.range(name.span);
        if let Some(text) = misspelled(&self.text[range.clone()], range.start, &self.words) {
            self.plant(mistake, range, text);
        }
    }

    /// A misspelled definition is missed where it is used.
    fn define(&mut self, name: &Name) {
        let range = self.range(name.span);
        if let Some(text) = misspelled(&self.text[range.clone()], range.start, &self.words) {
            self.plant(Mistake::MisspelledDefinition, range, text).name = Some(name.text.clone());
        }
    }

    fn item(&mut self, item: &ast::Item) {
        match &item.kind {
            ItemKind::Use(import) => {
                let whole = self.range(item.span);
                match &import.names {
                    None => {
                        if let Some(name) = import.path.names.last() {
                            self.misspell(Mistake::MisspelledModule, name);
                            let name = name.text.clone();
                            self.plant(Mistake::RemovedImport, whole, "").name = Some(name);
                        }
                    }
                    Some(names) => {
                        names.iter().for_each(|name| self.misspell(Mistake::MisspelledImport, name));
                        if let [name] = names.as_slice() {
                            self.plant(Mistake::RemovedImport, whole, "").name = Some(name.text.clone());
                        }
                    }
                }
            }
            ItemKind::Const(item) => {
                self.define(&item.name);
                item.ty.iter().for_each(|ty| self.ty(ty));
                self.value(&item.value);
            }
            ItemKind::Type(item) => {
                self.define(&item.name);
                self.ty(&item.ty);
            }
            ItemKind::Enum(item) => {
                self.define(&item.name);
                item.variants.iter().for_each(|variant| self.define(&variant.name));
            }
            ItemKind::Schema(schema) => {
                self.define(&schema.name);
                for column in &schema.columns {
                    self.define(&column.name);
                    self.ty(&column.ty);
                    self.column_type(column);
                }
            }
            ItemKind::Fn(function) => {
                self.define(&function.name);
                self.params(&function.params);
                function.result.iter().for_each(|ty| self.ty(ty));
                function.body.iter().for_each(|body| self.block(body));
            }
            ItemKind::Operator(operator) => {
                self.define(&operator.name);
                self.params(&operator.params);
                self.outputs(&operator.result);
                self.policy(&operator.policy);
            }
            ItemKind::Workflow(workflow) => {
                self.define(&workflow.name);
                self.params(&workflow.params);
                self.outputs(&workflow.result);
                self.block(&workflow.body);
                if let Some(Statement::Expr(Expr { kind: ExprKind::Record(fields), .. })) =
                    workflow.body.statements.last()
                {
                    let spans: Vec<Span> =
                        fields.iter().map(|field| field.name.span.to(field.value.span)).collect();
                    for (index, field) in fields.iter().enumerate().filter(|_| fields.len() > 2) {
                        let without = self.without(&spans, index);
                        self.plant(Mistake::DroppedOutput, without, "").name = Some(field.name.text.clone());
                    }
                }
            }
            ItemKind::Test(test) => self.block(&test.body),
            ItemKind::Error => {}
        }
    }

    fn params(&mut self, params: &[ast::Param]) {
        let spans: Vec<Span> = params
            .iter()
            .map(|param| {
                let end = param.default.as_ref().map_or(param.ty.span, |default| default.span);
                param.doc.as_ref().map_or(param.name.span, |doc| doc.span).to(end)
            })
            .collect();
        for (index, param) in params.iter().enumerate() {
            self.define(&param.name);
            self.ty(&param.ty);
            param.default.iter().for_each(|default| self.value(default));
            let without = self.without(&spans, index);
            self.plant(Mistake::RemovedParameter, without, "").name = Some(param.name.text.clone());
        }
    }

    fn outputs(&mut self, outputs: &ast::Outputs) {
        let outputs = match outputs {
            ast::Outputs::None => &[][..],
            ast::Outputs::One(output) => std::slice::from_ref(output),
            ast::Outputs::Named(outputs) => outputs,
        };
        for output in outputs {
            output.name.iter().for_each(|name| self.define(name));
            self.ty(&output.ty);
        }
    }

    fn column_type(&mut self, column: &ast::SchemaColumn) {
        let TypeKind::Named { path, args } = &column.ty.kind else { return };
        let written = path.names.last().map_or("", |name| &name.text);
        let range = self.range(column.ty.span);
        let name = Some(column.name.text.clone());
        if let ("Label", [ast::TypeArg::Type(inner)]) = (written, args.as_slice()) {
            let inner = self.written(inner.span).to_owned();
            self.plant(Mistake::DroppedLabel, range, inner).name = name;
            return;
        }
        let other = match written {
            "Float" | "Int" | "Bool" => "Text",
            "Text" => "Int",
            "Category" => "Date",
            "Date" | "EventTime" | "Time" => "Bool",
            _ => return,
        };
        self.plant(Mistake::WrongColumnType, range, other).name = name;
    }

    fn ty(&mut self, ty: &TypeExpr) {
        match &ty.kind {
            TypeKind::Named { path, args } => {
                path.names.iter().for_each(|name| self.misspell(Mistake::MisspelledType, name));
                for arg in args {
                    if let ast::TypeArg::Type(ty) = arg {
                        self.ty(ty);
                    }
                }
                if !args.is_empty() {
                    let whole = self.range(ty.span);
                    let open = self.range(path.span).end;
                    for at in [open, whole.end - 1] {
                        self.plant(Mistake::RemovedAngle, at..at + 1, " ").also = vec![whole.clone()];
                    }
                }
            }
            TypeKind::Optional(inner) => self.ty(inner),
            TypeKind::Refined { base, .. } => self.ty(base),
            TypeKind::Row(entries) => {
                for entry in entries {
                    if let ast::RowEntry::Column { ty, .. } = entry {
                        self.ty(ty);
                    }
                }
            }
            TypeKind::Record(fields) => fields.iter().for_each(|field| self.ty(&field.ty)),
            TypeKind::Error => {}
        }
    }

    fn block(&mut self, block: &Block) {
        for statement in &block.statements {
            match statement {
                Statement::Let(binding) => {
                    let mut names = Vec::new();
                    match &binding.pattern {
                        Pattern::Name(name) => names.push(name),
                        Pattern::Record { fields, .. } => {
                            for field in fields {
                                names.push(&field.binding);
                                if field.field.span != field.binding.span {
                                    self.misspell(Mistake::MisspelledField, &field.field);
                                }
                            }
                        }
                        Pattern::Error(_) => {}
                    }
                    names.iter().for_each(|name| self.define(name));
                    let whole = self.range(binding.span);
                    for name in &names {
                        self.plant(Mistake::RemovedLet, whole.clone(), "").name = Some(name.text.clone());
                    }
                    binding.ty.iter().for_each(|ty| self.ty(ty));
                    self.value(&binding.value);
                }
                Statement::Assert { condition, .. } => self.expr(condition),
                Statement::Expr(value) => self.expr(value),
            }
        }
    }

    /// A value whose type something asks for.
    fn value(&mut self, expr: &Expr) {
        let range = self.range(expr.span);
        let written = self.text[range.clone()].to_owned();
        match &expr.kind {
            ExprKind::Literal(Literal::Text(_)) => {
                self.plant(Mistake::WrongLiteral, range.clone(), "7");
                self.plant(Mistake::ListForScalar, range, format!("[{written}]"));
            }
            ExprKind::Literal(literal) if *literal != Literal::None => {
                self.plant(Mistake::WrongLiteral, range.clone(), "\"seven\"");
                self.plant(Mistake::ListForScalar, range, format!("[{written}]"));
            }
            ExprKind::List(values) => {
                if let Some(first) = values.first() {
                    let first = self.written(first.span).to_owned();
                    self.plant(Mistake::ScalarForList, range, first);
                }
            }
            _ => {}
        }
        self.expr(expr);
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Error => {}
            ExprKind::Interpolated(parts) => {
                for part in parts {
                    if let ast::TextPart::Expr(expr) = part {
                        self.expr(expr);
                    }
                }
            }
            ExprKind::Name(name) => self.misspell(Mistake::MisspelledName, name),
            ExprKind::Column(name) => self.misspell(Mistake::MisspelledColumn, name),
            ExprKind::Field { base, name } => {
                match &base.kind {
                    ExprKind::Name(base) if base.text.starts_with(char::is_uppercase) => {
                        self.misspell(Mistake::MisspelledVariant, name);
                        self.misspell(Mistake::MisspelledType, base);
                    }
                    _ => {
                        self.misspell(Mistake::MisspelledField, name);
                        self.expr(base);
                    }
                };
            }
            ExprKind::Call { callee, args } => self.call(expr, callee, args),
            ExprKind::Index { base, index } => {
                self.expr(base);
                self.expr(index);
            }
            ExprKind::With { call, policy } => {
                self.expr(call);
                self.policy(policy);
            }
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Binary { op, left, right, .. } => {
                if *op == ast::BinaryOp::OrElse {
                    let range = self.range(left.span).end..self.range(right.span).end;
                    let around = self.range(expr.span);
                    self.plant(Mistake::DroppedDefault, range, "").also = vec![around];
                }
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Range { low, high, .. } => {
                self.expr(low);
                self.expr(high);
            }
            ExprKind::If { condition, then, otherwise } | ExprKind::RunIf { condition, then, otherwise } => {
                self.expr(condition);
                self.block(then);
                otherwise.iter().for_each(|otherwise| self.expr(otherwise));
            }
            ExprKind::Match { subject, arms } => {
                self.expr(subject);
                for arm in arms {
                    if let ast::MatchPattern::Value(value) = &arm.pattern {
                        self.expr(value);
                    }
                    self.expr(&arm.value);
                }
            }
            ExprKind::For { list, body, .. } => {
                self.expr(list);
                self.block(body);
            }
            ExprKind::RunFor { list, max, body, .. } => {
                self.expr(list);
                max.iter().for_each(|max| self.value(max));
                self.block(body);
            }
            ExprKind::RunWhile { condition, start, max, body, .. } => {
                self.expr(start);
                self.expr(condition);
                max.iter().for_each(|max| self.value(max));
                self.block(body);
            }
            ExprKind::Lambda { params, body } => {
                params.iter().for_each(|param| self.define(param));
                self.expr(body);
            }
            ExprKind::List(values) => values.iter().for_each(|value| self.expr(value)),
            ExprKind::Record(fields) => {
                for field in fields {
                    if field.is_named {
                        self.misspell(Mistake::MisspelledField, &field.name);
                    }
                    self.expr(&field.value);
                }
            }
            ExprKind::Paren(inner) => self.expr(inner),
            ExprKind::Block(block) => self.block(block),
        }
    }

    fn call(&mut self, call: &Expr, callee: &Expr, args: &[ast::Arg]) {
        let mut verb = "";
        match &callee.kind {
            ExprKind::Name(name) => self.misspell(Mistake::MisspelledFunction, name),
            ExprKind::Field { base, name } => match &base.kind {
                ExprKind::Name(base) if self.modules.contains(&base.text) => {
                    self.misspell(Mistake::MisspelledName, base);
                    self.misspell(Mistake::MisspelledOperator, name);
                }
                _ => {
                    verb = &name.text;
                    self.expr(base);
                    self.misspell(Mistake::MisspelledVerb, name);
                }
            },
            _ => self.expr(callee),
        }
        let makes_columns = ["derive", "group", "window", "rename", "split_named"].contains(&verb);
        let spans: Vec<Span> = args
            .iter()
            .map(|arg| arg.name.as_ref().map_or(arg.value.span, |name| name.span.to(arg.value.span)))
            .collect();
        let whole = self.range(call.span);
        for (index, arg) in args.iter().enumerate() {
            let without = self.without(&spans, index);
            match (&arg.name, &arg.value.kind) {
                (Some(name), _) if makes_columns && !OPTIONS.contains(&name.text.as_str()) => {
                    self.define(name);
                    self.plant(Mistake::DroppedColumn, without, "").name = Some(name.text.clone());
                }
                (None, ExprKind::Column(name)) if verb == "select" && args.len() > 1 => {
                    self.plant(Mistake::DroppedColumn, without, "").name = Some(name.text.clone());
                }
                (name, _) => {
                    name.iter().for_each(|name| self.misspell(Mistake::MisspelledParameter, name));
                    self.plant(Mistake::DroppedArgument, without, "").also = vec![whole.clone()];
                }
            }
            self.value(&arg.value);
        }
        let positional = args.iter().filter(|arg| arg.name.is_none()).count();
        let comma = if positional < args.len() { ", " } else { "" };
        let (at, text) = match positional.checked_sub(1) {
            Some(last) => (self.range(spans[last]).end, ", 12".to_owned()),
            None => (self.range(callee.span).end + 1, format!("12{comma}")),
        };
        self.plant(Mistake::ExtraArgument, at..at, text);
        if !args.is_empty() {
            let at = self.range(spans[args.len() - 1]).end;
            self.plant(Mistake::ExtraArgument, at..at, ", speed_of_light: 3");
        }
        if let [first, second, ..] = args
            && first.name.is_none()
            && second.name.is_none()
            && !["select", "drop"].contains(&verb)
        {
            let swapped = format!("{}, {}", self.written(second.value.span), self.written(first.value.span));
            let both = self.range(first.value.span.to(second.value.span));
            self.plant(Mistake::SwappedArguments, both, swapped);
        }
    }

    fn policy(&mut self, policy: &[ast::PolicyEntry]) {
        for entry in policy {
            self.misspell(Mistake::MisspelledPolicyKey, &entry.key);
            self.value(&entry.value);
        }
    }

    /// What to take out of a list, so that one part is gone and the commas are right.
    fn without(&self, parts: &[Span], index: usize) -> Range<usize> {
        let start = |index: usize| self.range(parts[index]).start;
        let end = |index: usize| self.range(parts[index]).end;
        if index + 1 < parts.len() {
            start(index)..start(index + 1)
        } else if index > 0 {
            end(index - 1)..end(index)
        } else {
            start(index)..end(index)
        }
    }
}

/// A slip of the fingers: a letter left out, doubled, or swapped with its neighbour, by where the word stands.
pub fn misspelled(word: &str, at: usize, words: &BTreeSet<String>) -> Option<String> {
    let plain = word.trim_matches('`');
    let letters: Vec<char> = plain.chars().collect();
    if letters.len() < 3 {
        return None;
    }
    let slip = |how: usize| {
        let place = 1 + at % (letters.len() - 2);
        let mut letters = letters.clone();
        match how % 3 {
            0 => drop(letters.remove(place)),
            1 => letters.insert(place, letters[place]),
            _ => letters.swap(place, place + 1),
        }
        letters.into_iter().collect::<String>()
    };
    let slipped = (0..3).map(|how| slip(at + how)).find(|slip| slip != plain && !words.contains(slip))?;
    Some(word.replace(plain, &slipped))
}
