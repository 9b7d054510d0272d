//! Types as written to schemes.

use flow_ir::{
    types::{Metric, Refinement, Task, Type},
    value::{Float64, Value},
};
use flow_syntax::{
    ast::{self, RowEntry, TypeArg, TypeExpr, TypeKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{
    ColumnKind, FEATURES, LABEL, Meaning, RowChange, RowPart, RowScheme, Scheme, scheme::AsRecord, type_item,
};
use crate::{
    check::literal_value,
    db::{Db, File, Item},
    names::{Import, did_you_mean, prelude, repeats, resolve, scope},
};

const WITH_ARGUMENTS: &[&str] = &[
    "Id",
    "Label",
    "QueryId",
    "Pii",
    "Embedding",
    "List",
    "Dataset",
    "Column",
    "Classifier",
    "Regressor",
    "Ranker",
    "Clusterer",
    "Transformer",
    "Predictor",
    "Opaque",
];

/// Whether the language itself has a type of this name.
pub fn is_builtin_type(name: &str) -> bool {
    builtin_names().any(|builtin| builtin == name)
}

fn builtin_names() -> impl Iterator<Item = &'static str> {
    let metrics = Metric::ALL.iter().map(|metric| metric.name());
    Type::SCALARS.iter().map(|(name, _)| *name).chain(WITH_ARGUMENTS.iter().copied()).chain(metrics)
}

/// Resolves the types of one item.
pub(crate) struct Resolver<'db> {
    db: &'db dyn Db,
    file: File,
    /// The names of the item's generic parameters.
    pub generics: Vec<String>,
    /// The names of the item's parameters: types may be made of their arguments.
    pub params: Vec<String>,
    /// Rows of parameters that are written in place and open, `Dataset<{ a: Float, .. }>`: each is a
    /// generic parameter of its own, with what it is bound to.
    pub implicit: Vec<(String, RowScheme)>,
    /// The parameter whose type is being read.
    pub parameter: Option<String>,
    /// Whether a row may be left out, as in an output's `Classifier`.
    pub may_elide: bool,
    pub diagnostics: Vec<Diagnostic>,
}

impl<'db> Resolver<'db> {
    pub fn new(db: &'db dyn Db, file: File) -> Self {
        Self {
            db,
            file,
            generics: Vec::new(),
            params: Vec::new(),
            implicit: Vec::new(),
            parameter: None,
            may_elide: false,
            diagnostics: Vec::new(),
        }
    }

    pub fn ty(&mut self, ty: &TypeExpr) -> Scheme {
        self.scheme(ty).settled()
    }

    fn scheme(&mut self, ty: &TypeExpr) -> Scheme {
        match &ty.kind {
            TypeKind::Named { path, args } => self.named(path, args, ty.span),
            TypeKind::Optional(inner) => match self.ty(inner) {
                Scheme::Error => Scheme::Error,
                optional @ (Scheme::Ground(Type::Optional(_)) | Scheme::Optional(_)) => optional,
                inner => Scheme::Optional(Box::new(inner)),
            },
            TypeKind::Refined { base, refinement } => self.refined(base, refinement, ty.span),
            TypeKind::Row(_) => match self.row(ty) {
                RowScheme::Ground(row) => Scheme::Ground(Type::Record(row.as_record(None))),
                RowScheme::Error => Scheme::Error,
                _ => self.mismatch(ty.span, "a row with variables stands only in `Dataset<…>` and models"),
            },
            TypeKind::Record(fields) => {
                let field = |field: &ast::RecordTypeField| (field.name.text.clone(), self.ty(&field.ty));
                let resolved: Vec<(String, Scheme)> = fields.iter().map(field).collect();
                self.diagnostics.extend(repeats(fields.iter().map(|field| &field.name)));
                Scheme::Record { name: None, fields: resolved }
            }
            TypeKind::Error => Scheme::Error,
        }
    }

    /// A row: a schema, a generic parameter, or columns in braces.
    pub fn row(&mut self, ty: &TypeExpr) -> RowScheme {
        match &ty.kind {
            TypeKind::Named { path, args } if args.is_empty() => self.named_row(path, ty.span),
            TypeKind::Row(entries) => self.row_entries(entries, ty.span),
            TypeKind::Error => RowScheme::Error,
            _ => {
                self.mismatch(ty.span, "a row is wanted here: a schema, or columns in braces");
                RowScheme::Error
            }
        }
    }

    fn named(&mut self, path: &ast::Path, args: &[TypeArg], span: Span) -> Scheme {
        let [name] = path.names.as_slice() else { return self.item_type(path, args, span) };
        if self.generics.contains(&name.text) {
            return Scheme::Var(name.text.clone());
        }
        // A module's own item hides a type of the language.
        if scope(self.db, self.file).items.contains_key(&name.text) {
            return self.item_type(path, args, span);
        }
        if let Some((_, ty)) = Type::SCALARS.iter().find(|(scalar, _)| *scalar == name.text) {
            return self.without_arguments(ty.clone(), args, span);
        }
        if let Some(metric) = Metric::ALL.iter().find(|metric| metric.name() == name.text) {
            return self.without_arguments(Type::Metric(*metric), args, span);
        }
        if WITH_ARGUMENTS.contains(&name.text.as_str()) {
            return self.with_arguments(&name.text, args, span);
        }
        self.item_type(path, args, span)
    }

    fn without_arguments(&mut self, ty: Type, args: &[TypeArg], span: Span) -> Scheme {
        if args.is_empty() {
            Scheme::Ground(ty)
        } else {
            self.mismatch(span, &format!("`{}` takes nothing in `<…>`", super::show(&ty)))
        }
    }

    fn with_arguments(&mut self, name: &str, args: &[TypeArg], span: Span) -> Scheme {
        match (name, args) {
            ("Id", [TypeArg::Type(of)]) => self.semantic(of, Type::Id),
            ("QueryId", [TypeArg::Type(of)]) => self.semantic(of, Type::QueryId),
            ("Pii", [TypeArg::Type(of)]) => self.semantic(of, Type::Pii),
            ("Label", [TypeArg::Type(of)]) => self.semantic(of, |of| Type::Label { of, positive: None }),
            ("Embedding", [TypeArg::Number(size, at)]) => match u32::try_from(*size) {
                Ok(size) if size > 0 => Scheme::Ground(Type::Embedding(size)),
                _ => self.mismatch(*at, "the length of an embedding is a whole number of at least 1"),
            },
            ("Embedding", [TypeArg::Type(TypeExpr { kind: TypeKind::Named { path, args }, .. })])
                if args.is_empty() && self.is_param(path) =>
            {
                Scheme::Embedding(path.names.iter().map(|name| name.text.as_str()).collect())
            }
            ("List", [TypeArg::Type(of)]) => match self.ty(of) {
                Scheme::Error => Scheme::Error,
                of => Scheme::List(Box::new(of)),
            },
            ("Dataset", [TypeArg::Type(row)]) => match self.parameter_row(row) {
                RowScheme::Error => Scheme::Error,
                row => Scheme::Dataset(row),
            },
            ("Column", [TypeArg::Type(row)]) => Scheme::Column { row: self.row(row), of: ColumnKind::Any },
            ("Column", [TypeArg::Type(row), TypeArg::Type(of)]) => {
                let row = self.row(row);
                let of = if self.is_feature(of) {
                    ColumnKind::Feature
                } else {
                    ColumnKind::Of(Box::new(self.ty(of)))
                };
                Scheme::Column { row, of }
            }
            ("Transformer", [TypeArg::Type(row), TypeArg::Type(result)]) => {
                let (row, result) = (self.row(row), Some(Box::new(self.row(result))));
                Scheme::Model { task: Some(Task::Transformer), row, result }
            }
            ("Classifier" | "Regressor" | "Ranker" | "Clusterer" | "Predictor", [TypeArg::Type(row)]) => {
                match self.row(row) {
                    RowScheme::Error => Scheme::Error,
                    row => Scheme::Model { task: task_named(name), row, result: None },
                }
            }
            ("Opaque", [TypeArg::Text(environment)]) => {
                Scheme::Ground(Type::Opaque(environment.value.clone()))
            }
            ("Classifier" | "Regressor" | "Ranker" | "Clusterer" | "Predictor", []) if self.may_elide => {
                Scheme::Model { task: task_named(name), row: RowScheme::Elided, result: None }
            }
            ("Transformer", []) if self.may_elide => Scheme::Model {
                task: Some(Task::Transformer),
                row: RowScheme::Elided,
                result: Some(Box::new(RowScheme::Elided)),
            },
            ("Dataset", []) if self.may_elide => Scheme::Dataset(RowScheme::Elided),
            _ => {
                let wanted = match name {
                    "Id" | "QueryId" | "Pii" | "Label" => {
                        format!("`{name}` wants the type of its values: `{name}<Int>`")
                    }
                    "Embedding" => "`Embedding` wants its length: `Embedding<384>`".to_owned(),
                    "List" => "`List` wants the type of its elements: `List<Int>`".to_owned(),
                    "Column" => "`Column` wants a row, and perhaps a type: `Column<R, Float>`".to_owned(),
                    "Transformer" => "`Transformer` wants two rows: `Transformer<R, S>`".to_owned(),
                    "Opaque" => {
                        "`Opaque` wants the name of its environment: `Opaque<\"sklearn\">`".to_owned()
                    }
                    _ => format!("`{name}` wants a row here: `{name}<Ride>`, or a generic `{name}<R>`"),
                };
                self.mismatch(span, &wanted)
            }
        }
    }

    fn semantic(&mut self, of: &TypeExpr, make: impl Fn(Box<Type>) -> Type) -> Scheme {
        match self.ty(of) {
            Scheme::Ground(Type::Optional(inner)) => Scheme::Ground(Type::Optional(Box::new(make(inner)))),
            Scheme::Ground(
                ty @ (Type::Bool
                | Type::Int
                | Type::Float
                | Type::Text
                | Type::Category
                | Type::Date
                | Type::Time),
            ) => Scheme::Ground(make(Box::new(ty))),
            Scheme::Ground(Type::Refined { base, .. }) => Scheme::Ground(make(base)),
            Scheme::Error => Scheme::Error,
            _ => self.mismatch(of.span, "a column's meaning wants a plain type, such as `Int` or `Text`"),
        }
    }

    /// A type that an item defines.
    fn item_type(&mut self, path: &ast::Path, args: &[TypeArg], span: Span) -> Scheme {
        let Some(item) = self.find(path) else { return Scheme::Error };
        if !args.is_empty() {
            return self.mismatch(span, &format!("`{}` takes nothing in `<…>`", item.name(self.db)));
        }
        match &type_item(self.db, item).meaning {
            Meaning::Error => Scheme::Error,
            Meaning::Type(scheme) => scheme.clone(),
            Meaning::Row(row) => {
                let name = format!("{}.{}", item.file(self.db).module(self.db), item.name(self.db));
                Scheme::Ground(Type::Record(row.as_record(Some(name))))
            }
        }
    }

    fn named_row(&mut self, path: &ast::Path, span: Span) -> RowScheme {
        if let [name] = path.names.as_slice() {
            if self.generics.contains(&name.text) {
                return RowScheme::Var(name.text.clone());
            }
            if is_builtin_type(&name.text) && resolve(self.db, self.file, &name.text).is_none() {
                self.mismatch(
                    span,
                    &format!("`{}` is no row: a schema is wanted here, or columns in braces", name.text),
                );
                return RowScheme::Error;
            }
        }
        let Some(item) = self.find(path) else { return RowScheme::Error };
        match &type_item(self.db, item).meaning {
            Meaning::Error => RowScheme::Error,
            Meaning::Row(row) => RowScheme::Ground(row.clone()),
            Meaning::Type(_) => {
                let message = format!(
                    "`{}` is no row: a schema is wanted here, or columns in braces",
                    item.name(self.db)
                );
                self.mismatch(span, &message);
                RowScheme::Error
            }
        }
    }

    fn find(&mut self, path: &ast::Path) -> Option<Item<'db>> {
        let first = path.names.first()?;
        let found = resolve(self.db, self.file, &first.text);
        let (item, name) = match (found, path.names.get(1)) {
            (None, _) => {
                self.unknown(first, path.names.len() > 1);
                return None;
            }
            (Some(Import::Broken), _) => return None,
            (Some(Import::Item(item)), None) => (item, first),
            (Some(Import::Module(module)), Some(name)) => {
                match scope(self.db, module).items.get(&name.text) {
                    Some(item) => (*item, name),
                    None => {
                        let types = scope(self.db, module)
                            .items
                            .values()
                            .filter(|item| item.keyword(self.db).is_type());
                        let message = format!("`{}` has no type `{}`", module.module(self.db), name.text);
                        self.diagnostics.push(did_you_mean(
                            Diagnostic::error(code::UNKNOWN_NAME, name.span, message),
                            &name.text,
                            name.span,
                            types.map(|item| item.name(self.db).as_str()),
                        ));
                        return None;
                    }
                }
            }
            (Some(Import::Module(_)), None) => {
                self.mismatch(first.span, &format!("`{}` is a module, not a type", first.text));
                return None;
            }
            (Some(Import::Item(_)), Some(name)) => {
                self.mismatch(name.span, &format!("`{}` is no module", first.text));
                return None;
            }
        };
        if item.keyword(self.db).is_type() {
            return Some(item);
        }
        self.mismatch(name.span, &format!("`{}` is not a type", name.text));
        None
    }

    fn unknown(&mut self, name: &ast::Name, is_module: bool) {
        let what = if is_module { "module" } else { "type" };
        let diagnostic = Diagnostic::error(
            code::UNKNOWN_NAME,
            name.span,
            format!("there is no {what} `{}` here", name.text),
        );
        let own = scope(self.db, self.file);
        let own_types =
            own.items.iter().filter(|(_, item)| item.keyword(self.db).is_type()).map(|(name, _)| name);
        let known: Vec<&str> = if is_module {
            own.imports.keys().map(String::as_str).collect()
        } else {
            let mut known: Vec<&str> = builtin_names().collect();
            known.extend(own_types.map(String::as_str));
            known.extend(own.imports.keys().map(String::as_str));
            known.extend(prelude(self.db).keys().map(String::as_str));
            known
        };
        // Further uses of an unknown name are the same mistake.
        if self.diagnostics.iter().any(|other| other.message == diagnostic.message) {
            return;
        }
        self.diagnostics.push(match own_word(&name.text).filter(|_| !is_module) {
            Some(own) => diagnostic
                .help(format!("it is called `{own}` here"))
                .fix(format!("write `{own}`"), vec![Edit { span: name.span, text: own.to_owned() }]),
            None => did_you_mean(diagnostic, &name.text, name.span, known),
        });
    }

    /// The row of `Dataset<…>`; an open one in a parameter's type is a generic parameter of its own.
    fn parameter_row(&mut self, ty: &TypeExpr) -> RowScheme {
        let row = self.row(ty);
        let Some(parameter) = &self.parameter else { return row };
        match row {
            RowScheme::Parts { is_open: true, .. } => {
                let name = format!("{parameter}'s row");
                self.implicit.push((name.clone(), row));
                RowScheme::Var(name)
            }
            row => row,
        }
    }

    fn row_entries(&mut self, entries: &[RowEntry], span: Span) -> RowScheme {
        let mut parts = Vec::new();
        let mut is_open = false;
        let names = entries.iter().filter_map(|entry| match entry {
            RowEntry::Column { name, .. } => Some(name),
            _ => None,
        });
        self.diagnostics.extend(repeats(names));
        for entry in entries {
            match entry {
                RowEntry::Spread { row, change, .. } => {
                    let row = self.named_row(row, span);
                    if row == RowScheme::Error {
                        return RowScheme::Error;
                    }
                    let change = match change {
                        None => None,
                        Some(change) => match self.row_change(change) {
                            None => return RowScheme::Error,
                            change => change,
                        },
                    };
                    parts.push(RowPart::Spread(row, change));
                }
                RowEntry::Column { name, ty } => match self.ty(ty) {
                    Scheme::Error => return RowScheme::Error,
                    scheme => parts.push(RowPart::Column(name.text.clone(), scheme)),
                },
                RowEntry::Named { param, ty, .. } => {
                    if !self.params.contains(&param.text) {
                        self.unknown_param(param, &[]);
                        return RowScheme::Error;
                    }
                    match self.ty(ty) {
                        Scheme::Error => return RowScheme::Error,
                        scheme => parts.push(RowPart::Named(param.text.clone(), scheme)),
                    }
                }
                RowEntry::Open(_) => is_open = true,
            }
        }
        let row = RowScheme::Parts { parts, is_open };
        match row.substitute(&super::Bindings::default()) {
            Ok(row) => RowScheme::Ground(row),
            Err(_) => row,
        }
    }

    /// `None` where it names what lists no columns, which is reported.
    fn row_change(&mut self, change: &ast::RowChange) -> Option<RowChange> {
        Some(match change {
            ast::RowChange::Without(names) => {
                RowChange::Without(names.iter().map(|name| name.text.clone()).collect())
            }
            ast::RowChange::WithoutListed(name) => RowChange::WithoutListed(self.lister(name)?),
            ast::RowChange::WithPresent(name) => RowChange::Present(self.lister(name)?),
            ast::RowChange::WithType(name, ty) => RowChange::Retyped(self.lister(name)?, self.ty(ty)),
        })
    }

    /// What lists columns: a parameter, `features` or `label`.
    fn lister(&mut self, name: &ast::Name) -> Option<String> {
        let of_rows = [FEATURES, LABEL];
        if self.params.contains(&name.text) || of_rows.contains(&name.text.as_str()) {
            return Some(name.text.clone());
        }
        self.unknown_param(name, &of_rows);
        None
    }

    fn unknown_param(&mut self, name: &ast::Name, others: &[&str]) {
        let message = format!("there is no parameter `{}` here", name.text);
        let known = self.params.iter().map(String::as_str).chain(others.iter().copied());
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
        let diagnostic = did_you_mean(diagnostic, &name.text, name.span, known);
        self.diagnostics.push(diagnostic);
    }

    fn is_param(&self, path: &ast::Path) -> bool {
        matches!(path.names.as_slice(), [name] if self.params.contains(&name.text))
    }

    /// Whether the second part of a `Column<R, Feature>` is that.
    fn is_feature(&self, of: &TypeExpr) -> bool {
        let TypeKind::Named { path, args } = &of.kind else { return false };
        let [name] = path.names.as_slice() else { return false };
        args.is_empty() && name.text == "Feature" && resolve(self.db, self.file, "Feature").is_none()
    }

    fn refined(&mut self, base: &TypeExpr, refinement: &ast::Refinement, span: Span) -> Scheme {
        let ty = match self.ty(base) {
            Scheme::Ground(ty) => ty,
            Scheme::Error => return Scheme::Error,
            _ => return self.mismatch(base.span, "only `Int`, `Float` and `Text` take limits"),
        };
        let refinement = match (ty.present(), refinement) {
            (Type::Text, ast::Refinement::Matching(pattern)) => {
                if flow_ir::fits::is_pattern(&pattern.value) {
                    Refinement::Matching(pattern.value.clone())
                } else {
                    let message = format!("`{}` is no regular expression", pattern.value);
                    let help = r"a bracket that stands for itself is written with a backslash: `\[`";
                    self.diagnostics
                        .push(Diagnostic::error(code::MALFORMED_LITERAL, pattern.span, message).help(help));
                    return Scheme::Ground(ty);
                }
            }
            (Type::Int, ast::Refinement::In { low, high, inclusive }) => {
                let (Ok(low), Ok(high)) =
                    (self.bound(low.as_deref(), whole), self.bound(high.as_deref(), whole))
                else {
                    return Scheme::Ground(ty);
                };
                Refinement::Int { low, high, inclusive: *inclusive }
            }
            (Type::Float | Type::Float32 | Type::Fraction, ast::Refinement::In { low, high, inclusive }) => {
                let (Ok(low), Ok(high)) =
                    (self.bound(low.as_deref(), real), self.bound(high.as_deref(), real))
                else {
                    return Scheme::Ground(ty);
                };
                Refinement::Float { low, high, inclusive: *inclusive }
            }
            (other, ast::Refinement::Matching(_)) => {
                return self
                    .mismatch(span, &format!("`matching` limits `Text`, not `{}`", super::show(other)));
            }
            (other, ast::Refinement::In { .. }) => {
                return self
                    .mismatch(span, &format!("`in` limits `Int` and `Float`, not `{}`", super::show(other)));
            }
        };
        let is_empty = match refinement {
            Refinement::Int { low: Some(low), high: Some(high), inclusive } => {
                low > high || low == high && !inclusive
            }
            Refinement::Float { low: Some(low), high: Some(high), inclusive } => {
                low.0 > high.0 || low.0 == high.0 && !inclusive
            }
            _ => false,
        };
        if is_empty {
            let message = format!("no value is {refinement}: the lower bound comes first");
            self.diagnostics.push(Diagnostic::error(code::OUT_OF_RANGE, span, message));
            return Scheme::Ground(ty);
        }
        match ty {
            Type::Optional(inner) => {
                Scheme::Ground(Type::Optional(Box::new(Type::Refined { base: inner, refinement })))
            }
            base => Scheme::Ground(Type::Refined { base: Box::new(base), refinement }),
        }
    }

    /// A bound that is a signed literal or a constant; reported where it is neither.
    fn bound<T>(
        &mut self,
        bound: Option<&ast::Expr>,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, ()> {
        let Some(bound) = bound else { return Ok(None) };
        let value = literal_value(self.db, self.file, bound);
        match value.as_ref().and_then(read) {
            Some(value) => Ok(Some(value)),
            None => {
                if !matches!(bound.kind, ast::ExprKind::Error) {
                    self.mismatch(
                        bound.span,
                        "a bound is a number of the type that it limits, or a constant",
                    );
                }
                Err(())
            }
        }
    }

    fn mismatch(&mut self, span: Span, message: &str) -> Scheme {
        self.diagnostics.push(Diagnostic::error(code::TYPE_MISMATCH, span, message));
        Scheme::Error
    }
}

fn task_named(name: &str) -> Option<Task> {
    match name {
        "Classifier" => Some(Task::Classifier),
        "Regressor" => Some(Task::Regressor),
        "Ranker" => Some(Task::Ranker),
        "Clusterer" => Some(Task::Clusterer),
        _ => None,
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a bound is compared with floats anyway")]
fn real(value: &Value) -> Option<Float64> {
    match value {
        Value::Int(value) => Some(Float64(*value as f64)),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

/// What a type of another language is called in this one.
fn own_word(name: &str) -> Option<&'static str> {
    Some(match name {
        "str" | "string" | "String" | "char" | "varchar" => "Text",
        "i32" | "i64" | "int32" | "int64" | "long" | "integer" | "Integer" | "usize" => "Int",
        "f64" | "double" | "Double" | "float64" | "number" | "Number" | "real" => "Float",
        "f32" | "float32" => "Float32",
        "boolean" | "Boolean" => "Bool",
        "datetime" | "DateTime" | "timestamp" | "Timestamp" => "Time",
        "timedelta" | "interval" => "Duration",
        "bytearray" | "blob" => "Bytes",
        "DataFrame" | "Table" | "Frame" => "Dataset",
        "Array" | "Vec" | "array" | "Series" => "List",
        "enum" | "categorical" | "Categorical" => "Category",
        _ => return None,
    })
}
